"""What people and machines write into files, and what attackers do."""

from __future__ import annotations

import json
from typing import NamedTuple

from hypothesis import strategies as st

from feedpub.keys import OUR_KEYS

HOSTILE = [
    "\x00", "\u202e", "\u2066", "\ufeff", "\ud83d\ude00", "\\ud83d\\ude00", "\\ud800", "\x1b[31m",
    "]]>", "<!--", "-->", "<![CDATA[", "&#0;", "&#xD800;", "&amp;", "&nbsp;", "<?xml?>",
    "<script>alert(1)</script>", "javascript:alert(1)", "data:text/html,x", "//[", "http://[::1",
    "http://[/:title", "/:title/{x}", "mailto:/:title", "{year}/{", "%", "%zz", "%00", "../" * 5,
    "/proc/self", "file:///etc/passwd", "~", "null", "true", "0x" + "f" * 50, "1" * 5000, "1e999",
    "-1", "NaN", ".inf", "2020-01-01", "9999-12-31", "0001-01-01", "2020-02-30T25:61:61+99:99",
    "Mon, 06 Jan 2020 10:00:00 +0000(" * 3, "12:60", "P1Y", "PT99999999999999999999S", "*a", "&a",
    "!!python/object:os.system", "<<", "? a", "- - -", "[[[[", "{{{{", "{% raw %}", "{{ x }}",
    "[x]: y", "[x][x]", "```", "|a|b|\n|-|-|", "a" * 300, "con", "..", ".", "C++", "\u65e5\u672c",
    "\u0130", "\u00df", "e\u0301", "\U0001f4a1", "\u00a0", "\u2028", "\u0085", "\r\n", "\t",
]  # fmt: skip


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join),
)
SCALARS = st.one_of(
    TEXTS,
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.just(10**400),
    st.dates().map(str),
)
KEYS = st.one_of(st.sampled_from(OUR_KEYS), st.sampled_from(["name", "url", "type", "width", "x"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
# A record that has what it needs, so that what else it says is read.
FIELDS = st.dictionaries(KEYS, VALUES, max_size=6).map(
    lambda fields: {"title": "T", "date": "2020-01-02"} | fields
)
PIECES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=20),
    st.sampled_from(
        """<p> </p> <div> </div> <a\x20href="x"> </a> <img\x20src="x"> <img> <table> <td>
        </table> <iframe\x20src="https://www.youtube.com/embed/abcdefghijk"> </iframe>
        <video\x20src=x> <b <pre> </pre> <svg> </svg> <math> <template> <style> </style>
        <textarea> <title> <html> <body> <base\x20href="//["> <p\x20hidden>
        <p\x20style="display:none"> <li> <ul> <h1> <select> <option> srcset="a,b(
        <a\x20b="<"> # ## > - * ** __ ` ~~~ | --- === 1. [a](b) ![a](b) <http://x> \\""".split()
    ),
)
MARKUP = st.lists(PIECES, max_size=30).map(" ".join) | st.lists(PIECES, max_size=30).map("".join)


def _as_json(value: object) -> str:
    return json.dumps(value, default=str)


def _toml(fields: dict[str, object]) -> str:
    """TOML whose values are JSON's: most of these are TOML, too."""
    return "\n".join(f"{json.dumps(key)} = {_as_json(value)}" for key, value in fields.items())


def _lines(fields: dict[str, object], quoted: bool) -> str:
    return "".join(f"{key}: {_as_json(v) if quoted else v}\n" for key, v in fields.items())


FRONT_MATTER = st.one_of(
    FIELDS.map(lambda fields: f"---\n{_as_json(fields)}\n---\n"),  # JSON is YAML
    FIELDS.map(lambda fields: f"---\n{_lines(fields, quoted=True)}---\n"),
    FIELDS.map(lambda fields: f"---\n{_lines(fields, quoted=False)}---\n"),
    FIELDS.map(lambda fields: f"+++\n{_toml(fields)}\n+++\n"),
    FIELDS.map(lambda fields: _as_json(fields) + "\n\n"),
)


class Damage(NamedTuple):
    """What happens to a file that was written well."""

    how: str
    where: float  # as a part of the whole
    what: bytes

    def done_to(self, data: bytes) -> bytes:
        at = int(self.where * len(data))
        if self.how == "cut":
            return data[:at]
        if self.how == "changed":
            return data[:at] + self.what + data[at + 1 :]
        if self.how == "put in":
            return data[:at] + self.what + data[at:]
        if self.how == "replaced":
            return self.what
        return data + data[at:] if self.how == "twice" else data


DAMAGE = st.builds(
    Damage,
    st.sampled_from(["cut", "changed", "put in", "twice", "replaced"]),
    st.floats(0, 1),
    st.binary(max_size=3) | st.sampled_from(HOSTILE).map(encoded),
)


def damaged(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Files as they were written, and others that something has happened to."""
    written = texts.map(encoded)
    return written | st.builds(Damage.done_to, DAMAGE, written)
