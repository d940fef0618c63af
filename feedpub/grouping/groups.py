"""The groups of feeds: one for each topic, say."""

from __future__ import annotations

from feedpub.config import Config
from feedpub.config.options import AllGroup, Custom, Group
from feedpub.model import Placement


def group_of(config: Config, placement: Placement) -> Group | AllGroup | Custom:
    """The settings that a feed shares with its like."""
    feeds = config.feeds
    if placement.kind == "custom":
        path = placement.feed
        return next(custom for custom in feeds.custom if path == f"custom/{custom.slug}")
    groups: dict[str, Group | AllGroup] = {
        "all": feeds.all,
        "topic": feeds.topics,
        "provider": feeds.providers,
        "topic_provider": feeds.topic_providers,
    }
    return groups[placement.kind]
