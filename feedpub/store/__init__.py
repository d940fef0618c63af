"""What is remembered between runs, in one SQLite file: a memory, never the truth."""
