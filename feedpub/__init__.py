"""feedpub publishes records with YAML front matter as RSS, Atom and JSON feeds."""

__version__ = "0.1.0"
