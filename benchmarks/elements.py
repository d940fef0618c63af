"""Tables of what feeds hold: python benchmarks/elements.py NAME=FOLDER [NAME=FOLDER …]

Each folder holds the feeds that one tool made of the same records. A file counts by what is in
it, whatever its name. For each format there is a table of the feed's elements and one of its
items'. A cell says in how many items the element is, or, of the feed, "yes". What stands in
brackets are attributes and parts that are there whenever the element is, in each of the tools; one
that is not has a row of its own. Links are told apart by their `rel`.

Extensions of JSON Feed (keys that begin with `_`) are one row each. After the tables come the
elements that the first tool lacks and another has.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ATOM = "http://www.w3.org/2005/Atom"
PREFIXES = {
    ATOM: "atom",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.w3.org/XML/1998/namespace": "xml",
}
RSS, ATOM_FEED, JSON_FEED = "RSS 2.0", "Atom 1.0", "JSON Feed 1.1"
PARTS = {RSS: ("channel", "item"), ATOM_FEED: ("feed", "entry"), JSON_FEED: ("feed", "item")}

Path_ = tuple[str, ...]  # of an element below its feed or item
Held = dict[str, set[Path_]]  # by item
Made = dict[str, tuple[set[Path_], Held]]  # by format: what the feeds hold, what each item holds


def read(folder: Path) -> Made:
    """All feeds below a folder; an item that is in several counts once, with all that it has."""
    made: Made = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in {".xml", ".json", ".atom", ".rss"} or not path.is_file():
            continue
        for name, feed, items in _json(path) if path.suffix == ".json" else _xml(path):
            feeds, held = made.setdefault(name, (set(), {}))
            feeds |= feed
            for key, paths in items:
                held.setdefault(key, set()).update(paths)
    return made


Found = Iterator[tuple[str, set[Path_], list[tuple[str, set[Path_]]]]]


def _xml(path: Path) -> Found:
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314 - feeds of our own records
    except ElementTree.ParseError as error:
        raise ValueError(f"{path} is no XML: {error}") from error
    if root.tag == "rss" and (channel := root.find("channel")) is not None:
        items = channel.findall("item")
        key, own = "title", ""
        name, top = RSS, channel
        channel.attrib.update(root.attrib)
    elif root.tag == f"{{{ATOM}}}feed":
        items = root.findall(f"{{{ATOM}}}entry")
        key, own = f"{{{ATOM}}}title", ATOM
        name, top = ATOM_FEED, root
    else:
        return
    for item in items:
        top.remove(item)
    found = [((item.findtext(key) or "").strip(), set(_elements(item, own))) for item in items]
    yield name, set(_elements(top, own)), found


def _elements(parent: ElementTree.Element, own: str, above: Path_ = ()) -> Iterator[Path_]:
    """The paths of all that is said below an element, attributes (like @url) included."""
    for attribute, value in parent.attrib.items():
        if value and not (attribute == "rel" and above[-1].endswith("]")):
            yield (*above, f"@{_name(attribute, own)}")
    for child in parent:
        name = _name(child.tag, own)
        if name.removeprefix("atom:") == "link" and "href" in child.attrib:
            name = f"{name}[{child.get('rel', 'alternate')}]"
        if len(child) or child.attrib or (child.text or "").strip():
            yield (*above, name)
            yield from _elements(child, own, (*above, name))


def _name(tag: str, own: str) -> str:
    """As feeds usually write it; those of the format itself without a prefix."""
    namespace, _, local = tag.removeprefix("{").rpartition("}")
    return local if namespace in {"", own} else f"{PREFIXES.get(namespace, namespace)}:{local}"


def _json(path: Path) -> Found:
    feed = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(feed, dict) or "jsonfeed.org" not in str(feed.get("version")):
        return
    items = feed.pop("items")
    yield (
        JSON_FEED,
        set(_keys(feed)),
        [(str(item.get("title")), set(_keys(item))) for item in items],
    )


def _keys(value: Any, above: Path_ = ()) -> Iterator[Path_]:
    if isinstance(value, list):
        for part in value:
            yield from _keys(part, above)
    elif isinstance(value, dict):
        for key, part in value.items():
            if part not in ("", None, [], {}):
                yield (*above, key)
                if not key.startswith("_"):
                    yield from _keys(part, (*above, key))


def rows(tools: dict[str, Made], name: str, part: int) -> dict[Path_, list[int]]:
    """In how many of each tool's items (of its feeds: 0 or 1) an element is; in order."""
    counted: dict[Path_, list[int]] = {}
    for n, made in enumerate(tools.values()):
        feeds, held = made.get(name, (set(), {}))
        for paths in [feeds] if part == 0 else held.values():
            for path in paths:
                counted.setdefault(path, [0] * len(tools))[n] += 1
    return dict(sorted(counted.items(), key=lambda row: [_order(step) for step in row[0]]))


def _order(step: str) -> tuple[bool, bool, str]:
    """The format's own elements, then those of others, then extensions."""
    return step.startswith("_"), ":" in step, step


def table(counted: dict[Path_, list[int]], tools: list[str], part: int) -> str:
    """Markdown; what is there whenever its element is, is named with it."""
    named: dict[Path_, list[str]] = {}
    for path, counts in counted.items():
        above = path[:-1]
        while above and above not in named:
            above = above[:-1]
        if above and counted[above] == counts:
            named[above].append("/".join(path[len(above) :]))
        else:
            named[path] = []
    lines = [" | ".join(("", "element", *tools, "")).strip(), "| --- |" + " :-: |" * len(tools)]
    for path, parts in named.items():
        label = f"`{'/'.join(path)}`" + (f" ({', '.join(parts)})" if parts else "")
        cells = ["yes" if part == 0 and n else str(n) if n else "" for n in counted[path]]
        lines.append(" | ".join(("", label, *cells, "")).strip())
    return "\n".join(lines)


def lacking(counted: dict[Path_, list[int]], tools: list[str]) -> Iterator[str]:
    """What the first tool lacks and others have; of what is below that, nothing."""
    for path, (first, *others) in counted.items():
        if not first and (len(path) == 1 or counted.get(path[:-1], [1])[0]):
            who = [tool for tool, n in zip(tools[1:], others, strict=True) if n]
            yield f"`{'/'.join(path)}`: {', '.join(who)}"


def main() -> None:
    given = [argument.partition("=") for argument in sys.argv[1:]]
    if not given or not all(folder and Path(folder).is_dir() for _, _, folder in given):
        sys.exit(__doc__)
    try:
        made = {name: read(Path(folder)) for name, _, folder in given}
    except ValueError as error:
        sys.exit(str(error))
    missing: list[str] = []
    for name, parts in PARTS.items():
        tools = {tool: feeds for tool, feeds in made.items() if name in feeds}
        for part, called in enumerate(parts):
            counted = rows(tools, name, part)
            print(f"### {name}: {called}\n\n{table(counted, list(tools), part)}\n")
            missing += (f"- {name}, {called}: {line}" for line in lacking(counted, list(tools)))
    print(f"### Lacking in {next(iter(made))}\n\n" + ("\n".join(missing) or "Nothing.") + "\n")


if __name__ == "__main__":
    main()
