"""Returns to the previous version, for targets that keep versions."""

from __future__ import annotations

from feedpub.config import Config, PushTarget
from feedpub.config.push import without_password
from feedpub.errors import ConfigError, PushError
from feedpub.model import Problem
from feedpub.publish.errors import TargetError
from feedpub.publish.history import forget
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.files import VersionedTarget, connect


def roll_back(config: Config, places: dict[str, PushTarget]) -> dict[str, str]:
    """Returns the new current version of each target. Raises `ConfigError` and `PushError`."""
    for name, settings in places.items():
        if not settings.versions:
            what = f"{name} keeps no versions, so there is nothing to go back to"
            remedy = "name a target with versions: (docs/push.md)"
            shown = config.shown(config.path)
            raise ConfigError([Problem(shown, 0, f"push.{name}.versions", what, remedy)])
    versions = {}
    for name, settings in places.items():
        try:
            place = TargetContext(name, settings, config.root, config.state / "push", config.output)
            target = connect(place)
            if isinstance(target, VersionedTarget):
                versions[name] = version = target.roll_back()
                shown = without_password(settings.to)
                forget(config, name, shown, f"rolled back to version {version}")
        except TargetError as error:
            raise PushError(f"{name} ({without_password(settings.to)}): {error}") from None
    return versions
