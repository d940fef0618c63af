"""The cache between runs, in SQLite files. Everything in it can be computed again.

Here belong tables, every SQL statement, and whether a store can be trusted. It only knows the types
of `feedpub.model`: what is stored, and when it is out of date, is decided in `feedpub.run`.
"""
