"""slow_writer CONFIG DATABASE REFERENCE COMMENT: writes an order, says "written", and commits when a line comes."""
import sys

from trytond.config import config

config.update_etc(sys.argv[1])
from trytond.pool import Pool  # noqa: E402
from trytond.transaction import Transaction  # noqa: E402

_, _, database, reference, comment = sys.argv
Pool.start()
pool = Pool(database)
pool.init()
with Transaction().start(database, 1, context={"company": 1}) as transaction:
    Sale = pool.get("sale.sale")
    sale, = Sale.search([("reference", "=", reference)])
    Sale.write([sale], {"comment": comment})
    print("written", flush=True)
    sys.stdin.readline()
    transaction.commit()
