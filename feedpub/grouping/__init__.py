"""Records → feeds: which record is in which feed, and the title, path and items of each feed.

Here belong selection, topics and providers, slugs, windows, and assembling `Item` and `Feed`.
All of it is pure: values in, values out. Reading files belongs in `feedpub.records`, writing a
format in `feedpub.formats`, and everything that touches the store in `feedpub.run`.
"""
