"""The feeds that feedpub makes, with PyYAML and feedgen: python feeds.py RECORDS OUT

Everything, each topic and each provider, the newest 20 records of each, as RSS and Atom by feedgen,
which knows no JSON Feed: that is a dictionary and json.dumps.
"""

# os.path and open() are faster than Path, and this is to be fast.
# ruff: noqa: PTH103, PTH118, PTH123

import json
import os
import re
import sys
from collections import defaultdict
from datetime import UTC
from mimetypes import guess_type

import yaml
from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

SITE = "https://feeds.example.org/"
HOME = "https://example.org/"
TITLE = "Benchmark news"
NEWEST = 20


def read(path):
    """What feeds need of a record; None for one that is not published."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    end = text.index("\n---\n", 4)
    data = yaml.load(text[4:end], Loader=yaml.CSafeLoader)
    if data.get("published") is False:
        return None
    images = data.get("images")
    image = images[0] if images else None
    date = data["publishedDateTime"]
    return {
        "title": data["title"],
        "link": data["webUrl"],
        "summary": data["excerpt"],
        "content": text[end + 5 :].strip(),
        "date": date if date.tzinfo else date.replace(tzinfo=UTC),
        "topics": data.get("topics") or [],
        "provider": data["provider"],
        "image": image,
        "type": guess_type(image["url"])[0] or "image/jpeg" if image else None,
    }


def walk(folder):
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".md"):
                yield os.path.join(parent, name)


def slug(name):
    return re.sub(r"\W+", "-", name.lower())


def entry(record):
    made = FeedEntry()
    provider = record["provider"]
    made.id(record["link"])
    made.guid(record["link"], permalink=True)
    made.title(record["title"])
    made.link(href=record["link"])
    made.summary(record["summary"])
    if record["content"]:
        made.content(record["content"], type="html")
    made.published(record["date"])
    made.updated(record["date"])
    made.author(name=provider["name"], uri=f"https://{provider['domain']}/")
    made.category([{"term": t, "scheme": SITE + "topics/", "label": t} for t in record["topics"]])
    made.source(f"{SITE}providers/{slug(provider['name'])}/rss.xml", provider["name"])
    if record["image"]:
        made.link(href=record["image"]["url"], rel="enclosure", type=record["type"], length="0")
    return made


def json_item(record):
    provider = record["provider"]
    date = record["date"].isoformat()
    item = {
        "id": record["link"],
        "url": record["link"],
        "title": record["title"],
        "content_html": record["content"],
        "summary": record["summary"],
        "date_published": date,
        "date_modified": date,
        "authors": [{"name": provider["name"], "url": f"https://{provider['domain']}/"}],
        "tags": record["topics"],
    }
    if not record["content"]:
        del item["content_html"]
        item["content_text"] = record["summary"]
    if record["image"]:
        item["image"] = record["image"]["url"]
        item["attachments"] = [{"url": record["image"]["url"], "mime_type": record["type"]}]
    return item


def write(out, path, title, records):
    folder = os.path.join(out, path)
    os.makedirs(folder, exist_ok=True)
    for record in records:
        if "entry" not in record:  # made once however many feeds it is in
            record["entry"], record["json"] = entry(record), json_item(record)
    feed = FeedGenerator()
    feed.id(SITE + path)
    feed.title(title)
    feed.description(title)
    feed.author(name=TITLE, uri=HOME)
    feed.language("en")
    feed.link(href=f"{SITE}{path}atom.xml", rel="self")
    feed.link(href=HOME, rel="alternate")  # the last becomes the link of the RSS channel
    feed.updated(records[0]["date"])
    feed.lastBuildDate(records[0]["date"])
    feed.entry([record["entry"] for record in records], replace=True)
    feed.rss_file(os.path.join(folder, "rss.xml"))
    feed.atom_file(os.path.join(folder, "atom.xml"))
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": HOME,
        "feed_url": f"{SITE}{path}feed.json",
        "description": title,
        "language": "en",
        "authors": [{"name": TITLE, "url": HOME}],
        "items": [record["json"] for record in records],
    }
    with open(os.path.join(folder, "feed.json"), "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False)


def main(folder, out):
    records = [record for path in walk(folder) if (record := read(path))]
    records.sort(key=lambda record: record["link"])
    records.sort(key=lambda record: record["date"], reverse=True)
    feeds = defaultdict(list)
    titles = {"": TITLE}
    for record in records:
        paths = {
            "": TITLE,
            f"providers/{slug(record['provider']['name'])}/": record["provider"]["name"],
        }
        paths |= {f"topics/{slug(topic)}/": topic for topic in record["topics"]}
        for path, name in paths.items():
            if len(feeds[path]) < NEWEST:
                feeds[path].append(record)
                titles.setdefault(path, f"{name} – {TITLE}")
    for path, newest in feeds.items():
        write(out, path, titles[path], newest)


if __name__ == "__main__":
    main(*sys.argv[1:])
