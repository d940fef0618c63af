"""Reads literals from settings that are JavaScript programs, without running them."""

from __future__ import annotations

import re


def literal(text: str, name: str) -> str:
    """The text of `name: "…"` in an object, or of `export const name = "…"`, "" if not found.

    It must be at the start of a line or an object, so comments are ignored.
    """
    before = r"(?:^|[{,])[ \t]*(?:(?:export[ \t]+)?const[ \t]+)?"
    value = r"""(["'`])([^"'`\\\n$]{1,300})\1"""
    found = re.search(rf"""{before}["']?{name}["']?[ \t]*[:=][ \t]*{value}""", text, re.MULTILINE)
    return found[2] if found else ""
