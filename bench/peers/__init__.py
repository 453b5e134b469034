"""The systems Mainstay is measured against: each started as its package ships it, on loopback, with real disk flushes."""
