"""Client of Mainstay: records that stay available and exact while hosts, disks and networks fail.

    from mainstay import Client

    with Client(["127.0.0.1:7400"]) as client:
        orders = client.collection("orders")
        orders.put("A-1", {"item": "bolt M8", "quantity": 400})
        print(orders.get("A-1").value)
"""
from ._calls import ChangePage, Page
from ._core import Policy
from .aio import AsyncClient, AsyncCollection, AsyncLedger
from .client import Client, Collection, Ledger
from .errors import *  # noqa: F403 - every exception by its name
from .errors import __all__ as _errors
from .model import (ActionResult, Balance, BatchOutcome, Change, Cluster, Committed, Entry, Level,
                    Member, OperationState, Posted, Posting, Record, Reset, Token, Transaction,
                    Version, Written)

__version__ = "0.5.0"
__all__ = ["ActionResult", "AsyncClient", "AsyncCollection", "AsyncLedger", "Balance",
           "BatchOutcome", "Change", "ChangePage", "Client", "Cluster", "Collection", "Committed",
           "Entry", "Ledger", "Level", "Member", "OperationState", "Page", "Policy", "Posted",
           "Posting", "Record", "Reset", "Token", "Transaction", "Version", "Written"]
__all__ += _errors
