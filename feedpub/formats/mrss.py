"""Media RSS (https://www.rssboard.org/media-rss), for the items of RSS and the entries of Atom."""

from __future__ import annotations

from typing import Any

from lxml import etree

from feedpub.model import Enclosure, Item

MEDIA = "http://search.yahoo.com/mrss/"


def add_media(entry: Any, item: Item) -> None:
    """Adds each media file with its metadata, and the main image as thumbnail.

    There are no groups, because those are for alternatives of one file.
    """
    if item.episode is None:
        pictures = {picture.url for picture in item.images}
        for enclosure in item.enclosures:
            if enclosure.url not in pictures:
                _add_content(entry, enclosure)
        for picture in item.images:
            _add_content(entry, picture)
    else:  # podcast apps would show each of them as one more file to play
        for enclosure in item.enclosures[1:]:
            _add_content(entry, enclosure)
    if item.image:
        small = item.image.thumbnail or item.image
        thumbnail = etree.SubElement(entry, f"{{{MEDIA}}}thumbnail")
        thumbnail.set("url", small.url)
        _set_size(thumbnail, small)


def _add_content(entry: Any, media: Enclosure) -> None:
    content = etree.SubElement(entry, f"{{{MEDIA}}}content")
    content.set("url", media.url)  # faster than a dictionary of attributes
    if media.length:
        content.set("fileSize", str(media.length))
    if media.type:
        content.set("type", media.type)
    content.set("medium", media.medium if media.type else "image")
    if media.duration:
        content.set("duration", str(media.duration))
    _set_size(content, media)
    if media.title:
        # feedparser would use a `description` of Media RSS as that of the item.
        title = etree.SubElement(content, f"{{{MEDIA}}}title", {"type": "plain"})
        title.text = media.title
    if media.credit:
        etree.SubElement(content, f"{{{MEDIA}}}credit").text = media.credit


def _set_size(element: Any, media: Enclosure) -> None:
    if media.height:
        element.set("height", str(media.height))
    if media.width:
        element.set("width", str(media.width))
