"""demo CONFIG DATABASE HUB_PASSWORD: a small factory in an empty ERP: company and accounts, the hub's user, products, parties,
bins with stock, sales and purchases in several states, a bill of materials with routing, production orders."""
import datetime
import sys
import warnings
from decimal import Decimal

warnings.simplefilter("ignore")
from proteus import Model, Wizard, config as proteus_config  # noqa: E402

config_file, database, hub_password = sys.argv[1:]
config = proteus_config.set_trytond(database, user="admin", config_file=config_file)
today = datetime.date.today()
get = Model.get


def one(model, **values):
    found, = get(model).find([(name, "=", value) for name, value in values.items()])
    return found


def saved(model, **values):
    record = get(model)()
    for name, value in values.items():
        setattr(record, name, value)
    record.save()
    return record


def make_company():
    euro = saved("currency.currency", name="Euro", symbol="€", code="EUR", rounding=Decimal("0.01"))
    saved("currency.currency.rate", date=datetime.date(2000, 1, 1), rate=Decimal(1), currency=euro)
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party, wizard.form.currency = saved("party.party", name="Pump Works"), euro
    wizard.execute("add")
    config._context = get("res.user").get_preferences(True, {})
    company, = get("company.company").find()
    return company, euro


def make_fiscal_years(company):
    move_type, invoice_type = one("ir.sequence.type", name="Account Move"), one("ir.sequence.type", name="Invoice")
    for year in (today.year, today.year + 1):
        invoices = saved("ir.sequence.strict", name=str(year), sequence_type=invoice_type, company=company)
        fiscal_year = get("account.fiscalyear")(
            name=str(year), company=company, start_date=datetime.date(year, 1, 1), end_date=datetime.date(year, 12, 31),
            post_move_sequence=saved("ir.sequence", name=str(year), sequence_type=move_type, company=company))
        sequences, = fiscal_year.invoice_sequences
        for kind in ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note"):
            setattr(sequences, f"{kind}_sequence", invoices)
        fiscal_year.click("create_period")


def make_accounts(company):
    template = one("ir.model.data", module="account", fs_id="account_template_root_en")
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template, wizard.form.company = get("account.account.template")(template.db_id), company
    wizard.execute("create_account")
    accounts = {kind: get("account.account").find([(f"type.{kind}", "=", True), ("company", "=", company.id)])[0]
                for kind in ("receivable", "payable", "revenue", "expense")}
    wizard.form.account_receivable, wizard.form.account_payable = accounts["receivable"], accounts["payable"]
    wizard.execute("create_properties")
    term = get("account.invoice.payment_term")(name="Direct")
    term.lines.new(type="remainder")
    term.save()
    return accounts, term


def make_hub_user(company):
    """Sales, stock, purchase and production; never administration."""
    user = get("res.user")(name="Record hub", login="hub", password=hub_password)
    for name in ("Sales", "Stock", "Stock Administration", "Production", "Purchase", "Product Administration", "Account",
                 "Party Administration"):
        user.groups.append(one("res.group", name=name))
    user.save()
    # In two steps: which company is allowed follows from the saved companies.
    config.get_proxy("res.user").write([user.id], {"companies": [("add", [company.id])], "company": company.id}, config.context)


def make_products(accounts):
    piece, kilogram = one("product.uom", name="Unit"), one("product.uom", name="Kilogram")
    category = saved("product.category", name="Goods", accounting=True, account_expense=accounts["expense"],
                     account_revenue=accounts["revenue"])
    products = {}
    for code, name, unit, price, cost, salable, made in (
            ("PUMP-1", "Pump", piece, "120", "60", True, True), ("VALVE-1", "Valve", piece, "45", "20", True, False),
            ("HOUSING-1", "Housing", piece, "15", "9", True, False), ("SEAL-1", "Seal", piece, "2", "0.8", False, False),
            ("BRASS-1", "Brass bar", kilogram, "8", "5.5", False, False)):
        template = get("product.template")()
        template.name, template.code, template.default_uom, template.type = name, code, unit, "goods"
        template.list_price, template.salable, template.purchasable, template.producible = Decimal(price), salable, not made, made
        template.account_category = category
        template.products[0].cost_price = Decimal(cost)
        template.save()
        products[code] = template.products[0]
    return products


def make_parties():
    parties = {}
    for name in ("Northern Retail", "Globe Industrial", "Brass & Sons"):
        party = get("party.party")(name=name)
        address, = party.addresses
        address.street, address.city, address.postal_code = "1 Main Street", "Springfield", "12345"
        party.save()
        parties[name] = party
    return parties


def make_bins():
    warehouse = one("stock.location", type="warehouse")
    bins = {code: saved("stock.location", name=f"Bin {code}", code=code, type="storage", parent=warehouse.storage_location)
            for code in ("A-01", "A-02", "B-01", "QUARANTINE")}
    return warehouse, bins


def make_stock(bins, products):
    for code, lines in (("A-01", (("PUMP-1", 60), ("HOUSING-1", 400))), ("A-02", (("VALVE-1", 500), ("SEAL-1", 900))),
                        ("B-01", (("BRASS-1", 250.5), ("PUMP-1", 5)))):
        inventory = get("stock.inventory")(location=bins[code], date=today)
        for product, quantity in lines:
            inventory.lines.new(product=products[product], quantity=float(quantity))
        inventory.save()
        inventory.click("confirm")


def make_sale(party, reference, lines, buttons, term, products, warehouse):
    sale = get("sale.sale")(party=party, reference=reference, payment_term=term, sale_date=today)
    sale.warehouse, sale.invoice_method, sale.shipment_method = warehouse, "order", "order"
    for product, quantity in lines:
        line = sale.lines.new()
        line.product, line.quantity = products[product], float(quantity)
    sale.save()
    for button in buttons:
        sale.click(button)
        sale.reload()


def make_purchase(party, reference, lines, term, products, warehouse):
    purchase = get("purchase.purchase")(party=party, reference=reference, payment_term=term, purchase_date=today)
    purchase.warehouse, purchase.invoice_method = warehouse, "order"
    for product, quantity in lines:
        line = purchase.lines.new()
        line.product, line.quantity, line.unit_price = products[product], float(quantity), Decimal("5.60")
    purchase.save()
    for button in ("quote", "confirm", "process"):
        purchase.reload()
        if button != "process" or purchase.state == "confirmed":
            purchase.click(button)


def make_routing(products):
    bom = get("production.bom")(name="Pump")
    for code, quantity in (("HOUSING-1", 2), ("SEAL-1", 4), ("BRASS-1", 1.5)):
        line = bom.inputs.new()
        line.product, line.quantity = products[code], float(quantity)
    line = bom.outputs.new()
    line.product, line.quantity = products["PUMP-1"], 1.0
    bom.save()
    category = saved("production.work.center.category", name="Assembly")
    hall = saved("production.work.center", name="Hall 1")
    get("production.work.center")(name="Cell 1", parent=hall, category=category, cost_method="cycle", cost_price=Decimal(4)).save()
    routing = get("production.routing")(name="Pump")
    for name in ("Assemble", "Test"):
        routing.steps.new(operation=saved("production.routing.operation", name=name, work_center_category=category))
    routing.boms.append(get("production.bom")(bom.id))
    routing.save()
    pump = products["PUMP-1"]
    pump.reload()
    pump.boms.append(get("product.product-production.bom")(bom=get("production.bom")(bom.id), routing=routing))
    pump.save()
    return bom, routing, hall


def make_production(reference, quantity, buttons, products, bom, routing, hall, warehouse):
    production = get("production")(product=products["PUMP-1"], bom=bom, quantity=float(quantity), reference=reference,
                                   planned_date=today + datetime.timedelta(days=2))
    production.warehouse, production.routing, production.work_center = warehouse, routing, hall
    production.save()
    for button in buttons:
        production.click(button)


company, euro = make_company()
make_fiscal_years(company)
accounts, term = make_accounts(company)
make_hub_user(company)
products, parties = make_products(accounts), make_parties()
warehouse, bins = make_bins()
make_stock(bins, products)
north, globe, brass = (parties[name] for name in ("Northern Retail", "Globe Industrial", "Brass & Sons"))
confirmed = ("quote", "confirm")
make_sale(north, "PO-1", (("PUMP-1", 2), ("VALVE-1", 10)), confirmed, term, products, warehouse)
make_sale(globe, "PO-2", (("PUMP-1", 4), ("HOUSING-1", 20)), confirmed, term, products, warehouse)
make_sale(globe, "PO-3", (("PUMP-1", 100),), ("quote",), term, products, warehouse)
make_sale(north, "PO-4", (("HOUSING-1", 1),), (), term, products, warehouse)
for number in range(12):
    make_sale(north, f"KILL-{number}", (("VALVE-1", 3), ("HOUSING-1", 5)), confirmed, term, products, warehouse)
for number in range(6):
    make_purchase(brass, f"BUY-{number}", (("BRASS-1", 40.25), ("SEAL-1", 30)), term, products, warehouse)
bom, routing, hall = make_routing(products)
for number in range(6):
    make_production(f"MAKE-{number}", 4, ("wait", "assign_try", "run"), products, bom, routing, hall, warehouse)
make_production("WAITING", 10, ("wait",), products, bom, routing, hall, warehouse)
