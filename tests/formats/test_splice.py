"""Joined parts are what feedgen itself would have written, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings

from feedpub.formats import atom, rss, splice
from feedpub.model import Feed

from .making import NASTY, feed, feeds, item

# Without a search for the smallest of large documents, which would take minutes.
quick = settings(
    deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)


def whole_rss(of: Feed) -> bytes:
    """The document as feedgen writes it in one go."""
    document = rss.Rss().head(of)
    document.entry([rss._entry(held) for held in of.items])
    return document.rss_str(pretty=True)


def whole_atom(of: Feed) -> bytes:
    document = atom.Atom().head(of)
    document.entry([atom._entry(held) for held in of.items])
    return document.atom_str(pretty=True)


def spliced(form: rss.Rss | atom.Atom, of: Feed) -> bytes:
    """The document as feedpub makes it: items rendered together with others, then joined."""
    together = [item(title=text, content_html=text) for text in NASTY[:3]]
    parts = form.render_items([*together, *of.items])[len(together) :]
    return form.render_feed(of, parts)


@quick
@given(feeds)
def test_joined_rss_is_feedgens_own(of: Feed) -> None:
    assert spliced(rss.Rss(), of) == whole_rss(of)


@quick
@given(feeds)
def test_joined_atom_is_feedgens_own(of: Feed) -> None:
    assert spliced(atom.Atom(), of) == whole_atom(of)


@pytest.mark.parametrize("text", NASTY)
def test_each_nasty_text_is_joined_exactly(text: str) -> None:
    of = feed(*(item(id=f"{n}", title=text, summary=text, content_html=text) for n in range(3)))
    assert spliced(rss.Rss(), of) == whole_rss(of)
    assert spliced(atom.Atom(), of) == whole_atom(of)


def test_no_items_are_no_parts() -> None:
    assert rss.Rss().render_items([]) == []
    assert atom.Atom().render_items([]) == []


def test_a_part_is_cut_for_each_item() -> None:
    held = [item(id=f"{n}", title="<item> <entry") for n in range(5)]
    for form in (rss.Rss(), atom.Atom()):
        parts = form.render_items(held)
        assert len(parts) == 5
        assert all(part.startswith(b"  ") and part.endswith(b">\n") for part in parts)


def test_a_document_that_ends_otherwise_is_not_cut() -> None:
    with pytest.raises(ValueError, match="end"):
        splice.cut(b"<feed></feed>", b"entry", b"</feed>\n")
    with pytest.raises(ValueError, match="end"):
        splice.join(b"<feed></feed>", [], b"</feed>\n")
