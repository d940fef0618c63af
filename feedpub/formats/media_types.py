"""The Content-Types of the formats that feedpub has, for those who need not load them."""

MEDIA_TYPES = {
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}
