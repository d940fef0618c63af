"""Everything that can end a run, in one tree; each says which exit code it means.

The codes are promised to scripts: 1 the run could not finish, 2 usage or
configuration, 3 faults found where they were asked for, 4 a push is incomplete.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedpub.model import Problem


class FeedpubError(Exception):
    """Base of all errors that feedpub itself raises; `exit_code` is the process's."""

    exit_code = 1


class ConfigError(FeedpubError):
    """The configuration cannot be used; holds every mistake found, not the first alone."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class RunError(FeedpubError):
    """The run could not finish; the last good output stands."""


class ChangedError(RunError):
    """A record that was there a moment ago is not."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} was changed while feedpub ran; run again")


class ForeignFileError(RunError):
    """A file or link that feedpub did not write is where a feed would go."""

    def __init__(self, output: str, path: str, has_manifest: bool, is_link: bool = False) -> None:
        self.path = f"{output}/{path}"
        if is_link:
            super().__init__(
                f"{self.path}: this symbolic link is in the way of a feed, and feedpub follows no "
                "link below its output folder; put a real folder or file there, or remove it"
            )
            return
        remedy = "move it away, or give another output or feeds.filenames in config.yaml"
        if not has_manifest:
            remedy = (
                f"if it did, {output}/.feedpub.json is missing, which says so: restore that, or "
                f"move the whole folder away and it is made anew; else {remedy}"
            )
        super().__init__(
            f"{self.path}: this file is in the way of a feed, and feedpub did not write it; "
            f"{remedy}"
        )


class LedgerError(RunError):
    """The ledger of ids cannot be read or written; `place` is its path, with the line if one is."""

    def __init__(self, place: str, what: str) -> None:
        self.place = place
        super().__init__(f"{place}: {what}")


class NothingUsableError(RunError):
    """No record is usable where the last run had some: most likely a wrong or unmounted folder."""

    def __init__(self, before: int, read: int, problems: Sequence[Problem]) -> None:
        self.before = before
        self.read = read
        self.problems = tuple(problems)
        self.outcome: object = None  # what the run had found, for its report
        found = f"of {read} found, no record is usable" if read else "no record was found"
        super().__init__(
            f"{found}, where the last run had {before} items; the feeds stand as they were. "
            "Is a disk unmounted, or a folder moved? If it is meant, run with --allow-empty"
        )


class PluginError(FeedpubError):
    """A format or a target of another package cannot be loaded, or does not do what it should."""

    def __init__(self, name: str, what: str) -> None:
        self.name = name
        super().__init__(f"the plugin {name} cannot be used ({what})")


class PushError(FeedpubError):
    """A push is incomplete on at least one target; what was said of it has been shown."""

    exit_code = 4


class LockedError(FeedpubError):
    """Another run works on this output (EX_TEMPFAIL)."""

    exit_code = 75

    def __init__(self, output: str) -> None:
        self.output = output
        super().__init__(f"another run works on {output}/; try again when it has ended")
