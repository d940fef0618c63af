"""The cache between runs, in one SQLite file. Everything in it can be computed again."""
