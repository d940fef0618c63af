"""The ledger file, which keeps ids from changing, and the ids in feeds of other tools."""
