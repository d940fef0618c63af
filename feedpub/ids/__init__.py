"""The ids that must not change: the ledger that keeps them, and those of other tools' feeds."""
