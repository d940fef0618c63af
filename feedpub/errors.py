"""The errors that feedpub raises: one tree, with `FeedpubError` at its root.

This module defines the errors that can end a command or leave the library. An error that
one room raises and another handles is defined in the room that raises it: `UrlError`,
`DateError`, `ParseError`, `UnreadableError`, `RefusedError` and others. All derive from
`FeedpubError`. Mistakes in records are not exceptions but values (`feedpub.model.Problem`).

Exit codes belong to the command line (`feedpub.cli`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedpub.model import Problem


class FeedpubError(Exception):
    """The base of all errors that feedpub raises. The message is one sentence for the user."""


class ConfigError(FeedpubError):
    """The configuration is invalid. `problems` holds every mistake in it, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class RunError(FeedpubError):
    """The run cannot finish. The output of the last successful run is unchanged."""


class ChangedError(RunError):
    """A record changed or disappeared during the run."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} was changed during the run; run feedpub again")


class ForeignFileError(RunError):
    """A file or link that feedpub did not write is where a feed would go."""

    def __init__(self, output: str, path: str, has_manifest: bool, is_link: bool = False) -> None:
        self.path = f"{output}/{path}"
        if is_link:
            super().__init__(
                f"{self.path}: this symbolic link is where a feed would be written, and feedpub "
                "follows no link below its output folder; replace it with a real folder or "
                "file, or remove it"
            )
            return
        remedy = "move it away, or change output or feeds.filenames in config.yaml"
        if not has_manifest:
            remedy = (
                f"if it did, {output}/.feedpub.json, which lists its files, is missing: restore "
                f"it, or move the whole folder away and run again; otherwise {remedy}"
            )
        super().__init__(
            f"{self.path}: this file is where a feed would be written, but feedpub did not write "
            f"it; {remedy}"
        )


class LedgerError(RunError):
    """The ledger of ids cannot be read or written. `place` is its path, with a line if known."""

    def __init__(self, place: str, what: str) -> None:
        self.place = place
        super().__init__(f"{place}: {what}")


class NothingUsableError(RunError):
    """No record is usable, but the last run had some. The folder is probably wrong or unmounted."""

    def __init__(self, before: int, read: int, problems: Sequence[Problem]) -> None:
        self.before = before
        self.read = read
        self.problems = tuple(problems)
        self.outcome: object = None  # the `RunOutcome` of the run, for its report
        found = f"none of the {read} records is usable" if read else "no record was found"
        super().__init__(
            f"{found}, but the last run had {before} items; the feeds were not changed. "
            "Is a disk unmounted, or was a folder moved? If this is intended, run with "
            "--allow-empty"
        )


class NotFoundError(FeedpubError):
    """A path that was asked for does not exist, or no source reads it."""

    def __init__(self, path: str, what: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}; {remedy}")


class PluginError(FeedpubError):
    """A format or target from another package cannot be loaded, or misbehaves."""

    def __init__(self, name: str, what: str) -> None:
        self.name = name
        super().__init__(f"the plugin {name} cannot be used ({what})")


class PushError(FeedpubError):
    """A push is incomplete on at least one target. Details were already reported."""


class LockedError(FeedpubError):
    """Another run is using this output."""

    def __init__(self, output: str) -> None:
        self.output = output
        super().__init__(f"another run is using {output}/; try again when it has finished")
