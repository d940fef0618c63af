"""What is mailed: only what mail clients show, and every address where it should lead."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from feedpub.model import Enclosure, Item
from feedpub.records.content import clean_html
from feedpub.records.newsletter import Parameters, mailed, with_parameters

HOME = "https://example.org/blog/"
PAGE = "https://example.org/blog/post/"
PLAIN = ()
UTM = (("utm_source", "news letter"), ("utm_medium", "email"))
ADDED = "utm_source=news%20letter&utm_medium=email"
LEAD = Enclosure(
    "https://example.org/lead.jpg", "image/jpeg", title="A lead", width=1200, height=800
)
FLUID = 'style="max-width:100%;height:auto"'
UNSIZED = 'width="600" style="width:auto;max-width:100%;height:auto"'
LEAD_IMG = f'<img src="{LEAD.url}" alt="A lead" width="600" height="400" {FLUID}>'


def item(**fields: Any) -> Item:
    """An item with what it must have, and these fields."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    base = {"id": "x", "atom_id": "urn:x", "title": "A title", "published": moment}
    return Item(**{**base, "updated": moment, **fields})


def sent(markup: str, parameters: Parameters = PLAIN, **fields: Any) -> Item:
    """The item with this content, as it is mailed."""
    read = item(title="A <title>", link=PAGE, content_html=clean_html(markup, PAGE), **fields)
    return mailed(read, parameters, HOME)


def content(markup: str, parameters: Parameters = PLAIN, **fields: Any) -> str:
    return sent(markup, parameters, **fields).content_html


@pytest.mark.parametrize(
    ("written", "mail"),
    [
        # at most 600 pixels wide, in their shape
        (
            '<img src="a.jpg" alt="A" width="1200" height="630">',
            f'<img src="{PAGE}a.jpg" alt="A" width="600" height="315" {FLUID}>',
        ),
        (
            '<img src="a.jpg" alt="A" width="60" height="30">',
            f'<img src="{PAGE}a.jpg" alt="A" width="60" height="30" {FLUID}>',
        ),
        (
            '<img src="a.jpg" width="9999" height="2">',
            f'<img src="{PAGE}a.jpg" alt="" width="600" height="1" {FLUID}>',
        ),
        # what is not known is not invented; a part of the page is no size in a mail
        ('<img src="a.jpg" width="700">', f'<img src="{PAGE}a.jpg" alt="" width="600" {FLUID}>'),
        ('<img src="a.jpg">', f'<img src="{PAGE}a.jpg" alt="" {UNSIZED}>'),
        ('<img src="a.jpg" height="70">', f'<img src="{PAGE}a.jpg" alt="" {UNSIZED}>'),
        (
            '<img src="a.jpg" width="50%" height="90%">',
            f'<img src="{PAGE}a.jpg" alt="" {UNSIZED}>',
        ),
        # one source, without a choice; loading and classes are gone
        (
            '<picture><source srcset="a.webp" type="image/webp">'
            '<img class="c" loading="lazy" src="a.jpg" srcset="b.jpg 2x" sizes="9em"></picture>',
            f'<img src="{PAGE}a.jpg" alt="" {UNSIZED}>',
        ),
        (
            '<img srcset="s.jpg 300w, m.jpg 900w, l.jpg 1800w">',
            f'<img src="{PAGE}m.jpg" alt="" {UNSIZED}>',
        ),
        ('<img srcset="s.jpg 200w, m.jpg 400w">', f'<img src="{PAGE}m.jpg" alt="" {UNSIZED}>'),
        ('<img srcset="s.jpg, m.jpg 2x">', f'<img src="{PAGE}s.jpg" alt="" {UNSIZED}>'),
        (
            '<p><img src="a.jpg?a=1&amp;b=2" alt="&quot;A&quot; &lt; B" title="T" lang="de"></p>',
            f'<p><img src="{PAGE}a.jpg?a=1&amp;b=2" alt="&quot;A&quot; &lt; B" title="T" lang="de"'
            f" {UNSIZED}></p>",
        ),
    ],
)
def test_pictures(written: str, mail: str) -> None:
    assert content(written) == mail


def test_what_the_record_knows_of_a_picture_is_used() -> None:
    known = Enclosure(f"{PAGE}a.jpg", title="Of the record", width=300, height=200)
    begun = f'<img src="{PAGE}a.jpg" alt="Of the record"'
    whole = f'{begun} width="300" height="200" {FLUID}>'
    small = f'{begun} width="30" height="20" {FLUID}>'
    assert content('<img src="a.jpg">', images=(known,)) == whole
    assert content('<img src="a.jpg" width="30">', images=(known,)) == small
    own = f'<img src="{PAGE}a.jpg" alt="Own" width="3" height="3" {FLUID}>'
    assert content('<img src="a.jpg" alt="Own" width="3" height="3">', images=(known,)) == own


def youtube(label: str, alt: str) -> str:
    still = "https://i.ytimg.com/vi/abcdefghi-_/hqdefault.jpg"
    return (
        '<p><a href="https://www.youtube.com/watch?v=abcdefghi-_">'
        f'<img src="{still}" alt="{alt}" width="480" height="360" {FLUID}><br>▶ {label}</a></p>'
    )


@pytest.mark.parametrize(
    ("written", "mail"),
    [
        (
            '<iframe src="https://www.youtube.com/embed/abcdefghi-_?rel=0"></iframe>',
            youtube("youtube.com", "A &lt;title&gt;"),
        ),
        (
            '<p>a<iframe title="Talk" src="//www.youtube-nocookie.com/embed/abcdefghi-_">b</iframe>'
            "</p>",
            f"<p>a</p>{youtube('Talk', 'Talk')}",
        ),
        (
            '<p>a <b>b<iframe src="https://player.vimeo.com/video/12?a=1"></iframe>c</b></p>',
            '<p>a <b>b<a href="https://vimeo.com/12">▶ vimeo.com</a>c</b></p>',
        ),
        (
            '<a href="x"><iframe src="https://player.vimeo.com/video/12"></iframe></a>',
            f'<a href="{PAGE}x"><p>▶ vimeo.com</p></a>',
        ),
        # files
        (
            '<video controls poster="p.jpg" width="1280" height="720"><source src="v.mp4">'
            '<source src="v.webm"><track src="v.vtt"><p>Get a <a href="x">player</a></p></video>',
            f'<p><a href="{PAGE}v.mp4"><img src="{PAGE}p.jpg" alt="A &lt;title&gt;" width="600"'
            f' height="338" {FLUID}><br>▶ v.mp4</a></p>',
        ),
        (
            '<audio src="/a%20b.mp3" title="Two &lt; one"></audio>',
            '<p><a href="https://example.org/a%20b.mp3">▶ Two &lt; one</a></p>',
        ),
        (
            '<audio src="/a%20b.mp3"></audio>',
            '<p><a href="https://example.org/a%20b.mp3">▶ a b.mp3</a></p>',
        ),
        (
            '<video src="v.mp4"><audio src="a.mp3"></audio><video></video></video>z',
            f'<p><a href="{PAGE}v.mp4">▶ v.mp4</a></p>z',
        ),
        # what has no address: whatever is inside for who cannot play it, without a gap
        ('<video><p>Sorry</p></video><video src="v.mp4"></video>',
         f'<p>Sorry</p><p><a href="{PAGE}v.mp4">▶ v.mp4</a></p>'),
        ("<figure><video></video></figure>a", "a"),
    ],
)  # fmt: skip
def test_what_is_played_becomes_a_link(written: str, mail: str) -> None:
    assert content(written) == mail


@pytest.mark.parametrize(
    ("player", "page"),
    [
        ("www.youtube.com/embed/videoseries?list=PL1-x&a=b", "www.youtube.com/playlist?list=PL1-x"),
        ("www.youtube.com/embed/live_stream?a=x", "www.youtube.com/embed/live_stream?a=x"),
        ("player.vimeo.com/video/12?a=b&h=c3&d=e", "vimeo.com/12/c3"),
        ("open.spotify.com/embed/episode/4x?utm=1", "open.spotify.com/episode/4x"),
        ("www.dailymotion.com/embed/video/x8", "www.dailymotion.com/video/x8"),
        ("archive.org/embed/a-b.c?x", "archive.org/details/a-b.c"),
        ("www.loom.com/embed/ab12", "www.loom.com/share/ab12"),
        ("embed.podcasts.apple.com/us/podcast/id1?i=2", "podcasts.apple.com/us/podcast/id1?i=2"),
        ("player.twitch.tv/?parent=example.org&video=v12", "www.twitch.tv/videos/12"),
        ("player.twitch.tv/?channel=someone&parent=example.org", "www.twitch.tv/someone"),
        ("w.soundcloud.com/player/?url=x", "w.soundcloud.com/player/?url=x"),
    ],
)  # fmt: skip
def test_a_link_leads_to_the_page_of_what_a_frame_plays(player: str, page: str) -> None:
    [link] = links(content(f'<iframe src="https://{player.replace("&", "&amp;")}"></iframe>'))
    assert link == f"https://{page}"


def links(markup: str) -> list[str]:
    root = lxml_html.fragment_fromstring(markup, create_parent=True)
    return [str(link.get("href")) for link in root.iter("a") if link.get("href")]


def test_the_records_own_picture_is_the_still_of_what_has_none_once() -> None:
    vimeo = '<iframe src="https://player.vimeo.com/video/{}"></iframe>'
    mail = content(vimeo.format(1) + vimeo.format(2), image=LEAD, images=(LEAD,))
    first, second = (f'<p><a href="https://vimeo.com/{n}">' for n in (1, 2))
    assert mail == f"{first}{LEAD_IMG}<br>▶ vimeo.com</a></p>{second}▶ vimeo.com</a></p>"
    shown = f'<img src="{LEAD.url}">'
    mail = content(shown + vimeo.format(1), image=LEAD, images=(LEAD,))
    assert mail == f"{LEAD_IMG}{first}▶ vimeo.com</a></p>"


def test_the_lead_picture_comes_first_where_there_is_none() -> None:
    assert content("<p>Text</p>", image=LEAD) == f"<p>{LEAD_IMG}</p>\n<p>Text</p>"
    assert content("<p>Text</p>", images=(LEAD,)) == f"<p>{LEAD_IMG}</p>\n<p>Text</p>"
    assert "lead" not in content('<p><img src="a.jpg"></p>', image=LEAD)
    assert content("", image=LEAD, summary="1 < 2") == f"<p>{LEAD_IMG}</p>\n<p>1 &lt; 2</p>"
    assert content("", image=LEAD) == f"<p>{LEAD_IMG}</p>"
    sound = '<audio src="/a.mp3"></audio>'
    assert content(sound, image=LEAD).startswith(f"<p>{LEAD_IMG}</p>\n<p><a ")


def test_summary_and_content_are_there_if_one_of_them_is() -> None:
    assert sent("", summary="In short").content_html == "<p>In short</p>"
    assert sent("<p>Text</p>", content_text="Text\n\nand  more").summary == "Text and more"
    assert sent("<p>Text</p>", summary="In short", content_text="Text").summary == "In short"
    assert sent('<img src="a.jpg">').summary == "A <title>"
    assert (sent("").summary, sent("").content_html) == ("", "")


def test_the_text_is_that_of_the_mail() -> None:
    said = sent('<p>a</p><iframe src="https://player.vimeo.com/video/1"></iframe>', image=LEAD)
    assert said.content_text == "a\n\nA lead\n▶ vimeo.com"


@pytest.mark.parametrize(
    ("written", "mailed_as"),
    [
        ("x", f"{PAGE}x?{ADDED}"),
        ("x#part", f"{PAGE}x?{ADDED}#part"),
        ("x?a=1&amp;b=/#part?c", f"{PAGE}x?a=1&b=/&{ADDED}#part?c"),
        ("x?utm_source=own", f"{PAGE}x?utm_source=own&utm_medium=email"),
        (f"x?utm_source&amp;{ADDED}", f"{PAGE}x?utm_source&{ADDED}"),
        ("x.html", f"{PAGE}x.html?{ADDED}"),
        ("/blog", f"https://example.org/blog?{ADDED}"),
        ("http://example.org/blog/x", f"http://example.org/blog/x?{ADDED}"),
        # other places, and files
        ("/blogs/x", "https://example.org/blogs/x"),
        ("/", "https://example.org/"),
        ("https://other.example/blog/x", "https://other.example/blog/x"),
        ("https://example.org.evil.example/blog/", "https://example.org.evil.example/blog/"),
        ("x.pdf", f"{PAGE}x.pdf"),
        ("x.JPG?size=1", f"{PAGE}x.JPG?size=1"),
        ("mailto:a@example.org", "mailto:a@example.org"),
    ],
)
def test_parameters_are_of_links_to_the_sites_own_pages(written: str, mailed_as: str) -> None:
    assert links(content(f'<a title="T" href="{written}">x</a>', UTM)) == [mailed_as]
    assert content(f'<a title="T" href="{written}">x</a>') == clean_html(
        f'<a title="T" href="{written}">x</a>', PAGE
    )


def test_parameters_are_of_the_items_link_and_of_nothing_else() -> None:
    sound = Enclosure("https://example.org/blog/a.mp3", "audio/mpeg")
    markup = '<img src="a.jpg"><video src="v.mp4" poster="p.jpg"></video>'
    said = sent(markup, UTM, id=PAGE, atom_id=PAGE, enclosures=(sound, LEAD), image=LEAD,
                external_url="https://other.example/", amp_url=f"{PAGE}amp/")  # fmt: skip
    assert said.link == f"{PAGE}?{ADDED}"
    assert said.content_html == content(markup, image=LEAD)
    assert (said.id, said.atom_id, said.enclosures, said.image) == (PAGE, PAGE, (sound, LEAD), LEAD)
    assert (said.external_url, said.amp_url) == ("https://other.example/", f"{PAGE}amp/")
    assert mailed(item(link=""), UTM, HOME).link == ""


def test_dates_do_not_change() -> None:
    read = item()
    said = mailed(read, UTM, HOME)
    assert (said.published, said.updated) == (read.published, read.updated)


NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
QUERIES = st.text("abc=&;?/%20+é", max_size=12)


@given(
    QUERIES, st.text("ab?#/", max_size=5), st.dictionaries(NAMES, st.text(min_size=1), max_size=3)
)
def test_parameters_are_added_once(query: str, fragment: str, names: dict[str, str]) -> None:
    url = f"https://example.org/a?{query}#{fragment}"
    parameters = tuple(names.items())
    once = with_parameters(url, parameters)
    assert with_parameters(once, parameters) == once
    assert once.partition("#")[2] == fragment
    assert once.partition("#")[0].startswith(f"https://example.org/a?{query}".rstrip("?"))
    assert re.fullmatch(r"https://[!-~é]*", once)


# What people write, and what nobody writes.
PIECES = st.sampled_from(
    [
        '<p>', '</p>', '<a href="/blog/x">', '</a>', '<b>', '</b>', 'text &lt; ', '<br>', '<wbr>',
        '<img src="a.jpg" width="1200" height="630">', '<img src="a.jpg">', '<img srcset="a 2x">',
        '<img src="https://example.org/lead.jpg" width="12" alt="<img>">', '<picture>',
        '</picture>', '<source src="v.mp4">', '<source srcset="a.webp">', '<video>', '</video>',
        '<video src="v.mp4" poster="p.jpg" width="1280">', '<audio src="a.mp3">', '</audio>',
        '<iframe src="https://www.youtube.com/embed/abcdefghijk"></iframe>', '<iframe>',
        '<iframe title="<p>" src="https://player.vimeo.com/video/1">', '</iframe>', '<ul><li>',
        '</ul>', '<table><tr><td>', '</table>', '<style>p {}</style>', '<script>x</script>',
        '<p style="color: red" class="c" id="i" title="a&quot;<b>&amp;">', '<hr>', '<pre> x',
        '</pre>', '<h1>', '</h1>', '<figure>', '</figure>', '<details><summary>', '</details>',
        '<!-- x -->', '<a title="<a>">', '\u00a0', '<col>', '<track src="t.vtt">', '<blockquote>',
    ]
)  # fmt: skip
MARKUP = st.lists(PIECES, max_size=12).map("".join)


def settled(markup: str) -> str:
    """As nh3 leaves it, with the attributes that a mail may have."""
    attributes: dict[str, set[str]] = {
        "*": {"title", "lang", "dir"},
        "a": {"href"},
        "img": {"src", "alt", "width", "height", "style"},
    }
    return nh3.clean(
        markup,
        attributes=attributes,
        link_rel=None,
        filter_style_properties={"width", "max-width", "height"},
    )


@given(MARKUP, st.sampled_from([PLAIN, UTM]), st.booleans())
@settings(deadline=None, max_examples=500)
def test_a_mail_has_what_mail_clients_show_and_nothing_else(
    markup: str, parameters: Parameters, has_lead: bool
) -> None:
    cleaned = clean_html(markup, PAGE)
    read = item(content_html=cleaned, link=PAGE, image=LEAD if has_lead else None)
    mail = mailed(read, parameters, HOME)
    assert mailed(mail, parameters, HOME).content_html == mail.content_html
    if not mail.content_html:
        return
    root = lxml_html.fragment_fromstring(mail.content_html, create_parent=True)
    for element in root.iter():
        assert element.tag not in {
            "iframe", "video", "audio", "source", "track", "picture", "style", "script",
        }  # fmt: skip
        assert not {"class", "id", "srcset", "sizes", "loading"} & set(element.keys())
        assert element.tag == "img" or "style" not in element.keys()  # noqa: SIM118 - lxml's
    for image in root.iter("img"):
        assert image.get("alt") is not None
        assert 0 < int(image.get("width") or 0) <= 600
        assert (image.get("src") or "").startswith("https://")
    assert not has_lead or root.find(".//img") is not None
    assert clean_html(mail.content_html, PAGE).count("<a") == mail.content_html.count("<a")
    assert settled(mail.content_html).replace("; ", ";").replace(": ", ":") == (
        mail.content_html.replace("; ", ";").replace(": ", ":")
    )
