"""Look whether a peer made the feeds that it is measured for."""

import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

from peers import ALL, TOPIC, Peer

ATOM = "{http://www.w3.org/2005/Atom}"


def check(peer: Peer, made: Path, feedpub: Path) -> list[str]:
    """What is wrong with what peer made, compared with feedpub's output.

    Records are edited between runs, and a peer may have a copy from before: edits do not count.
    """
    feeds = json.loads((feedpub / "feeds.json").read_text(encoding="utf-8"))["feeds"]
    wanted = len(feeds) * len(peer.makes.split(", "))
    files = sum(len(names) for _, _, names in os.walk(made))
    faults = [] if files == wanted else [f"{files} files instead of {wanted}"]
    topics = [feed for feed in feeds if feed["kind"] == "topic"]
    largest = max(topics, key=lambda feed: int(feed["total"]))["path"]
    for kind, folder in ((ALL, ""), (TOPIC, largest)):
        expected = titles(feedpub / folder / "feed.json")
        for path in peer.feed_paths(kind, Path(folder).name):
            try:
                found = titles(made / path)
            except (OSError, ValueError, ElementTree.ParseError) as error:
                faults.append(f"{path}: {error}")
                continue
            if found != expected:
                faults.append(f"{path}: {len(found)} items, not the {len(expected)} of feedpub")
    return faults


def titles(feed: Path) -> list[str]:
    if feed.suffix == ".json":
        items = json.loads(feed.read_text(encoding="utf-8"))["items"]
        return [unedited(item["title"]) for item in items]
    root = ElementTree.parse(feed).getroot()  # noqa: S314 - a feed of our own records
    found = (
        root.iterfind("channel/item/title")
        if root.tag == "rss"
        else root.iterfind(f"{ATOM}entry/{ATOM}title")
    )
    return [unedited(title.text or "") for title in found]


def unedited(title: str) -> str:
    return re.sub(r"^Edit \d+: ", "", title)
