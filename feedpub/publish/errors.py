"""What can go wrong during a push: with a whole target, with one file, or for a moment.

They derive from `FeedpubError`, and `push` handles all of them: a caller finds them in the result.
"""

from __future__ import annotations

from feedpub.errors import FeedpubError


class TargetError(FeedpubError):
    """A target cannot be used. Nothing else is tried there."""


class ConflictError(TargetError):
    """Another push changed the target after the plan was made."""

    def __init__(self, what: str = "another push has changed it in the meantime") -> None:
        super().__init__(what)


class FileError(FeedpubError):
    """One file cannot be uploaded or deleted. Others may succeed."""


class AlreadyExistsError(FileError):
    """A file that feedpub did not write has the place of a new file."""

    def __init__(self) -> None:
        super().__init__("there is already a file that feedpub did not write")


class GaveUpError(FileError):
    """The last attempt failed, too, or the host asks for too long a wait."""


class TransientError(FeedpubError):
    """A failure that a retry may solve. `after` is Retry-After in seconds, 0 if there is none."""

    def __init__(self, what: str, after: float = 0.0) -> None:
        self.after = after
        super().__init__(what)


class StoppedError(FeedpubError):
    """The push was asked to stop."""
