"""The version, for the modules that need nothing else of the package."""

VERSION = "0.1.0"
