"""Ids that must not change: the ledger file, and the ids in feeds of other tools."""
