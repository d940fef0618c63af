"""What is wrong with a YAML text, in words that tell what to do."""

from __future__ import annotations

import yaml

# What libyaml says → what most often mends it.
_REMEDIES = (
    ("mapping values are not allowed", "put quotes around a value that has a colon in it"),
    (
        "did not find expected key",
        "look for a wrong indent or a quote inside quotes, here or above",
    ),
    ("expected <block end>", "look for a wrong indent or a quote inside quotes, here or above"),
    ("cannot start any token", "put quotes around a value that begins with % @ or `"),
    ("expected alphabetic or numeric", "put quotes around a value that begins with * or &"),
    ("undefined alias", "put quotes around a value that begins with *"),
    ("nesting", "flatten it"),
    ("escape", "double the backslash, or use single quotes"),
    ("document", "keep one document in a file, or write a list"),
    ("control characters", "take that character out"),
)


def explain(error: yaml.YAMLError, text: str) -> tuple[str, str, int]:
    """What is wrong, what to do, and the 1-based line (0 where there is none to name)."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return str(getattr(error, "reason", error)), "take that character out", 0
    problem = str(error.problem or error.context or "it makes no sense")
    line = error.problem_mark.line + 1 if error.problem_mark else 0
    written = text.split("\n")[line - 1 : line]
    # Some faults are seen where YAML gives up, the line after.
    if any("\t" in part[: len(part) - len(part.lstrip())] for part in written):
        return f"{problem}, a tab", "put spaces in the place of tabs", line
    for sign, remedy in _REMEDIES:
        if sign in problem or sign in str(error.context or ""):
            return problem, remedy, line
    return problem, "mend the line, or the one before it", line
