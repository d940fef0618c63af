"""The output folder: changes are staged, then moved into place together.

Here belong the manifest, the journal, and the check that feedpub only replaces its own files.
What the files contain belongs in `feedpub.formats`, which files there are in `feedpub.run`.
"""
