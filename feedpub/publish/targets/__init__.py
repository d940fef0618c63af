"""The kinds of targets: one module each, with a function `connect`, imported when it is used."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple

from feedpub import plugins
from feedpub.config import PushTarget
from feedpub.config.target_kinds import TARGET_KINDS
from feedpub.errors import PluginError
from feedpub.installation import missing
from feedpub.publish.errors import TargetError, TransientError
from feedpub.publish.targets.address import ParsedAddress, read_address
from feedpub.publish.types import Target


class TargetContext(NamedTuple):
    """A target's settings, and the folders that it may use."""

    name: str
    settings: PushTarget
    root: Path  # of config.yaml; its paths are relative to it
    state: Path  # for files that a target keeps on this machine
    output: Path

    @property
    def address(self) -> ParsedAddress:
        """The parsed address, with the password from the settings, environment or ~/.netrc."""
        return read_address(self.settings.to, self.settings.password)

    def jobs(self, usual: int) -> int:
        """Number of parallel requests."""
        return self.settings.jobs or usual

    def path(self, text: str) -> Path | None:
        """The path of a setting, None if it is empty."""
        return self.root / Path(text).expanduser() if text else None

    def scrub(self, text: str) -> str:
        """A message without passwords."""
        for secret in self.address.secrets:
            text = text.replace(secret, "…")
        return text


def open_target(place: TargetContext) -> Target:
    """Connects to a target; raises `TargetError` or `TransientError`."""
    scheme = place.address.scheme
    if scheme not in TARGET_KINDS:
        return _open_plugin(scheme, place)
    kind = TARGET_KINDS[scheme]
    try:
        module = importlib.import_module(f"feedpub.publish.targets.{kind.module}")
        target: Target = module.connect(place)
    except ImportError as error:
        if not kind.extra:
            raise
        raise TargetError(missing(str(error.name), kind.extra)) from None
    return target


def _open_plugin(scheme: str, place: TargetContext) -> Target:
    """A target of another package."""
    try:
        target: Target = plugins.load(plugins.TARGETS, scheme)(place)
    except (TargetError, TransientError):
        raise
    except PluginError as error:
        raise TargetError(str(error)) from error
    except (Exception, SystemExit) as error:
        raise TargetError(fault_of(scheme, error)) from error
    return target


def fault_of(scheme: str, error: BaseException) -> str:
    """An exception that a target must not raise, as a message: it names a plugin's package."""
    what = f"{type(error).__name__}: {error}"
    if scheme in TARGET_KINDS:
        return f"internal error ({what})"
    return str(PluginError(plugins.origin(plugins.TARGETS, scheme), what))
