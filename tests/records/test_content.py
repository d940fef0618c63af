"""Content: safe in any reader, whole, with absolute addresses, whatever came in."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from feedpub.records.content import clean_html, content_html, content_text, is_html

from .helpers import front, no_endless_time, parse, record

BASE = "https://example.org/blog/post/"
quick = settings(deadline=None, max_examples=200)


def clean(markup: str) -> str:
    return clean_html(markup, BASE)


def published(body: str, keys: str = "", **place: object) -> str:
    """The content of a record with this body."""
    return content_html(record(keys, body, **place), "https://example.org/")


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        # scripts and what else runs
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ("<p>a<SCRIPT SRC=//evil.example/x.js></SCRIPT>b</p>", "<p>ab</p>"),
        ('<p onclick="alert(1)" ONLOAD=x>a</p>', "<p>a</p>"),
        ('<img src="a.jpg" onerror="alert(1)">', f'<img src="{BASE}a.jpg" alt="">'),
        ('<a href="javascript:alert(1)">a</a>', "<a>a</a>"),
        ('<a href=" jav&#x0A;ascript:alert(1)">a</a>', "<a>a</a>"),
        ('<a href="vbscript:x">a</a><a href="data:text/html,x">b</a>', "<a>a</a><a>b</a>"),
        ("<svg onload=alert(1)><circle/></svg>after", "after"),
        ("<math><mi>x</mi></math>after", "after"),
        ("<object data=x></object><embed src=x><applet></applet>after", "after"),
        ("<form action=/x><input name=a><button>go</button></form>after", "after"),
        ('<meta http-equiv="refresh" content="0"><link rel=stylesheet href=x>after', "after"),
        ('<base href="https://evil.example/"><a href="a">a</a>', f'<a href="{BASE}a">a</a>'),
        # styles
        ('<p style="position:fixed" class="x" id="y">a</p>', "<p>a</p>"),
        ("<style>p { color: red }</style><p>a</p>", "<p>a</p>"),
        # frames, by host
        (
            '<iframe src="https://www.youtube.com/embed/x" width="560" height="315"></iframe>',
            '<iframe src="https://www.youtube.com/embed/x" width="560" height="315"></iframe>',
        ),
        (
            '<iframe src="//player.vimeo.com/video/1"></iframe>',
            '<iframe src="https://player.vimeo.com/video/1"></iframe>',
        ),
        ('a<iframe src="https://evil.example/"></iframe>b', "ab"),
        ('a<iframe src="https://www.youtube.com.evil.example/"></iframe>b', "ab"),
        (
            '<iframe src="http://www.youtube.com/embed/x?a=1#t"></iframe>',
            '<iframe src="https://www.youtube.com/embed/x?a=1#t"></iframe>',
        ),
        ('a<iframe src="https://archive.org/download/x/a.html"></iframe>b', "ab"),
        ('a<iframe src="https://archive.org/embed/../download/x"></iframe>b', "ab"),
        ('a<iframe src="https://archive.org/embed/%2E./download/x"></iframe>b', "ab"),
        ('a<iframe src="https://www.youtube.com:8443/embed/x"></iframe>b', "ab"),
        ('a<iframe src="https://www.youtube.com/redirect?q=x"></iframe>b', "ab"),
        ('a<iframe srcdoc="<script>x</script>"></iframe>b', "ab"),
        ("a<iframe>your browser has no frames</iframe>b", "ab"),
        ('a<iframe src="https://evil.example/"><script>alert(1)</script></iframe>b', "ab"),
        (
            '<iframe src="https://www.youtube.com/embed/x"><script>alert(1)</script></iframe>',
            '<iframe src="https://www.youtube.com/embed/x"></iframe>',
        ),
        # pictures that nobody is to see
        ('a<img src="https://t.example/p.gif" width="1" height="1">b', "ab"),
        ('a<img src="https://t.example/p.gif" width="1px" height="1px">b', "ab"),
        ('a<img src="https://t.example/p.gif" height=0>b', "ab"),
        ('a<img src="https://pixel.wp.com/b.gif?x=1">b', "ab"),
        ('a<img src="https://x.list-manage.com/track/open.php?u=1">b', "ab"),
        ('a<img src="https://FeedBurner.com/x.gif">b', "ab"),
        (
            'a<img src="https://notfeedburner.com/x.gif">',
            'a<img src="https://notfeedburner.com/x.gif" alt="">',
        ),
        ("a<img alt=nothing>b", "ab"),
        ('a<img src="data:image/gif;base64,R0lGOD">b', "ab"),
        # addresses
        ('<a href="/a">a</a>', '<a href="https://example.org/a">a</a>'),
        ('<a href="b">b</a>', f'<a href="{BASE}b">b</a>'),
        ('<a href="#n">n</a>', f'<a href="{BASE}#n">n</a>'),
        ('<a href="mailto:a@example.org">m</a>', '<a href="mailto:a@example.org">m</a>'),
        ('<img src="//cdn.example/a b.jpg">', '<img src="https://cdn.example/a%20b.jpg" alt="">'),
        (
            '<img src="a.jpg" srcset="a.jpg 1x, /b.jpg 2x">',
            f'<img src="{BASE}a.jpg" srcset="{BASE}a.jpg 1x, https://example.org/b.jpg 2x" alt="">',
        ),
        (
            '<img src="a.jpg" srcset="a.jpg 640w,b.jpg 1280w">',
            f'<img src="{BASE}a.jpg" srcset="{BASE}a.jpg 640w, {BASE}b.jpg 1280w" alt="">',
        ),
        (
            '<img src="a.jpg" srcset="b c.png 2x, b.jpg 2x, d.jpg big">',
            f'<img src="{BASE}a.jpg" srcset="{BASE}b.jpg 2x" alt="">',
        ),
        (
            '<img src="a.jpg" srcset="javascript:x 1x, b.jpg 2x">',
            f'<img src="{BASE}a.jpg" srcset="{BASE}b.jpg 2x" alt="">',
        ),
        (
            '<video src="a.mp4" poster="/p.jpg" controls></video>',
            f'<video src="{BASE}a.mp4" poster="https://example.org/p.jpg" controls=""></video>',
        ),
        (
            '<picture><source srcset="/a.webp" type="image/webp"><img src="/a.jpg"></picture>',
            '<picture><source srcset="https://example.org/a.webp" type="image/webp">'
            '<img src="https://example.org/a.jpg" alt=""></picture>',
        ),
        ('<blockquote cite="/q">q</blockquote>', '<blockquote cite="https://example.org/q">q</blockquote>'),
        # made whole, as browsers do
        ("<em><p>a</em>b</p>c", "<em></em><p><em>a</em>b</p>c"),
        ("<p><b>a<p>b</b>c", "<p><b>a</b></p><p><b>b</b>c</p>"),
        ("<b><p>a</p></b>b", "<b><p>a</p></b>b"),
        ("<p>a<table><tr><td>b", "<p>a</p><table><tbody><tr><td>b</td></tr></tbody></table>"),
        ("<table><br><tr><td>a", "<br><table><tbody><tr><td>a</td></tr></tbody></table>"),
        ("<table>a", "<table><tbody><tr><td>a</td></tr></tbody></table>"),
        ("<svg><text>a<p>b", "<p>b</p>"),
        ("<p>a<div hidden>b<p>c</div>d", "<p>a</p>d"),
        ("<p>a</p><!--b--><p>c<!--", "<p>a</p><p>c</p>"),
        ('<a href="/x?a=1&copy=2">a', '<a href="https://example.org/x?a=1&amp;copy=2">a</a>'),
        ("<p>a <b>b <i>c", "<p>a <b>b <i>c</i></b></p>"),
        ("</div><p>a</p></div>", "<p>a</p>"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<p title='a\"b'>c", '<p title="a&quot;b">c</p>'),
        ("<p>a</p", "<p>a</p>"),
        ("<p>a<br/>b</p>", "<p>a<br>b</p>"),
        ("a\x00b\x1bc", "abc"),
        # HTML takes the first line end of a pre for its own: the second one must stay a second
        ("<pre>\n\n  a</pre>", "<pre>\n\n  a</pre>"),
        # what was not to be seen
        ('<p>a</p><div style="display: none">b</div><p hidden>c</p>', "<p>a</p>"),
        ('<p>a</p><div style="DISPLAY:None">b</div>', "<p>a</p>"),
        ('<p>a</p><div style="mso-hide:all">b</div>', "<p>a</p>"),
        ("<p>a</p><P class=x HIDDEN>b</P>", "<p>a</p>"),
        ("<p>on display: none hidden</p>", "<p>on display: none hidden</p>"),
        ("", ""),
        # nothing is left where nothing was
        ('<p><img src="https://t.example/p.gif" width="1"></p><p>a</p><p> </p>', "<p>a</p>"),
    ],
)  # fmt: skip
def test_content_is_made_safe(written: str, safe: str) -> None:
    assert clean(written) == safe


@pytest.mark.parametrize(
    "markup",
    [
        "<h2>a</h2>",
        "<pre><code>if a &lt; b:\n    c()</code></pre>",
        "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>",
        '<figure><img src="https://example.org/a.jpg" alt="a"><figcaption>b</figcaption></figure>',
        '<p lang="de" dir="ltr">a <em>b</em> <sup>c</sup></p>',
        "<dl><dt>a</dt><dd>b</dd></dl>",
        '<ol start="3"><li>a</li></ol>',
        "<details><summary>a</summary>b</details>",
        '<audio src="https://example.org/a.mp3" controls=""></audio>',
        "<p>😀 日本 שלום</p>",
    ],
)  # fmt: skip
def test_what_is_good_stays_as_it_is(markup: str) -> None:
    assert clean(markup) == markup


@pytest.mark.parametrize("part", ['<path d="M0 0"/>', "<circle r=1 />", "<!-- <b> -->", "<o:p/>"])
def test_a_drawing_of_many_parts_does_not_cost_the_rest_its_markup(part: str) -> None:
    body = f"<p>a <b>b</b></p><svg>{part * 1000}</svg><p>c</p>"
    assert clean(body) == "<p>a <b>b</b></p><p>c</p>"


@pytest.mark.parametrize("empty", ["<title/>", "<style/>", "<script/>", "<title />"])
@pytest.mark.parametrize("root", ["svg", "math"])
def test_an_empty_element_of_a_drawing_does_not_swallow_the_rest(root: str, empty: str) -> None:
    markup = f"<p>One</p><figure><{root}>{empty}<path d='M0'/></{root}></figure><p>Two</p>"
    assert clean(markup) == "<p>One</p><p>Two</p>"


def test_a_link_of_a_drawing_does_not_swallow_the_rest() -> None:
    assert clean("<svg><a><p>Text.</p>") == "<p>Text.</p>"


def test_a_long_text_keeps_its_markup() -> None:
    body = '<p>a <a href="https://example.org/">b</a><br>c <i>d</i></p>' * 2000
    assert clean(body) == body


DOCUMENT = """<!DOCTYPE html>
<html lang="en"><head><title>News of the week</title><style>p {{}}</style>
{head}</head>
<body bgcolor="white"><!-- [if mso]> <table><tr><td> <![endif] -->
<div style="display:none">A preview that mail programs show</div>
<p>Hello <a href="a">a</a></p></body></html>"""


def test_a_whole_document_gives_up_its_body() -> None:
    cleaned = clean(DOCUMENT.format(head=""))
    assert cleaned == f'<p>Hello <a href="{BASE}a">a</a></p>'


def test_a_document_says_what_its_addresses_are_relative_to() -> None:
    cleaned = clean(DOCUMENT.format(head='<base href="https://other.example/x/">'))
    assert cleaned == '<p>Hello <a href="https://other.example/x/a">a</a></p>'


@pytest.mark.parametrize(
    "before",
    ["\n", "<!-- a --><!-- b -->\n", '<?xml version="1.0" encoding="UTF-8"?>\n'],
)
def test_a_document_is_one_whatever_is_before_it(before: str) -> None:
    assert clean(before + DOCUMENT.format(head="")) == f'<p>Hello <a href="{BASE}a">a</a></p>'


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("<p>a</p>", True),
        ("  \n<div>a</div>", True),
        ("Text first.<br><br>Then more.", True),
        ("Text <p>and a paragraph</p>", True),
        ("<p>a</p>\n\n<pre># no heading\n- no list</pre>", True),
        ("<p>2 * 3 * 4</p>\n<p>a_b_c</p>", True),
        ("<!doctype html><html><body># a</body></html>", True),
        ("<h1>a</h1>\n<ul>\n<li>b</li>\n</ul>", True),
        ("plain", False),
        ("", False),
        ("# Heading\n\ntext", False),
        ("- a\n- b", False),
        ("1. a\n2. b", False),
        ("> quoted", False),
        ("a **b** c", False),
        ("a [b](https://example.org/) c", False),
        ("`<p>` is a tag", False),
        ("```\n<p>a</p>\n```", False),
        ("a <b>b</b> c & d", False),
        ("A paragraph.\n\n<div>a box</div>\n\n## Heading", False),
        ("| a | b |\n|---|---|\n| <br> | c |", False),
        ("a < b", False),
    ],
)
def test_html_is_told_from_markdown(body: str, html: bool) -> None:
    assert is_html(body) is html


def test_markdown_is_rendered() -> None:
    body = "## Why\n\nA *b* <c@example.org>.\n\n- [x](/y)\n\n| a |\n|---|\n| b |\n\n~~old~~\n"
    content = published(body)
    assert "<h2>Why</h2>" in content
    assert "<em>b</em>" in content
    assert '<a href="https://example.org/y">x</a>' in content
    assert "<td>b</td>" in content
    assert "<s>old</s>" in content


def test_markdown_in_markdown_is_made_safe_too() -> None:
    content = published(
        "# a\n\n[b](javascript:alert(1)) <script>alert(1)</script> <b onclick=x>c</b>"
    )
    assert "<script" not in content
    assert "<a" not in content
    assert "onclick" not in content
    assert "<b>c</b>" in content


def test_a_html_file_is_never_markdown() -> None:
    assert published("- a < b", path="records/a.html") == "- a &lt; b"


def test_embedded_media_comes_first() -> None:
    keys = "featuredContent: '<iframe src=\"https://www.youtube.com/embed/x\"></iframe>'"
    content = published("<p>a</p>", keys)
    assert content == '<iframe src="https://www.youtube.com/embed/x"></iframe>\n<p>a</p>'


def test_a_player_alone_gets_the_summary_beside_it() -> None:
    keys = "excerpt: a < b\nfeaturedContent: '<video src=\"/v.mp4\"></video>'"
    assert published("", keys).endswith("</video>\n<p>a &lt; b</p>")


def test_jekylls_raw_marks_are_taken_out() -> None:
    assert published("<p>{% raw %}{{ a }}{% endraw %}</p>") == "<p>{{ a }}</p>"


def test_addresses_are_relative_to_the_records_own_page() -> None:
    body = '<p><a href="b">c</a></p>'
    link = published(body, "link: https://example.org/x/a.html")
    assert link == '<p><a href="https://example.org/x/b">c</a></p>'
    assert published(body) == '<p><a href="https://example.org/b">c</a></p>'


def test_no_content_is_no_content() -> None:
    assert published("") == ""
    assert published("  \n") == ""
    assert content_html(record()._replace(featured="<script>x</script>"), BASE) == ""


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        ("<h2>a</h2><p>b &amp; c<br>d</p>\n<p>e\n  f</p>", "a\n\nb & c\nd\n\ne f"),
        ("<p>a</p><ul>\n<li>b</li>\n<li>c <b>d</b></li>\n</ul>e", "a\n\n- b\n- c d\n\ne"),
        ("<ol><li><p>a</p><p>b</p></li><li>c</li></ol>", "- a\n\nb\n\n- c"),
        ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<table>\n<tr>\n<th>a</th> <td>b</td>\n</tr>\n<tr>\n<td>c</td></tr></table>", "a b\nc"),
        ("<pre><code>if a:\n    b &lt; c\n</code></pre><p>d</p>", "if a:\n    b < c\n\nd"),
        ("<p>a <img src='https://e.example/b.png' alt='b &gt; \"c\"'> d</p>", 'a b > "c" d'),
        ("<p title='a > b'>c &amp;lt;b&amp;gt; d</p>", "c &lt;b&gt; d"),
    ],
)
def test_text_of_html(content: str, text: str) -> None:
    assert content_text(clean_html(content, "https://example.org/")) == text


_PIECES = st.sampled_from(
    """<p> </p> <div> </div> <ul> <li> </li> </ul> <br> <b> </b> <pre> </pre> <h2> </h2>
    <blockquote> </blockquote> <table><tr><td> </td></tr></table> &amp; &lt; &amp;lt; a b \u00e9 - 1
    """.split()
) | st.sampled_from([" ", "\n", "<p title='x > y'>", "<img src='https://e.example/i.png'>"])


@settings(deadline=None, max_examples=300)
@given(st.lists(_PIECES, max_size=25))
def test_text_of_any_html_is_what_another_parser_finds_in_it(pieces: list[str]) -> None:
    content = clean_html("".join(pieces), "https://example.org/")
    theirs = lxml_html.fromstring(f"<div>{content}</div>").text_content()
    ours = content_text(content)
    assert re.sub(r"[\s-]", "", ours) == re.sub(r"[\s-]", "", theirs)
    assert "\n\n\n" not in ours
    assert ours == ours.strip()


class _Tags(HTMLParser):
    """Every tag and attribute as a reader's parser sees them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, str] = {}
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name: value or "" for name, value in attrs}


_PARTS = """<p> </p> <b> <i> </i> <a href= </a> <img src= > <iframe </iframe> <script> </script>
 <svg> </svg> <math> <style> </style> <title> <table> <tr> <td> <form> <pre> <ul> <li> <template>
 <noscript> <plaintext> <textarea> <xmp> <body> <html> <!doctype <!-- --> <select> <option> <ruby>
 onerror=alert(1) onload= style= javascript:alert(1) https://www.youtube.com/x /a " ' / = & &lt;
 <rt> x &#60;script&#62; <![CDATA[ ]]> <?php ?> <mglyph> <mtext> <annotation-xml>"""
_markup = st.text() | st.lists(
    st.sampled_from([*_PARTS.split(), " ", "\n", "\x00"]), max_size=20
).map("".join)


@quick
@given(_markup)
def test_nothing_that_runs_is_ever_left(markup: str) -> None:
    cleaned = clean(markup)
    seen = _Tags(cleaned)
    assert "<script" not in cleaned.lower()
    assert not seen.tags & {"script", "style", "object", "embed", "form", "svg", "math", "base"}
    assert not [name for name in seen.attributes if name.startswith("on") or name == "style"]
    for name in {"href", "src", "poster", "cite"} & seen.attributes.keys():
        assert re.match(r"https?://|mailto:|tel:", seen.attributes[name])


_TAGS = st.sampled_from(
    """a b i em p div span h1 h2 ul li dl dt dd table caption colgroup col tbody tr td th pre br hr
    ruby rt img picture video source iframe form font svg math template object button select title
    body section blockquote details summary center""".split()
)
_WRITTEN = st.sampled_from(["<{}>", "</{}>", "<{}>x", "<{} hidden>", "<{} title='<p>'>"])
_BETWEEN = st.sampled_from([*_PARTS.split(), " ", "\n", "\n \n", "&nbsp;", "\u3000", "<img src=a>"])
_tag_soup = st.lists(
    st.tuples(_WRITTEN, _TAGS).map(lambda pair: pair[0].format(pair[1])) | _BETWEEN, max_size=25
).map("".join)
_ANY = {"*": {"title", "href", "src", "alt", "width", "height", "cite"}}


@settings(deadline=None, max_examples=500)
@given(_tag_soup)
def test_any_tags_become_one_tree_in_every_parser(markup: str) -> None:
    cleaned = clean(markup)
    assert clean(cleaned) == cleaned
    reread = nh3.clean(cleaned, tags=_Tags(cleaned).tags, attributes=_ANY, link_rel=None)
    assert reread == re.sub(r"(<pre[^>]*>)\n", r"\1", cleaned)


@quick
@given(_markup)
def test_what_is_clean_stays_as_it_is(markup: str) -> None:
    cleaned = clean(markup)
    assert clean(cleaned) == cleaned


@quick
@given(st.text(), _markup)
def test_any_body_can_be_published(featured: str, body: str) -> None:
    made = record()._replace(featured=featured, body=body)
    assert isinstance(content_html(made, "https://example.org/"), str)


@pytest.mark.parametrize(
    "part",
    ["<!-- -->", "<!--", "<div>", "<p>", "<script>", "<pre>", "<b>", "[", "\n", "* ", "|", "`"],
)
def test_a_hostile_body_takes_no_long_time(part: str) -> None:
    with no_endless_time():
        published(part * (80_000 // len(part)) + "x")


@pytest.mark.parametrize("name", ["video", "audio"])
def test_what_stands_in_for_a_player_is_no_text(name: str) -> None:
    markup = f'<p>Look:</p><{name} src="https://e.example/a">Your browser cannot</{name}><p>End</p>'
    assert content_text(clean_html(markup, "https://e.example/")) == "Look:\n\nEnd"


def test_threads_that_clean_at_once_keep_their_own_base_address() -> None:
    def links(host: str) -> list[str]:
        markup = '<p><a href="page">a</a></p>' * 5
        return [clean_html(markup, f"https://{host}.example/{n}/") for n in range(500)]

    hosts = ["one", "two", "three"]
    with ThreadPoolExecutor(len(hosts)) as threads:
        cleaned = dict(zip(hosts, threads.map(links, hosts), strict=True))
    for host, pages in cleaned.items():
        for n, page in enumerate(pages):
            assert page.count(f'href="https://{host}.example/{n}/page"') == 5


def test_a_link_that_is_used_a_thousand_times_does_not_fill_the_memory() -> None:
    body = f"[a]: /{'x' * 20_000}\n\n" + "[a] " * 2_000
    made = parse(front("", body))
    [problem] = made.problems
    assert (problem.key, problem.record) == ("content", "records/post.md")
    assert "4,000,000 characters" in problem.what
    assert content_html(made.records[0], BASE) == ""
    fewer = parse(front("", f"[a]: /{'x' * 200}\n\n" + "[a] " * 2_000))
    assert not fewer.problems
    assert content_html(fewer.records[0], BASE).count("<a ") == 2_000


def test_what_is_too_deep_keeps_its_text() -> None:
    cleaned = clean("<div>" * 5_000 + "<p>a <b>b</b></p>" + "</div>" * 5_000 + "<p>c</p>")
    assert cleaned.count("<div>") == 256
    assert content_text(cleaned) == "a b\n\nc"
    assert clean(cleaned) == cleaned
