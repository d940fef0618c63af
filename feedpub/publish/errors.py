"""What can go wrong on a target: with all of it, with one file, or for a moment."""

from __future__ import annotations

from feedpub.errors import FeedpubError


class TargetError(FeedpubError):
    """A target cannot be used at all: nothing more is tried there."""


class ConflictError(TargetError):
    """Somebody else has changed what the plan was made from."""

    def __init__(self, what: str = "another push has changed it meanwhile") -> None:
        super().__init__(what)


class FileError(FeedpubError):
    """One file cannot be brought there, or taken away; others may."""


class AlreadyExistsError(FileError):
    """Something that feedpub did not put there is where a file is to go."""

    def __init__(self) -> None:
        super().__init__("a file that feedpub did not put there is in the way")


class TransientError(FeedpubError):
    """What may be gone in a moment; `after` is how many seconds the host asks to wait, 0: none."""

    def __init__(self, what: str, after: float = 0.0) -> None:
        self.after = after
        super().__init__(what)


class GaveUpError(FileError):
    """What was tried as often as it may be."""


class StoppedError(FeedpubError):
    """Somebody wants the push to end."""
