"""Files → records: finding files, parsing them, and sanitizing their content.

Here belongs everything that knows the syntax of records: front matter, keys and aliases, dates,
Markdown and HTML. `scan.py` is the only module that opens files; the others are pure. Which
feeds a record is in belongs in `feedpub.grouping`, processes and the store in `feedpub.run`.
"""
