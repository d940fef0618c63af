"""Each setting, changed between two runs: the second leaves what a run from nothing leaves.

What a run does again is decided by hashes of the settings that its stages are given. A setting
that was forgotten there would change nothing until the next full run.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from feedpub.config import load_config
from feedpub.config.options import Settings
from feedpub.config.readers import Section
from feedpub.run.generate import generate
from feedpub.run.report import RunOptions, Watch

Tree = dict[str, bytes]
Edit = dict[str, Any]  # dotted key → value; None takes the key out

NOW = datetime(2026, 6, 1, tzinfo=UTC)
UNREACHABLE = "http://127.0.0.1:9/"  # asked for, it refuses at once
SHOW = {
    "category": "Arts > Books", "explicit": False, "type": "episodic", "author": "Ann",
    "owner": {"name": "Olga", "email": "olga@example.org"},
    "image": "https://example.org/show.jpg",
    "funding": [{"url": "https://example.org/give", "text": "Give"}],
    "people": [{"name": "Petra", "role": "host", "group": "cast"}],
    "license": {"name": "cc-by-4.0", "url": "https://example.org/license"},
    "location": [{"name": "Oslo", "rel": "subject", "geo": "geo:59.9,10.7"}],
    "txt": [{"text": "proof", "purpose": "verify"}],
}  # fmt: skip
BASE: dict[str, Any] = {
    "site": {
        "title": "A site", "url": "https://feeds.example.org/", "home": "https://example.org/",
        "id": "tag:example.org,2026:feeds", "author": {"name": "Anna"},
    },
    "records": [{"path": "posts"}, {"path": "shows", "topics": ["Sound"]}],
    "taxonomy": {"topics": "topics"},
    "feeds": {
        "items": 4,
        "topic_providers": {"items": 3},
        "topics": {"where": {"topics": ["Bees", "World", "Sound"]}},
        "custom": [
            {"slug": "best", "where": {"min_quality": 2}},
            {"slug": "heard", "where": {"topics": ["Sound"]}, "podcast": SHOW},
            {"slug": "mailed", "where": {"languages": ["en"]},
             "newsletter": {"parameters": {"by": "mail"}}},
        ],
        "overrides": {"topics/bees": {"title": "All bees"}},
    },
    "images": {"allow": ["127.0.0.1"]},
}  # fmt: skip
RECORDS = {
    "posts/one.md": "title: One\ndate: 2026-01-02 00:30\ntopics: [Bees]\nprovider: Acme\n"
    "type: video\nlanguage: en-GB\nprice: free\nquality: 5\nheat: 7\ncategory: Craft\nname: Uno",
    "posts/two.md": "title: Two\ndate: 2026-01-03\nurl: /two/\ntopics: [Wasps, World]\n"
    "provider: {name: Bolt, domain: bolt.example}\nquality: 2\nheat: 1\nlanguage: de\n"
    f"image: {UNREACHABLE}a.jpg\nprice: paid",
    "posts/three.md": "title: Three\ndate: 2026-01-04\ntopics: [World]\nprovider: Acme\n"
    "images:\n - {url: https://i.example/s.jpg, width: 90, height: 60}\n"
    " - {url: https://i.example/l.jpg, width: 900, height: 600}",
    "posts/draft.md": "title: Draft\ndate: 2026-01-05\ndraft: true\ntopics: [Bees]",
    "posts/late.md": "title: Late\ndate: 2027-01-05\ntopics: [Bees]",
    "posts/bare.md": "title: Bare\ndate: 2026-02-01",
    "posts/more.md": "title: More\ndate: 2026-02-02\ntopics: [Bees, World]\nprovider: Bolt",
    "elsewhere/linked.md": "title: Linked\ndate: 2026-02-04\ntopics: [Bees]",
    "posts/most.md": "title: Most\ndate: 2026-02-03\ntopics: [Bees]\nprovider: Acme\nquality: 4",
    "shows/e1.md": "title: Episode\ndate: 2026-03-01\nurl: https://example.org/e1/\n"
    "audio: {url: https://media.example/e1.mp3, length: 1000}\nimage: cover.png",
    "topics/bees.yaml": "name: Bees\n_id: bees\nparent: World\nimage: /bees.png",
    "providers/acme.yaml": "name: Acme\nurl: /acme/\nimage: https://i.example/acme.png",
}
OTHER_WHERE = {
    "types": ["video"], "languages": ["en"], "categories": ["Craft"], "prices": ["free"],
    "topics": ["Wasps"], "providers": ["Acme"], "min_quality": 4, "min_heat": 5,
}  # fmt: skip
PLACES_OF_WHERE = [
    "feeds.all.where", "feeds.topics.where", "feeds.providers.where",
    "feeds.topic_providers.where", "feeds.custom.0.where",
]  # fmt: skip


def group(key: str) -> dict[str, list[Edit]]:
    """What can be said of a group of feeds."""
    return {
        "title": [{f"{key}.title": "{name} anew"}],
        "description": [{f"{key}.description": "All of {name}"}],
        "items": [{f"{key}.items": 1}],
        "min_items": [{f"{key}.min_items": 3}],
        "include": [{f"{key}.include": ["Bees", "Acme"]}],
        "exclude": [{f"{key}.exclude": ["Bees", "Acme"]}],
        "where": [{f"{key}.where": {"min_quality": 3}}],
        "newsletter": [{f"{key}.newsletter": {"parameters": {"by": "letter"}}}],
        "podcast": [{f"{key}.podcast": SHOW}],
    }


def show(**values: Any) -> list[Edit]:
    return [{f"feeds.custom.1.podcast.{key}": value} for key, value in values.items()]


# Every option, by its section's class, and how it is changed.
CHANGES: dict[str, dict[str, list[Edit]]] = {
    "Settings": {
        "site": [{"site.title": "Another"}],
        "records": [{"records.1": None}],
        "taxonomy": [{"taxonomy": {"providers": "topics"}}],
        "output": [{"output": "public"}],
        "state": [{"state": "memory"}],
        "ids": [{"ids": {"record": "all"}}],
        "fields": [{"fields": {"title": "name"}}],
        "select": [{"select": {"topics": ["World"]}}],
        "feeds": [{"feeds.items": 2}],
        "images": [{"images.enclosure": "none"}],
        "podcast": [{"podcast": SHOW}],
        "websub": [{"websub": {"hubs": ["https://hub.example/"]}}],
        "push": [{"push": {"here": "file:///var/www/feeds"}}],
    },
    "Site": {
        "title": [{"site.title": "Another"}],
        "url": [{"site.url": "https://other.example/f/"}],
        "id": [{"site.id": "tag:example.org,2027:feeds"}],
        "home": [{"site.home": "https://www.example.org/"}],
        "description": [{"site.description": "About it"}],
        "language": [{"site.language": "de"}],
        "timezone": [{"site.timezone": "Asia/Tokyo"}],
        "author": [{"site.author": None}],
        "copyright": [{"site.copyright": "Mine"}],
        "icon": [{"site.icon": "https://example.org/icon.png"}],
        "logo": [{"site.logo": "https://example.org/logo.png"}],
    },
    "author": {
        "name": [{"site.author.name": "Berta"}, {"records.0.author": "Berta"}],
        "email": [{"site.author.email": "anna@example.org"}],
        "url": [{"site.author.url": "https://example.org/anna"}],
    },
    "SourceSpec": {
        "path": [{"records.0.path": "posts/*o*.md"}],
        "follow_links": [{"records.0.follow_links": True}],
        "link": [{"records.0.link": "/{year}/{slug}/"}],
        "provider": [{"records.0.provider": "Zeta"}],
        "topics": [{"records.1.topics": ["World"]}],
        "language": [{"records.0.language": "fr"}],
        "type": [{"records.0.type": "article"}],
        "author": [{"records.0.author": {"name": "Berta", "url": "https://example.org/b"}}],
    },
    "Taxonomy": {
        "topics": [{"taxonomy.topics": "providers"}],
        "providers": [{"taxonomy.providers": "providers"}],
    },
    "Ids": {
        "ledger": [{"ids.ledger": "other.jsonl"}],
        "record": [{"ids.record": "all"}],
    },
    "Select": {
        **{name: [{f"select.{name}": value}] for name, value in OTHER_WHERE.items()},
        "unpublished": [{"select.unpublished": True}],
        "future": [{"select.future": True}],
    },
    "Where": {
        name: [{f"{place}.{name}": value} for place in PLACES_OF_WHERE]
        for name, value in OTHER_WHERE.items()
    },
    "FeedSettings": {
        "formats": [{"feeds.formats": ["atom"]}],
        "items": [{"feeds.items": 2}, {"feeds.items": "all"}],
        "window": [{"feeds.window": "52w"}],
        "filenames": [{"feeds.filenames": {"rss": "index.xml"}}],
        "also_at": [{"feeds.also_at": {"old/feed.xml": "rss.xml", "tags/bees": "topics/bees"}}],
        "content": [{"feeds.content": "excerpt"}],
        "ttl": [{"feeds.ttl": 5}],
        "archives": [{"feeds.archives": "month"}, {"feeds.archives": "year"}],
        "all": [{"feeds.all": False}],
        "topics": [{"feeds.topics": False}],
        "providers": [{"feeds.providers": False}],
        "topic_providers": [{"feeds.topic_providers": False}],
        "custom": [{"feeds.custom": []}],
        "overrides": [{"feeds.overrides": {}}],
    },
    "AllGroup": {
        "title": [{"feeds.all.title": "{site} anew"}],
        "description": [{"feeds.all.description": "All of {site}"}],
        "items": [{"feeds.all.items": 1}],
        "where": [{"feeds.all.where": {"min_quality": 3}}],
        "newsletter": [{"feeds.all.newsletter": True}],
        "podcast": [{"feeds.all.podcast": True}],
    },
    "TopicGroup": group("feeds.topics") | {"path": [{"feeds.topics.path": "t/{slug}"}]},
    "ProviderGroup": group("feeds.providers") | {"path": [{"feeds.providers.path": "p/{slug}"}]},
    "TopicProviderGroup": group("feeds.topic_providers")
    | {"path": [{"feeds.topic_providers.path": "both/{provider}/{topic}"}]},
    "Custom": {
        "slug": [{"feeds.custom.0.slug": "finest"}],
        "title": [{"feeds.custom.0.title": "The best"}],
        "description": [{"feeds.custom.0.description": "The best of all"}],
        "image": [{"feeds.custom.0.image": "https://example.org/best.png"}],
        "items": [{"feeds.custom.0.items": 1}],
        "where": [{"feeds.custom.0.where": {"topics": ["World"]}}],
        "newsletter": [{"feeds.custom.0.newsletter": {"parameters": {"by": "post"}}}],
        "podcast": [{"feeds.custom.0.podcast": SHOW}],
    },
    "Override": {
        "title": [{"feeds.overrides.topics/bees.title": "Bees only"}],
        "description": [{"feeds.overrides.topics/bees.description": "Bees, and no wasps"}],
        "image": [{"feeds.overrides.topics/bees.image": "https://example.org/bee.png"}],
        "items": [{"feeds.overrides.topics/bees.items": 1}],
        "newsletter": [{"feeds.overrides.topics/bees.newsletter": {"parameters": {"by": "m"}}}],
        "podcast": [{"feeds.overrides.topics/bees.podcast": True}],
    },
    "Newsletter": {"parameters": [{"feeds.custom.2.newsletter.parameters": {"by": "post"}}]},
    "PodcastSettings": {
        name: show(**{name: value})
        for name, value in {
            "category": "Technology", "explicit": True, "type": "serial", "author": "Bea",
            "owner": {"name": "Oskar", "email": "oskar@example.org"},
            "image": "https://example.org/other.jpg", "block": True, "complete": True,
            "new_feed_url": "https://example.org/new.xml",
            "guid": "917393e3-1b1e-5cef-ace4-edaa54e1f810", "locked": True,
            "funding": [{"url": "https://example.org/other", "text": "Pay"}],
            "people": [{"name": "Paula"}], "medium": "audiobook",
            "license": {"name": "cc0-1.0"}, "location": [{"name": "Rome"}],
            "txt": [{"text": "other"}], "prefix": "https://count.example/",
        }.items()
    },
    "owner": {
        "name": show(owner={"name": "Oskar", "email": "olga@example.org"}),
        "email": show(owner={"name": "Olga", "email": "oskar@example.org"}),
    },
    "funding": {
        "url": show(funding=[{"url": "https://example.org/pay", "text": "Give"}]),
        "text": show(funding=[{"url": "https://example.org/give", "text": "Pay"}]),
    },
    "people": {
        name: show(people=[{"name": "Petra", "role": "host", "group": "cast"} | {name: value}])
        for name, value in {
            "name": "Paula", "role": "guest", "group": "writing",
            "image": "https://example.org/p.png", "url": "https://example.org/p",
        }.items()
    },
    "license": {
        "name": show(license={"name": "mine", "url": "https://example.org/license"}),
        "url": show(license={"name": "cc-by-4.0", "url": "https://example.org/other"}),
    },
    "location": {
        name: show(location=[{"name": "Oslo", "rel": "subject", "geo": "geo:59.9,10.7"}
                             | {name: value}])
        for name, value in {
            "name": "Bergen", "rel": "creator", "geo": "geo:60,5", "osm": "R1", "country": "no",
        }.items()
    },
    "txt": {
        "text": show(txt=[{"text": "other", "purpose": "verify"}]),
        "purpose": show(txt=[{"text": "proof", "purpose": "other"}]),
    },
    "Images": {
        "enclosure": [{"images.enclosure": "none"}, {"images.enclosure": "largest"}],
        "probe": [{"images.probe": "http"}],
        "budget": [{"images": {"probe": "http", "budget": "1m", "allow": ["127.0.0.1"]}}],
        "allow": [{"images": {"probe": "http", "allow": []}}],
        "min_size": [{"images.min_size": 100}],
        "fallback": [{"images.fallback": ["site"], "site.icon": "https://example.org/i.png"}],
        "mirror": [{"images.mirror": True}],
        "sizes": [{"images": {"mirror": True, "sizes": [300], "allow": ["127.0.0.1"]}}],
    },
    "Websub": {"hubs": [{"websub.hubs": ["https://hub.example/"]}]},
}  # fmt: skip
# These say how a host is fed, and nothing of the files.
OF_PUSHING = {"PushTarget"}
# And these say how a run works; no byte depends on them, for want of hosts that answer.
WITHOUT_TRACE = {
    "Settings.output", "Settings.state", "Settings.ids", "Settings.push", "Ids.ledger",
    "Ids.record", "Images.probe", "Images.budget", "Images.allow", "Images.mirror", "Images.sizes",
}  # fmt: skip
ROWS = [
    pytest.param(f"{section}.{name}", edit, id=f"{section}.{name}-{n}")
    for section, options in CHANGES.items()
    for name, edits in options.items()
    for n, edit in enumerate(edits)
]


def sections(name: str, section: Section, found: dict[str, set[str]]) -> dict[str, set[str]]:
    """The options of a section and of all below it, by the names of their sections."""
    # Several sections make a Person, say: these go by the option that holds them.
    name = name if section.keys else section.cls.__name__
    if name not in found:
        options = section.options()
        found[name] = set(options)
        for option, field in options.items():
            for below in _read_by(field.metadata["reader"]):
                sections(option, below, found)
    return found


def _read_by(reader: Any) -> Iterator[Section]:
    if isinstance(reader, Section):
        yield reader
    for part in ("item", "value", "first", "second"):
        if hasattr(reader, part):
            yield from _read_by(getattr(reader, part))


def test_every_option_is_changed_here() -> None:
    """A new option needs a line in CHANGES: how to change it so that the feeds do, too."""
    every = sections("", Section(Settings), {})
    for section in OF_PUSHING:
        assert every.pop(section)
    assert every == {section: set(options) for section, options in CHANGES.items()}


def changed(edit: Edit) -> dict[str, Any]:
    """The settings with some values replaced."""
    settings = copy.deepcopy(BASE)
    for key, value in edit.items():
        *above, last = key.split(".")
        place: Any = settings
        for name in above:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
            assert isinstance(place, dict | list), key
        if isinstance(place, list):
            place[int(last) : int(last) + 1] = [] if value is None else [value]
        elif value is None:
            del place[last]
        else:
            place[last] = value
    return settings


class Site:
    """A site whose settings change from run to run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in RECORDS.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            whole = text if name.endswith(".yaml") else f"---\n{text}\n---\nSome *text*.\n"
            file.write_text(whole, encoding="utf-8")
        (root / "shows/cover.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture, but a file")
        (root / "posts/linked.md").symlink_to("../elsewhere/linked.md")
        self.base = self.run(BASE)

    def run(self, settings: dict[str, Any]) -> Tree:
        """What a run leaves."""
        file = self.root / "config.yaml"
        file.write_text(json.dumps(settings), encoding="utf-8")
        config = load_config(file, {})
        generate(config, RunOptions(NOW, jobs=1), Watch())
        files = (path for path in config.output.rglob("*") if path.is_file())
        return {path.relative_to(config.output).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> list[Site]:
    """The site of the test before, if it left it as it was."""
    return [Site(tmp_path_factory.mktemp("site"))]


@pytest.fixture
def site(sites: list[Site], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that has run with the settings of BASE."""
    found = sites[0] if sites else Site(tmp_path_factory.mktemp("site"))
    sites.clear()
    yield found
    # A ledger is an input: what a test added to it is not for the next.
    if not list(found.root.glob("*.jsonl")) and found.run(BASE) == found.base:
        sites.append(found)


@pytest.mark.parametrize(("option", "edit"), ROWS)
def test_a_changed_option_gives_what_a_full_run_gives(
    site: Site, tmp_path: Path, option: str, edit: Edit
) -> None:
    settings = changed(edit)
    found = site.run(settings)
    fresh = tmp_path / "fresh"
    output, state = (settings.get(key, usual) for key, usual in
                     (("output", "feeds"), ("state", ".feedpub")))  # fmt: skip
    passed_over = shutil.ignore_patterns(output, state)
    shutil.copytree(site.root, fresh, symlinks=True, ignore=passed_over)
    shutil.rmtree(fresh / "feeds", ignore_errors=True)
    full = Site.__new__(Site)
    full.root = fresh
    assert full.run(settings) == found
    assert (found != site.base) == (option not in WITHOUT_TRACE), "the feeds do not show it"
    assert site.run(BASE) == site.base
