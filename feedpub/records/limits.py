"""How much a record may hold. Counted, so that no machine and no load decides it."""

from __future__ import annotations

MAX_BODY = 2_000_000  # characters: a feed of twenty such items has 40 MB
MAX_TOPICS = 100  # of a record: each has feeds, and each of these holds the item with all topics
MAX_CONTENT = 4_000_000  # characters of the HTML that it becomes, with absolute addresses
