"""What can be read of settings that are programs: literals alone, and nothing is run."""

from __future__ import annotations

import re


def literal(text: str, name: str) -> str:
    """The text of `name: "…"` in an object, or of `export const name = "…"`; else "".

    Only at the beginning of a line, or of an object: not in a comment.
    """
    before = r"(?:^|[{,])[ \t]*(?:(?:export[ \t]+)?const[ \t]+)?"
    value = r"""(["'`])([^"'`\\\n$]{1,300})\1"""
    found = re.search(rf"""{before}["']?{name}["']?[ \t]*[:=][ \t]*{value}""", text, re.MULTILINE)
    return found[2] if found else ""
