"""Records → `Item`; windows of records → `Feed`."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from feedpub.config import SCHEMA_NAME, Config
from feedpub.config.options import Group, Images, Site
from feedpub.grouping.place import group_of
from feedpub.grouping.podcast import podcast_of, settings_of
from feedpub.grouping.terms import Taxonomies
from feedpub.grouping.window import WindowRule
from feedpub.media.types import type_of
from feedpub.model import (
    Category,
    Enclosure,
    Feed,
    FeedLink,
    Item,
    Person,
    Placement,
    Profile,
    Provider,
    Record,
    RecordHead,
    Source,
    Term,
    global_id,
)

# The type of an image if neither its record nor its URL gives it. RSS requires a type, and
# nearly all images of unknown type on the web have this one.
LIKELY_IMAGE_TYPE = "image/jpeg"
ITEMS = 20  # default number of items in a feed
_ORDER = {"audio": 0, "video": 1}


class FormatName(NamedTuple):
    """The part of a format that the URLs of a feed depend on."""

    name: str
    media_type: str


class ItemRules(NamedTuple):
    """Every setting that items depend on, except those in the `Profile` of their feed."""

    site: Site
    images: Images
    content: str
    formats: tuple[FormatName, ...]
    filenames: Mapping[str, str]
    topic_path: str
    provider_path: str

    @classmethod
    def of(cls, config: Config, formats: Iterable[FormatName]) -> ItemRules:
        """The rules of a configuration."""
        feeds = config.feeds
        return cls(
            config.site,
            config.settings.images,
            feeds.content,
            tuple(formats),
            feeds.filenames,
            feeds.topics.path,
            feeds.providers.path,
        )


class ItemAssembler:
    """Makes items from records. The result depends on the arguments of the constructor only."""

    def __init__(self, rules: ItemRules, terms: Taxonomies, existing: Iterable[str]) -> None:
        """`existing` are the paths of all feeds. Items link to no others."""
        self.rules = rules
        self.existing = frozenset(existing)
        self._site = rules.site
        self._terms = terms
        self._links: dict[str, tuple[FeedLink, ...]] = {}
        self._categories: dict[str, Category] = {}
        self._topic_scheme = self._site.url + rules.topic_path.partition("{")[0]

    def topic_path(self, term: Term) -> str:
        """The path of the feed of a topic."""
        return self.rules.topic_path.replace("{slug}", term.slug)

    def links(self, path: str) -> tuple[FeedLink, ...]:
        """The links of a feed, one for each format."""
        found = self._links.get(path)
        if found is None:
            prefix = f"{path}/" if path else ""
            names = self.rules.filenames
            found = tuple(
                FeedLink(
                    format=f.name,
                    type=f.media_type,
                    url=self._site.url + quote(prefix + names[f.name], safe="/~"),
                    path=prefix + names[f.name],
                )
                for f in self.rules.formats
            )
            if path in self.existing:  # archives are too many to cache
                self._links[path] = found
        return found

    def feed_id(self, path: str) -> str:
        """The permanent id of a feed: `site.id` and its path (RFC 4287, 4.2.6)."""
        return feed_id(self._site.id, path)

    def item(self, record: Record, content: str, text: str, short: str) -> Item:
        """The item of a record.

        `content` is its sanitized HTML, `text` the same as plain text, `short` an excerpt of it.
        """
        summary, image = record.summary, self._image(record)
        if self.rules.content == "excerpt":
            summary = summary or short
            content = text = ""
        else:
            picture = image if image and "<img" not in content and record.images else None
            if summary and not content and (picture or record.related):
                content = f"<p>{html.escape(summary, quote=False)}</p>"
            if picture:
                content = f"<p>{picture_html(picture)}</p>\n{content}".rstrip()
            if record.related:
                content = f"{content}\n{related_html(record)}".lstrip()
        source = self.source(record.provider) if record.provider else None
        authors = record.authors
        if not authors and source:
            authors = (Person(source.name, url=source.home),)
        return Item(
            id=record.id,
            atom_id=global_id(record.id, self._site.id),
            title=record.title,
            published=record.published,
            updated=record.updated,
            link=record.link,
            external_url=record.external_url,
            summary="" if summary == record.title else summary,
            content_html=content,
            content_text=text,
            authors=authors,
            categories=tuple(self.category(name) for name in record.topics),
            image=image,
            images=record.images,
            enclosures=_enclosures(record, image),
            related=record.related,
            source=source,
            language="" if record.language == self._site.language else record.language,
            type=record.type,
            category=record.category,
            price=record.price,
            quality=record.quality,
            duration=record.duration,
            comments=record.comments,
            amp_url=record.amp_url,
        )

    def source(self, provider: Provider) -> Source:
        """The source of an item."""
        term = self._terms.providers.provider_term(provider)
        path = self.rules.provider_path.replace("{slug}", term.slug)
        exists = path in self.existing
        home = provider.url or self._terms.providers.described(term).url
        if not home and "." in provider.domain:
            home = f"https://{provider.domain}/"
        return Source(
            name=term.name,
            domain=provider.domain,
            home=home,
            feed_id=self.feed_id(path) if exists else "",
            feeds=self.links(path) if exists else (),
        )

    def category(self, name: str) -> Category:
        """The category for a topic."""
        found = self._categories.get(name)
        if found is None:
            term: Term = self._terms.topics.term(name)
            path = self.topic_path(term)
            url = self._site.url + quote(path, safe="/~") + "/" if path in self.existing else ""
            found = self._categories[name] = Category(term.name, self._topic_scheme, url)
        return found

    def _image(self, record: Record) -> Enclosure | None:
        """The main image of a record, or that of its provider, topic or site."""
        images = self.rules.images
        if images.enclosure == "none":
            return None
        pictures = [p for p in record.images if not _is_small(p, images.min_size)]
        if not pictures:
            fallbacks = (self._fallback(record, kind) for kind in images.fallback)
            pictures = [Enclosure(url, type_of(url)) for url in fallbacks if url][:1]
        if not pictures:
            return None
        picture = pictures[0]
        if images.enclosure == "largest":
            picture = max(pictures, key=lambda image: image.width * image.height)
        return picture if picture.type else picture._replace(type=LIKELY_IMAGE_TYPE)

    def _fallback(self, record: Record, kind: str) -> str:
        """The URL of the image of the provider, a topic or the site, "" if there is none."""
        if kind == "provider":
            provider = record.provider
            return (provider.image or self.provider_image(provider)) if provider else ""
        if kind == "topic":
            return next(filter(None, map(self.topic_image, record.topics)), "")
        return self._site.icon or self._site.logo

    def provider_image(self, provider: Provider) -> str:
        """The image in the taxonomy file of a provider."""
        providers = self._terms.providers
        return providers.described(providers.provider_term(provider)).image

    def topic_image(self, name: str) -> str:
        """The image in the taxonomy file of a topic."""
        return self._terms.topics.described(self._terms.topics.term(name)).image


class FeedAssembler:
    """Makes feeds from the windows of their records."""

    def __init__(self, config: Config, terms: Taxonomies, items: ItemAssembler) -> None:
        self._config = config
        self._site = config.site
        self._terms = terms
        self._items = items
        self._custom = {f"custom/{custom.slug}": custom for custom in config.feeds.custom}
        self._author = self._site.author or Person(self._site.title, url=self._site.home)

    def feed(
        self,
        placement: Placement,
        newest: RecordHead,
        updated: datetime,
        total: int,
        items: Sequence[Item] = (),
    ) -> Feed:
        """A feed.

        `placement` is that of the newest record, `updated` the latest in the window. `items` can
        be added later, since nothing else depends on them.
        """
        site, path = self._site, placement.feed
        title, description, image = self.words(placement, newest)
        links = self._items.links(path)
        show = settings_of(self._config, placement)
        podcast = None
        if show:
            rss = next((link for link in links if link.format == "rss"), links[0])
            podcast = podcast_of(show, rss.url, self._author, image or site.icon)
        parent = ""
        if placement.kind == "topic" and placement.topic:
            above = self._terms.topics.parent(placement.topic)
            parent = self._items.topic_path(above) if above else ""
        return Feed(
            path=path,
            kind=placement.kind,
            id=self._items.feed_id(path),
            title=title,
            description=description,
            home=site.home,
            links=links,
            updated=updated,
            published=newest.published,
            items=tuple(items),
            language=self._language(placement),
            author=self._author,
            rights=site.copyright,
            icon=image or site.icon,
            logo=site.logo,
            hubs=self._config.settings.websub.hubs,
            ttl=self._config.feeds.ttl,
            topic=placement.topic,
            provider=placement.provider,
            parent=parent if parent in self._items.existing else "",
            total=total,
            about=site.url + SCHEMA_NAME,
            podcast=podcast,
        )

    def _language(self, placement: Placement) -> str:
        """The language that `where` requires, if it is a single one, otherwise that of the site."""
        where = group_of(self._config, placement).where
        languages = where.languages if where else ()
        return languages[0].replace("_", "-") if len(languages) == 1 else self._site.language

    def words(self, placement: Placement, newest: RecordHead) -> tuple[str, str, str]:
        """The title, the description and the image of a feed ("" if it has no image)."""
        title, description, image = self._usual_words(placement)
        provider = newest.provider if placement.provider else None
        if provider and not image:
            image = provider.image
        override = self._config.overrides.get(placement.feed)
        if override:
            if override.title and description == title:
                description = override.title  # the title was the default
            title, description = override.title or title, override.description or description
            image = override.image or image
        return title, description, image

    def _usual_words(self, placement: Placement) -> tuple[str, str, str]:
        """The title, the description and the image of a feed, without overrides."""
        site, feeds = self._site, self._config.feeds
        if custom := self._custom.get(placement.feed):
            title = custom.title or f"{custom.slug} – {site.title}"
            return title, custom.description or title, custom.image
        topic, provider = placement.topic, placement.provider
        group: Group
        if topic and provider:
            group, name = feeds.topic_providers, f"{topic.name} – {provider.name}"
            described = self._terms.providers.described(provider)
            text = ""
        elif topic:
            group, name = feeds.topics, topic.name
            described = self._terms.topics.described(topic)
            text = described.description
        elif provider:
            group, name = feeds.providers, provider.name
            described = self._terms.providers.described(provider)
            text = described.description
        else:
            title = _fill(feeds.all.title, site.title, site.title) or site.title
            text = _fill(feeds.all.description, site.title, site.title)
            return title, text or site.description or title, ""
        title = _fill(group.title, name, site.title) or f"{name} – {site.title}"
        text = _fill(group.description, name, site.title) or text
        return title, text or title, described.image


def _is_small(picture: Enclosure, least: int) -> bool:
    return any(0 < side < least for side in (picture.width, picture.height))


def feed_id(site_id: str, path: str) -> str:
    """The id of the feed with this path. The path is "" for the feed of all records."""
    return f"{site_id}/{path}" if path else site_id


def window_rule(config: Config, placement: Placement) -> WindowRule:
    """The size of a window, from the override, the group or custom feed, or `feeds.items`."""
    override = config.overrides.get(placement.feed)
    numbers = (
        override.items if override else None,
        group_of(config, placement).items,
        config.feeds.items,
    )
    items = next((number for number in numbers if number is not None), None)
    if items is None:
        items = 0 if settings_of(config, placement) else ITEMS
    return WindowRule(items, config.feeds.window)


def profile(config: Config, placement: Placement) -> Profile | None:
    """How the items of a feed are adapted, None if they are not."""
    override = config.overrides.get(placement.feed)
    settings = (override.newsletter if override else None, group_of(config, placement).newsletter)
    newsletter = next((setting for setting in settings if setting is not None), None)
    podcast = settings_of(config, placement)
    mail = tuple(newsletter.parameters.items()) if newsletter and newsletter.enabled else None
    own = Profile(mail, podcast.prefix if podcast else None)
    return None if own == Profile() else own


def min_items(config: Config, placement: Placement) -> int:
    """The minimum number of records of a feed."""
    group = group_of(config, placement)
    return group.min_items if isinstance(group, Group) else 1


def picture_html(picture: Enclosure) -> str:
    """An img element, for readers that show images of the content only."""
    size = "".join(
        f' {name}="{pixels}"'
        for name, pixels in (("width", picture.width), ("height", picture.height))
        if pixels
    )
    return f'<img src="{html.escape(picture.url)}" alt="{html.escape(picture.title)}"{size}>'


def related_html(record: Record) -> str:
    """The related articles as a list, for readers that show the content only."""
    lines = []
    for story in record.related:
        by = f" ({html.escape(story.provider, quote=False)})" if story.provider else ""
        title = html.escape(story.title, quote=False)
        lines.append(f'<li><a href="{html.escape(story.url)}">{title}</a>{by}</li>')
    return "<ul>\n" + "\n".join(lines) + "\n</ul>"


def _enclosures(record: Record, image: Enclosure | None) -> tuple[Enclosure, ...]:
    """Audio and video first, then other files, then the main image."""
    enclosures = sorted(record.enclosures, key=lambda enclosure: _ORDER.get(enclosure.medium, 2))
    played = [n for n, enclosure in enumerate(enclosures) if enclosure.medium in _ORDER]
    if len(played) == 1 and record.duration and not enclosures[played[0]].duration:
        enclosures[played[0]] = enclosures[played[0]]._replace(duration=record.duration)
    if image and all(image.url != other.url for other in enclosures):
        enclosures.append(image)
    return tuple(enclosures)


def _fill(pattern: str, name: str, site: str) -> str:
    return pattern.replace("{name}", name).replace("{site}", site)
