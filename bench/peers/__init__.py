"""The systems Mainstay is measured against: each started as its package ships it, on loopback, with real disk flushes."""
from .etcd import Etcd
from .galera import Galera
from .nats import Nats
from .postgres import Postgres

PEERS = {peer.name: peer for peer in (Etcd, Postgres, Galera, Nats)}
