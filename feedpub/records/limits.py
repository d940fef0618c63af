"""How large a record's content may be. Counted, so that no machine and no load decides it."""

from __future__ import annotations

MAX_BODY = 2_000_000  # characters: a feed of twenty such items has 40 MB
MAX_CONTENT = 4_000_000  # characters of the HTML that it becomes, with absolute addresses
