"""Make N records and a config.yaml to measure feedpub with.

    python benchmarks/make_records.py N DIR

The same N gives the same bytes at every time and on every machine. Keys and sizes are those of a
real corpus of news records; all text is made up. DIR/records must not exist yet.
"""

import argparse
from base64 import b64encode
from bisect import bisect
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, product
from pathlib import Path
from random import Random

SEED = 2026
NEWEST = datetime(2026, 1, 1, tzinfo=UTC)  # every record is older
SPAN = 8 * 365 * 24 * 3600  # seconds over which the dates are spread
PER_FOLDER = 1000

TOPIC_WORDS = (
    "Edge Urban Rural Public Private Open Applied Modern Quantum Marine Solar Medical Digital "
    "Global Local Social Mobile Visual Secure Ethical",
    "robotics transport learning energy farming research teaching design finance safety",
)
PROVIDER_WORDS = (
    "Northern Southern Eastern Western Central Coastal Harbour Valley River Summit Forest Island "
    "Lakeside Prairie Alpine",
    "Herald Gazette Courier Tribune Review Monitor Bulletin Observer Dispatch Journal",
)
PROSE_WORDS = (
    "teams engineers people cities schools clinics models sensors markets reports measure build "
    "share test compare deploy improve explain question support better smaller faster safer "
    "cheaper reliable shared careful early late tools systems methods machines results services "
    "after before during without beyond across within against several many few new old and with "
    "for from"
)
QUOTE = ' \\"Déjà vu,\\" says Zoë Müller.'  # what is not ASCII, and what YAML has to escape

CONFIG = """\
site:
  title: Benchmark news
  url: https://feeds.example.org/
  id: tag:example.org,2026:benchmark
  home: https://example.org/
  description: Made-up records to measure feedpub with
  language: en
  timezone: UTC
records:
  - records
output: feeds
feeds:
  formats: [rss, atom, json]
  items: 20
  topics: true
  providers: true
"""

RECORD = """\
---
category: news
title: "{title}"
excerpt: "{excerpt}"
publishedDateTime: {date:%Y-%m-%dT%H:%M:%SZ}
originalUrl: "https://www.{domain}/{date:%Y/%m}/{slug}/"
webUrl: "https://www.{domain}/{date:%Y/%m}/{slug}/"
type: article
quality: {quality}
heat: {heat}
published: {published}

provider:
  name: {provider}
  domain: {domain}
  images:
    - url: "https://images.example.org/assets/images/organizations/{domain}-50x50.jpg"
      width: 50
      height: 50

topics:
{topics}

images:
  - url: "https://images.example.org/{date:%Y/%m}/{slug}.jpg"
    width: {width}
    height: {height}
    isCached: {cached}

secured: "{secured}"
---
{body}"""

BODY = """
<h2>{heading}</h2>
<p>{first} <a href="https://www.example.org/more">Read more</a>.</p>
<p><strong>{heading}</strong> {second}</p>
<ul><li>{third}</li></ul>
"""


class Draws(Random):
    """Rests on random() and getrandbits() alone: other methods may change with Python."""

    def below(self, limit: int) -> int:
        return int(self.random() * limit)

    def blob(self, size: int) -> str:
        return b64encode(self.getrandbits(8 * size).to_bytes(size, "big")).decode()


class Zipf:
    """Draws names so that the one at rank r comes 1/r times as often as the first."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._sums = list(accumulate(1 / rank for rank in range(1, len(names) + 1)))

    def draw(self, draws: Draws) -> str:
        return self._names[bisect(self._sums, draws.random() * self._sums[-1])]


class Source:
    """All that the records of one benchmark are drawn from."""

    def __init__(self, n: int) -> None:
        self._draws = draws = Draws(SEED)
        self._topics = Zipf(_pairs(TOPIC_WORDS, min(200, max(20, n // 50))))
        self._providers = Zipf(_pairs(PROVIDER_WORDS, min(150, max(15, n // 70))))
        words = PROSE_WORDS.split()
        self._sentences = [
            " ".join(words[draws.below(len(words))] for _ in range(6 + draws.below(5))).capitalize()
            for _ in range(2000)
        ]

    def record(self, number: int) -> tuple[str, str]:
        """The record's file name and text."""
        draws = self._draws
        date = NEWEST - timedelta(seconds=1 + draws.below(SPAN))
        topics = dict.fromkeys(self._topics.draw(draws) for _ in range(1 + draws.below(3)))
        provider = self._providers.draw(draws)
        heading = self._prose(1)[:-1]
        slug = f"{heading.lower().replace(' ', '-')}-{number}"
        quality = draws.below(100)
        text = RECORD.format(
            title=f"{next(iter(topics))}: {heading}",
            excerpt=self._prose(3 + draws.below(3)) + (QUOTE if number % 10 == 0 else ""),
            date=date,
            domain=provider.lower().replace(" ", "-") + ".example",
            slug=slug,
            quality=quality,
            heat=quality,
            published="false" if draws.below(50) == 0 else "true",
            provider=provider,
            topics="\n".join(f"  - {topic}" for topic in topics),
            width=600 + draws.below(1000),
            height=400 + draws.below(600),
            cached="true" if draws.below(2) else "false",
            secured=f"{draws.blob(352)};{draws.blob(16)}",
            body=self._body(heading) if number % 2 else "",
        )
        return f"{date:%Y-%m-%d}-{slug}.md", text

    def _body(self, heading: str) -> str:
        first, second, third = (self._prose(count) for count in (8, 8, 7))
        return BODY.format(heading=heading, first=first, second=second, third=third)

    def _prose(self, count: int) -> str:
        start = self._draws.below(len(self._sentences) - count + 1)
        return ". ".join(self._sentences[start : start + count]) + "."


def _pairs(words: tuple[str, str], count: int) -> list[str]:
    first, second = (part.split() for part in words)
    return [f"{a} {b}" for b, a in product(second, first)][:count]


def make(n: int, folder: Path) -> None:
    """Write n records below folder/records, a thousand to a folder, and folder/config.yaml."""
    source = Source(n)
    records = folder / "records"
    records.mkdir(parents=True)
    (folder / "config.yaml").write_bytes(CONFIG.encode())
    for start in range(0, n, PER_FOLDER):
        part = records / f"{start // PER_FOLDER:03d}"
        part.mkdir()
        for number in range(start, min(start + PER_FOLDER, n)):
            name, text = source.record(number)
            (part / name).write_bytes(text.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description="Make records to measure feedpub with.")
    parser.add_argument("n", metavar="N", type=int, help="how many records")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where to make them")
    arguments = parser.parse_args()
    try:
        make(arguments.n, arguments.folder)
    except FileExistsError as error:
        parser.error(f"{error.filename} is there already; name a new folder")


if __name__ == "__main__":
    main()
