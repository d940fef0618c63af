"""feedpub publishes records with YAML front matter as RSS, Atom and JSON feeds.

As a library (docs/library.md)::

    import feedpub

    config = feedpub.load_config("config.yaml")
    outcome = feedpub.generate(config)
    for problem in feedpub.check(config).problems:
        print(problem)
    feedpub.push(config)

What fails raises a `FeedpubError`; nothing is printed. Everything else in this
package is private, and may change in any release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feedpub.version import VERSION as __version__

if TYPE_CHECKING:
    from feedpub.api import PushOutcome, check, generate, load_config, push, render
    from feedpub.config import Config
    from feedpub.errors import (
        ConfigError,
        FeedpubError,
        LedgerError,
        LockedError,
        NotFoundError,
        NothingUsableError,
        PluginError,
        RunError,
    )
    from feedpub.formats import Format
    from feedpub.model import Enclosure, Feed, FeedLink, Item, Person, Problem
    from feedpub.publish.errors import (
        AlreadyExistsError,
        ConflictError,
        FileError,
        TargetError,
        TransientError,
    )
    from feedpub.publish.targets import TargetContext
    from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload
    from feedpub.run.checking import CheckResult
    from feedpub.run.report import RunOutcome

__all__ = [
    "AlreadyExistsError",
    "Capabilities",
    "CheckResult",
    "Config",
    "ConfigError",
    "ConflictError",
    "Enclosure",
    "Feed",
    "FeedLink",
    "FeedpubError",
    "FileError",
    "Format",
    "Item",
    "LedgerError",
    "ListedFile",
    "LockedError",
    "NotFoundError",
    "NothingUsableError",
    "Person",
    "PluginError",
    "Problem",
    "PushOutcome",
    "RemoteFile",
    "RunError",
    "RunOutcome",
    "Target",
    "TargetContext",
    "TargetError",
    "TransientError",
    "Upload",
    "__version__",
    "check",
    "generate",
    "load_config",
    "push",
    "render",
]

_MODULES = {
    "feedpub.api": ("PushOutcome", "check", "generate", "load_config", "push", "render"),
    "feedpub.config": ("Config",),
    "feedpub.errors": (
        "ConfigError",
        "FeedpubError",
        "LedgerError",
        "LockedError",
        "NotFoundError",
        "NothingUsableError",
        "PluginError",
        "RunError",
    ),
    "feedpub.formats": ("Format",),
    "feedpub.model": ("Enclosure", "Feed", "FeedLink", "Item", "Person", "Problem"),
    "feedpub.publish.errors": (
        "AlreadyExistsError",
        "ConflictError",
        "FileError",
        "TargetError",
        "TransientError",
    ),
    "feedpub.publish.targets": ("TargetContext",),
    "feedpub.publish.types": ("Capabilities", "ListedFile", "RemoteFile", "Target", "Upload"),
    "feedpub.run.checking": ("CheckResult",),
    "feedpub.run.report": ("RunOutcome",),
}


if not TYPE_CHECKING:  # otherwise type checkers would accept any name

    def __getattr__(name: str) -> Any:
        """Loads a public name when it is first used (PEP 562): `feedpub --version` needs none."""
        for module, names in _MODULES.items():
            if name in names:
                from importlib import import_module

                value = getattr(import_module(module), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module 'feedpub' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
