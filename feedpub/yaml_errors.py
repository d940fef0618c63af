"""Explanations of YAML syntax errors, with what to do about them."""

from __future__ import annotations

import yaml

# Part of a libyaml message → what most often fixes it.
_REMEDIES = (
    ("mapping values are not allowed", "put quotes around a value that contains a colon"),
    (
        "did not find expected key",
        "look for wrong indentation or a quote inside quotes, here or above",
    ),
    ("expected <block end>", "look for wrong indentation or a quote inside quotes, here or above"),
    ("cannot start any token", "put quotes around a value that begins with % @ or `"),
    ("expected alphabetic or numeric", "put quotes around a value that begins with * or &"),
    ("undefined alias", "put quotes around a value that begins with *"),
    ("nesting", "reduce the nesting"),
    ("escape", "double the backslash, or use single quotes"),
    ("document", "keep one document per file, or write a list"),
    ("control characters", "remove that character"),
)


def explain(error: yaml.YAMLError, text: str) -> tuple[str, str, int]:
    """What is wrong, what to do, and the 1-based line (0 if unknown)."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return str(getattr(error, "reason", error)), "remove that character", 0
    problem = str(error.problem or error.context or "the syntax is invalid")
    line = error.problem_mark.line + 1 if error.problem_mark else 0
    written = text.split("\n")[line - 1 : line]
    # The parser may report an error one line after its cause.
    if any("\t" in part[: len(part) - len(part.lstrip())] for part in written):
        return f"{problem}, a tab", "replace tabs with spaces", line
    for sign, remedy in _REMEDIES:
        if sign in problem or sign in str(error.context or ""):
            return problem, remedy, line
    return problem, "fix this line, or the one before it", line
