"""The steps of a run, in the order of `generate.py`: files → store → feeds → output folder.

Here belongs what needs files, the store, processes or the output folder. Pure functions belong in
`feedpub.records`, `feedpub.grouping` and `feedpub.formats`, statements in `feedpub.store`, and
everything that prints in `feedpub.cli`.
"""
