"""What a record costs grows as the record does: nothing in it takes the square of its length."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable

import pytest

from feedpub.keys import KEYS
from feedpub.records.content import content_html, content_text, is_html
from feedpub.records.sanitize import clean_html

from .helpers import front, parse, record

# Characters. FEEDPUB_SOAK looks further, for what is small at these sizes.
SMALLEST, LARGEST = 4_096, 262_144 if os.environ.get("FEEDPUB_SOAK") else 65_536
MOST = 2.6  # times the cost, for twice the length
NOISE = 0.04  # seconds: what takes less is not compared
TRIES = 4

Made = Callable[[int], str]  # a text of about so many characters


def seconds(work: Callable[[str], object], text: str) -> float:
    """The CPU time that it takes."""
    gc.disable()  # it takes the time of whatever else there is in memory
    try:
        start = time.process_time()
        work(text)
        return time.process_time() - start
    finally:
        gc.enable()


def assert_linear(work: Callable[[str], object], made: Made, largest: int = LARGEST) -> None:
    """Fails if twice the text takes much more than twice the time, also when it is tried again."""
    size, before = SMALLEST, NOISE
    while size < largest:
        size *= 2
        text = made(size)
        after = seconds(work, text)
        for _ in range(TRIES):  # on a busy machine the least of several is nearest to the cost
            if after <= max(NOISE, MOST * before):
                break
            before = max(before, seconds(work, made(size // 2)))
            after = min(after, seconds(work, text))
        assert after <= max(NOISE, MOST * before), (
            f"{size // 2:,} characters take {before:.3f} s, {size:,} take {after:.3f} s"
        )
        before = after


def repeated(part: str, before: str = "", behind: str = "") -> Made:
    return lambda size: before + part * (size // len(part)) + behind


def numbered(part: str) -> Made:
    """The same with another number in each."""
    return lambda size: "".join(part.replace("#", str(n)) for n in range(size // (len(part) + 3)))


HTML = [
    '<div>', '<div></x>', '<div></div>', '</div>', '<p>', '<p>x', '</p>', '<b>', '<b><p>',
    '<p><b>', '<b></p>', '<i><b><u>', '<b><i></b></i>', '<a href=x>', '<a href=x><p>',
    '<p><a href=/a>x', '<span>', '<x>', '</x>', '<o:p>', '<table>', '<table><tr><td>', '<table>x',
    '<table><br>', '<tr><td>x', '<table><b>', '<caption>', '<col>', '<ul><li>', '<li>x',
    '<dl><dt>', '<dd>x', '<h1>', '<h1><b>', '<ruby><rt>', '<pre>', '<pre>\n', '<pre <pre ',
    '<!--', '<!-- -->', '<!', '<?x?>', '<![CDATA[', '<![CDATA[x]]>', '<', '</', '<a', '<a ',
    '<a b=', "<a b='", '<a b="', "<a title='<' ", '<html ', '<html>', '<html\n', '<body a=b>',
    '<base href=x>', '<script>', '<script></script>', '<style>', '<title>', '<textarea>',
    '<plaintext>', '<noscript>', '<template>', '<object>', '<button>', '<select>', '<svg>',
    '<svg><p>', '<math><mi>', '<form><p>', '<p hidden>', "<b style='display:none'>",
    '<img src=x>', "<img srcset='a 1x, b 2x'>", '<br>', '<hr>', '<iframe>',
    '<video><source src=x>', '<picture>', '<details><summary>', '<font>', '&', '&amp;', '&#',
    '&#1;', '&nbsp;', '&a', '&notit;', 'x ', ' ', '\n', '\n ', '\xa0', '\u200b', '\n<p>\n',
    '\n<!-- -->', ' <!-- -->', 'x<p></p>', '<div><p></p></div>', '\xe9', "<a href='x y'>",
    '<p x>',
]  # fmt: skip
ATTRIBUTES = [
    ("<p title='", '&'), ("<p title='", '\xa0'), ("<img srcset='", 'a '), ("<img srcset='", 'a,'),
    ("<img srcset='", 'a ('), ("<img srcset='a ", ' '), ("<a href='", '&copy'),
    ("<a href='", '../'), ("<a href='//", '\xe9.'), ("<a href='", '%'),
    ("<a style='", 'display '), ('<p ', 'x '), ('<p ', 'x=y '),
]  # fmt: skip
MARKDOWN = [
    '[', '[a]', '[a](', '[a](b)', '![', '[[a]', '[a][b]', '*', '**', '*_', '_', '*a', '*a_',
    '**a*', '_a ', '~~', '`', '``a`', '```\n', '\\', '<', '<a', '<a@b', '<!--', '<p>\n',
    '<div>\n\n', '&', '# a\n', 'a\n', '\n', ' \n', '> ', '> a\n', '- ', '- a\n', '1. a\n',
    '- a\n  - b\n', '---\n', '|', '|a|\n', '|a|b|\n|-|-|\n', '[a]: b\n', '[a]:',
    '[a]: /b\n\n[a] ', '{% raw %}', '{%', '\t- ',
]  # fmt: skip


@pytest.mark.parametrize("part", HTML)
def test_html(part: str) -> None:
    def work(text: str) -> str:
        return content_text(clean_html(text, "https://e.example/"))

    assert_linear(work, repeated(part))
    assert_linear(work, repeated(part, "<p>a ", " b</p>"))


@pytest.mark.parametrize(("before", "part"), ATTRIBUTES)
def test_attributes(before: str, part: str) -> None:
    def work(text: str) -> str:
        return clean_html(text, "https://e.example/")

    assert_linear(work, repeated(part, before, "'>x"))


@pytest.mark.parametrize("part", HTML + MARKDOWN)
def test_whether_it_is_html(part: str) -> None:
    assert_linear(is_html, repeated(part))
    assert_linear(is_html, repeated(part, "<p>a ", "\nb"))


@pytest.mark.parametrize("part", MARKDOWN)
def test_markdown(part: str) -> None:
    def work(body: str) -> str:
        return content_html(record()._replace(body=body, body_type=""), "https://e.example/")

    assert_linear(work, repeated(part, "a ", " b"), LARGEST // 4)


TEXTS = [
    'a ', '+0000(', '(', '<', '<a ', '<!--', '&', '@', 'a@b (', '<a@b>', '0', '1:', '/', '%',
    'a.', '\xe9', ', ',
]  # fmt: skip
LISTED = ["a#.jpg", "{url: 'https://e/#.mp3'}", "{name: x#}", "a# <b@c.d>", "{}", "x"]


@pytest.mark.parametrize("key", [names[0] for names in KEYS.values()])
def test_keys(key: str) -> None:
    def work(value: str) -> object:
        return parse(front(f"{key}: {value}"))

    for part in TEXTS:
        assert_linear(work, repeated(part, '"', '"'))
        assert_linear(work, repeated(part, '"1 Jan 2020 10:00 a@b ', ' x"'))
    for part in LISTED:
        listed = numbered(f"{part}, ")
        assert_linear(work, lambda size, listed=listed: f"[{listed(size)}]")


@pytest.mark.parametrize(
    ("made", "path"),
    [
        (lambda n: front("x: 1\n" * (n // 5)), "a.md"),
        (lambda n: front(numbered("k#: 1\n")(n // 2) * 2), "a.md"),
        (lambda n: front(f"m: {{{'a: 1, ' * (n // 6)}}}"), "a.md"),
        (lambda n: front("a: &a x\nb: [" + "*a, " * (n // 4) + "]"), "a.md"),
        (lambda n: front("images:\n" + "- {url: 'javascript:x'}\n" * (n // 25)), "a.md"),
        (lambda n: '{"x": [' + '{"a":1,"a":2},\n' * (n // 15) + "1]}", "a.json"),
        (lambda n: "{" + '"x":1,' * (n // 6) + '"y":2}', "a.json"),
        (lambda n: "{" + numbered('"k#":1,')(n // 2) * 2 + '"y":2}', "a.json"),
        (lambda n: '{"title":"a"}\n' * (n // 14), "a.jsonl"),
        (lambda n: f"+++\ntitle='a'\ndate=2026-01-01\nimages=[{'1,' * (n // 2)}]\n+++\n", "a.md"),
        (lambda n: "+++\n" + numbered("k#=1\n")(n) + "+++\n", "a.md"),
    ],
)
def test_front_matter(made: Made, path: str) -> None:
    assert_linear(lambda text: parse(text, f"records/{path}"), made)
