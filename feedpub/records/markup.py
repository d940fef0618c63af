"""Tags and texts in any order → a fragment of HTML that every parser reads in one way.

`Builder` follows the standard's tree construction (HTML, 13.2.6) as far as content needs it: what
closes what, what a table may hold, which formatting goes on behind a paragraph. It writes as it
goes, so that each tag is looked at once, and what it has written is closed, nested as HTML allows,
and the same when it is read and built again. Simpler than the standard: what is misplaced in a
table gets a cell where it stands, and formatting that ends inside a block may end with that block.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from feedpub.errors import FeedpubError
from feedpub.records.text import strip_unprintable
from feedpub.records.tokens import decoded

MAX_DEPTH = 256  # deeper elements are unwrapped: their content stays
MAX_REOPENED = 8  # formatting elements that go on in another block
MAX_RUN = 4_096  # characters of text that are written in one piece
MAX_INDENT = 200  # characters of a blank line that is seen as one where it is in several texts

VOID = frozenset(
    "area base br col embed frame hr img input link meta param source track wbr".split()
)
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_FORMATTING = frozenset("a b big code em i s small strike strong tt u".split())
_BLOCKS = _HEADINGS | frozenset(
    """address article aside blockquote center details dialog dir div dl fieldset figcaption figure
    footer form header hgroup hr li dd dt listing main menu nav ol p plaintext pre search section
    summary table ul""".split()
)
# Blocks that are unwrapped, but still separate their content from the text around them.
UNWRAPPED_BLOCKS = frozenset(
    "address dialog dir fieldset form hgroup listing menu plaintext search".split()
)
_TABLE_PARTS = frozenset("caption col colgroup tbody td tfoot th thead tr".split())
_IN_TABLE = frozenset("table tbody thead tfoot tr colgroup".split())  # hold no text
_BODIES = frozenset("tbody thead tfoot".split())
_CELLS = frozenset("td th caption".split())
_OTHER_SCOPES = frozenset("applet foreignobject marquee object template".split())
_SCOPES = _CELLS | _OTHER_SCOPES | {"table"}  # 13.2.4.2: no end tag reaches out of them
_P_SCOPES = _SCOPES | {"button"}
_LIST_SCOPES = _SCOPES | {"ol", "ul"}
_SPECIAL = _BLOCKS | _SCOPES | _TABLE_PARTS | {"button", "iframe", "select"}
_THROUGH = frozenset({"address", "div", "p"})  # special, and yet a list's next item closes them
_IMPLIED = frozenset("dd dt li p rp rt".split())  # their end tags are left out
_FOREIGN = frozenset({"svg", "math"})
# 13.2.6.5: HTML that ends a drawing in which it stands.
_BREAKOUT = frozenset(
    """b big blockquote br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li menu
    meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var""".split()
)
# Elements that are removed if they are empty and have no attributes: they would be visible gaps.
_NOTHING_IF_EMPTY = frozenset("p div span figure a picture center li section".split())

_COMMENT = "<!---->"
_BLANK_LINES = re.compile(r"\n(?:[ \t]*+\n)++")
_LEADING_BLANK = re.compile(r"(?:[ \t]*+\n)++")
_ENDS_LINE = re.compile(r"\n[ \t]*+\Z")


class ContentSizeError(FeedpubError):
    """Content would be larger than is allowed."""


class _Element:
    """An open element; `tag` is "" for one that is not written."""

    removable = False  # removed if empty
    full = False  # has content
    ended = False  # its end tag came while blocks in it were open
    cut = False  # removed with its content
    before = after = ""  # tags of formatting that is closed before it and reopened in it
    saved: Sequence[tuple[str, str]] = ()  # formatting to reopen after a cell

    def __init__(self, name: str, tag: str, at: int, context: str) -> None:
        self.name = name
        self.tag = tag
        self.at = at  # index of its start tag in the parts
        self.context = context  # name of the nearest written element: this one, or an ancestor


class Builder:
    """Builds the markup from tags and texts."""

    def __init__(self, limit: int) -> None:
        """`limit` is how many characters may be written: more raise `ContentSizeError`."""
        self.is_cut = 0  # number of open elements that are left out
        self._parts: list[str] = []
        self._stack: list[_Element] = []
        self._open: dict[str, int] = defaultdict(int)  # number of elements in the stack, by name
        self._deeper: dict[
            str, int
        ] = {}  # number of open elements that are unwrapped because they are too deep
        self._pending: list[tuple[str, str]] = []  # formatting to be reopened: name, start tag
        self._limit = limit
        self._size = 0  # characters written, at least
        self._run = 0  # characters of text since the last tag
        # Of these, characters of repeated tags, which are limited: a few tags could repeat often.
        self._reopened = -MAX_RUN

    def result(self) -> str:
        """Closes all open elements; returns the markup."""
        self._close(0)
        return "".join(self._parts).strip()

    @property
    def innermost(self) -> str:
        """The name of the innermost written element, "" if there is none."""
        return self._stack[-1].context if self._stack else ""

    def is_open(self, name: str) -> bool:
        """Whether an element with this name is open, at any depth."""
        return bool(self._open.get(name))

    def break_out(self, name: str) -> None:
        """Closes the drawing or the formula that this start tag ends (13.2.6.5)."""
        if name in _BREAKOUT:
            for at in range(len(self._stack) - 1, -1, -1):
                element = self._stack[at]
                if element.name in _FOREIGN:
                    self._close(at)
                elif element.tag == "<>":  # HTML stands in it (see `sanitize._INTEGRATION`)
                    return

    # Input

    def text(self, text: str, is_decoded: bool = False) -> None:
        """A text, with its character references unless it `is_decoded`."""
        if self.is_cut:
            return
        if "&" in text and not is_decoded:
            has_numbers = "&#" in text
            text = decoded(text)
            if has_numbers:  # no named reference stands for such a character
                text = strip_unprintable(text).replace("\r", "\n")
        if not text:
            return
        stack = self._stack
        if stack and stack[-1].context in _IN_TABLE and text.strip(" \t\n"):
            self._into_cell()
        if not text.isspace() or "\xa0" in text:
            if self._pending:
                self._reopen()
            if stack:
                stack[-1].full = True
            text = escaped(text)
        if text := self._in_pre(text) if self._open.get("pre") else self._spaced(text):
            self._write(text)

    def _in_pre(self, text: str) -> str:
        pre = self._stack[-1]
        if text[0] == "\n" and pre.name == "pre" and len(self._parts) == pre.at + 1:
            # HTML parsers drop a newline at the start of a pre: nh3's, then the reader's.
            return f"\n\n{text}"
        return text

    def _spaced(self, text: str) -> str:
        """The text without blank lines."""
        if text.count("\n") > 1:
            text = _BLANK_LINES.sub("\n", text)
        if self._parts and self._parts[-1][-1] in " \t\n" and text[0] in " \t\n":
            return self._joined(text)
        return text

    def _write(self, text: str) -> None:
        parts = self._parts
        self._size += len(text)
        if self._size > self._limit:
            raise ContentSizeError
        is_first = not parts or parts[-1][0] == "<"
        self._run = len(text) if is_first else self._run + len(text)
        parts.append(self._parted(text) if self._run > MAX_RUN else text)

    def _parted(self, text: str) -> str:
        """A long text with comments in it, which nh3 takes out.

        It writes a text in the square of the `&` and the no-break spaces that are in it.
        """
        pieces, at = [], 0
        while at < len(text):
            end = at + MAX_RUN
            if (reference := text.rfind("&", max(at, end - 6), end)) > at:
                end = reference
            pieces.append(text[at:end])
            at = end
        self._run = len(pieces[-1])
        before = _COMMENT if self._parts[-1:] and self._parts[-1][-1] not in " \t\n>" else ""
        return before + _COMMENT.join(pieces)

    def _joined(self, text: str) -> str:
        """The text, with blank lines that began in the text before it made one line end."""
        last = self._parts[-1]
        line = _ENDS_LINE.search(last)
        if line is None or len(line[0]) > MAX_INDENT:
            return text
        blank = _LEADING_BLANK.match(text)
        if blank is None and text.strip(" \t"):
            return text
        joined = f"\n{text[blank.end() :]}" if blank else line[0] + text
        if line.start():
            self._parts[-1] = last[: line.start()]
        else:
            del self._parts[-1]
        return joined

    def void(self, name: str, tag: str, is_content: bool = True) -> None:
        """An element that holds nothing: its start tag, or all of it."""
        if name in _TABLE_PARTS:
            self._part_of_table(name, tag)
            return
        if name == "br" and self._stack and self._stack[-1].context in _IN_TABLE:
            self._before_table(tag)
            return
        self._into_cell()
        if name in _BLOCKS:
            self._close_p()
        elif self._pending and name not in {"source", "track"}:
            self._reopen()
        if not self.is_cut:
            self._append(tag)
            if self._stack:
                self._stack[-1].full = True

    def start(self, name: str, tag: str, cut: bool = False) -> None:
        """A start tag; `tag` is what is written of it, and "" leaves its element unwrapped.

        With `cut` the element goes with what it holds.
        """
        if name in _TABLE_PARTS:
            self._part_of_table(name, tag, cut)
            return
        if name == "table":
            stack = self._stack
            if (
                stack
                and stack[-1].context in _IN_TABLE
                and (at := self._find("table", _OTHER_SCOPES)) is not None
            ):
                self._close(at)
        elif tag or cut:
            if tag and name in _FORMATTING and self._stack and self._stack[-1].context in _IN_TABLE:
                self._pending = [*self._pending, (name, tag)][-MAX_REOPENED:]
                return
            self._into_cell()
        if name in _BLOCKS:
            self._make_room(name)
        else:
            if name == "a" and not self.is_cut:
                self._pending = [kept for kept in self._pending if kept[0] != "a"]
                if self._open.get("a") and not self._end_outer_link():
                    return
            if name in {"rt", "rp"} and self._open.get("ruby"):
                while self._stack and self._stack[-1].name in _IMPLIED:
                    self._pop()
            if self._pending and (tag or cut):
                self._reopen()
        self._push(name, tag, cut)

    def end(self, name: str) -> None:
        """An end tag."""
        stack = self._stack
        if stack and stack[-1].name == name and not self._pending and not self._deeper:
            self._pop()
            return
        if self._deeper.get(name):
            self._deeper[name] -= 1
            return
        if name in _FORMATTING:
            if not self._forget(name) and self._open.get(name):
                self._end_formatting(name)
        elif name == "br":
            self.void("br", "<br>")
        elif self._open.get(name) or name in _HEADINGS:
            names = _HEADINGS if name in _HEADINGS else (name,)
            at = self._find_any(names, _end_scopes(name))
            if at is not None:
                self._close(at)

    def _forget(self, name: str) -> bool:
        """Drops formatting that is waiting to be reopened; returns whether there was any."""
        for n in range(len(self._pending) - 1, -1, -1):
            if self._pending[n][0] == name:
                del self._pending[n]
                return True
        return False

    # Implied end tags

    def _make_room(self, name: str) -> None:
        """Closes elements that cannot contain a block (13.2.6.4.7)."""
        if name == "li":
            self._close_item(("li",))
        elif name in {"dd", "dt"}:
            self._close_item(("dd", "dt"))
        self._close_p()
        if name in _HEADINGS:
            above = self._written_above()
            if above is not None and self._stack[above].name in _HEADINGS:
                self._close(above)

    def _written_above(self) -> int | None:
        for at in range(len(self._stack) - 1, -1, -1):
            if self._stack[at].tag:
                return at
        return None

    def _close_p(self) -> None:
        if self._open.get("p") and (at := self._find("p", _P_SCOPES)) is not None:
            self._close(at)

    def _close_item(self, names: tuple[str, ...]) -> None:
        if not any(self._open.get(name) for name in names):
            return
        for at in range(len(self._stack) - 1, -1, -1):
            element = self._stack[at]
            if element.name in names:
                self._close(at)
                return
            if (element.tag or element.cut) and element.name in _SPECIAL - _THROUGH:
                return

    def _end_outer_link(self) -> bool:
        """Closes the link in which another one begins; returns whether that was possible."""
        at = self._find("a", _P_SCOPES | {"select"})
        if at is None:
            return True  # one around a table: a cell may have links of its own
        above = self._stack[at + 1 :]
        if any(element.cut for element in above):
            return False
        blocks = [element for element in above if element.name in _SPECIAL]
        self._close(at, reopened=at + 1)
        for block in blocks:
            self._make_room(block.name)
            self._push(block.name, block.tag)
        return True

    def _end_formatting(self, name: str) -> None:
        """Ends a formatting element, also where blocks that began in it are open."""
        at = self._find(name, _SCOPES)
        if at is None:
            return
        blocks = [element for element in self._stack[at + 1 :] if element.name in _SPECIAL]
        if not blocks:
            self._close(at, reopened=at + 1)
            return
        element = self._stack[at]
        tag, last = element.tag, self._stack.index(blocks[-1])
        cost = (len(tag) + len(name) + 3) * len(blocks)
        if (
            last != at + len(blocks)
            or element.removable
            or (blocks[0].name in _HEADINGS and at and self._stack[at - 1].context in _HEADINGS)
            or cost > self._size - self._reopened
            or any(block.cut or not block.tag for block in blocks)
        ):
            element.ended = True
            return
        # 13.2.6.4.7, the adoption agency: what is in the blocks is formatted there.
        self._reopened += cost
        self._size += cost
        self._close(last + 1)
        for block in blocks:
            block.before, block.after = f"{block.before}</{name}>", f"{tag}{block.after}"
            self._parts[block.at] = f"{block.before}{block.tag}{block.after}"
            block.full = True
        del self._stack[at]
        self._open[name] -= 1
        if at:
            self._stack[at - 1].full = True
        self._append(f"</{name}>")

    # Tables (13.2.6.4.9 to 13.2.6.4.15)

    def _before_table(self, tag: str) -> None:
        """Puts a line break before the table that it stands in (13.2.6.1, foster parenting)."""
        at = self._find("table", _OTHER_SCOPES)
        if at is None or self.is_cut or len(self._stack[at].before) > MAX_INDENT:
            return
        table = self._stack[at]
        table.before += tag
        self._size += len(tag)
        self._parts[table.at] = f"{table.before}{table.tag}{table.after}"

    def _into_cell(self) -> None:
        """Opens a cell for content that is in a table, but in no cell."""
        if self._stack and self._stack[-1].context in _IN_TABLE:
            self._part_of_table("td", "<td>", implied=True)

    def _part_of_table(self, name: str, tag: str, cut: bool = False, implied: bool = False) -> bool:
        """Whether a part of a table is open."""
        if self._deeper.get("table") or not self._open.get("table"):
            return False
        at = self._find_any(_IN_TABLE | _CELLS, _OTHER_SCOPES)
        if at is None:
            return False
        holder = self._stack[at].name
        while True:
            holder = self._stack[at].name
            if holder in _CELLS:
                self._close(at)
            elif holder == "table" or (
                (holder == "tr" and name in {"td", "th"})
                or (holder in _BODIES and name in {"tr", "td", "th"})
                or (holder == "colgroup" and name == "col")
            ):
                self._close(at + 1)
                break
            else:
                self._close(at)
            found = self._find_any(_IN_TABLE | _CELLS, _OTHER_SCOPES)
            if found is None:
                return False
            at = found
        if name == "col":
            if holder == "table":
                self._push("colgroup", "<colgroup>", forced=True)
            if not self.is_cut:
                self._append(tag)
                self._stack[-1].full = True
            return True
        if name in {"tr", "td", "th"} and holder == "table":
            self._push("tbody", "<tbody>", forced=True, removable=True)
            holder = "tbody"
        if name in {"td", "th"} and holder in _BODIES:
            self._push("tr", "<tr>", forced=True, removable=True)
        self._push(name, tag, cut, forced=True, removable=implied)
        return True

    # The stack

    def _push(
        self, name: str, tag: str, cut: bool = False, forced: bool = False, removable: bool = False
    ) -> None:
        stack = self._stack
        if len(stack) >= MAX_DEPTH and not forced and (self.is_cut or not cut):
            self._deeper[name] = self._deeper.get(name, 0) + 1
            return
        context = name if tag or cut else stack[-1].context if stack else ""
        element = _Element(name, tag, len(self._parts), context)
        if removable or (name in _NOTHING_IF_EMPTY and len(tag) == len(name) + 2):
            element.removable = True
        if name in _CELLS:
            element.saved, self._pending = self._pending, []
        stack.append(element)
        self._open[name] += 1
        if cut:
            element.cut = True
            self.is_cut += 1
        if tag and not self.is_cut:
            self._size += len(tag)
            if self._size > self._limit:
                raise ContentSizeError
            self._parts.append(tag)

    def _pop(self) -> None:
        stack = self._stack
        while True:
            element = stack.pop()
            name = element.name
            self._open[name] -= 1
            if self._deeper:
                self._deeper.clear()
            if name in _CELLS:
                self._pending = list(element.saved)
            if element.cut:
                self.is_cut -= 1
            elif self.is_cut:
                pass
            elif not element.tag:
                if element.full and stack:
                    stack[-1].full = True
            elif element.removable and not element.full:
                del self._parts[element.at :]
            else:
                end = f"</{name}>"
                self._size += len(end)
                self._parts.append(end)
                if stack:
                    stack[-1].full = True
            if not (stack and stack[-1].ended):
                return

    def _close(self, at: int, reopened: int | None = None) -> None:
        """Closes the element at this place in the stack, with all above it."""
        stack = self._stack
        if len(stack) - 1 <= at:
            if len(stack) - 1 == at:
                element = stack[at]
                if reopened is None and element.name in _FORMATTING and not self.is_cut:
                    self._pending.insert(0, (element.name, element.tag))
                self._pop()
            return
        reopened = at if reopened is None else reopened
        again = [
            (element.name, element.tag)
            for element in stack[reopened:]
            if element.name in _FORMATTING and element.tag and not element.ended
        ]
        has_cell = any(element.name in _CELLS for element in stack[at:])
        was_cut = self.is_cut
        while len(stack) > at:
            self._pop()
        if again and not has_cell and not was_cut:
            self._pending = (again + self._pending)[-MAX_REOPENED:]

    def _reopen(self) -> None:
        """Opens again the formatting that went on when a block ended (13.2.4.3)."""
        if self.is_cut:
            return
        pending, self._pending = self._pending, []
        for name, tag in pending:
            if self._reopened <= self._size and not (name == "a" and self._open.get("a")):
                self._reopened += 2 * len(tag)
                self._push(name, tag)

    def _find(self, name: str, scopes: frozenset[str]) -> int | None:
        return self._find_any((name,), scopes)

    def _find_any(
        self, names: frozenset[str] | tuple[str, ...], scopes: frozenset[str]
    ) -> int | None:
        """Where the innermost of these is in the stack; None if it is out of scope."""
        stack = self._stack
        for at in range(len(stack) - 1, -1, -1):
            element = stack[at]
            if element.name in names:
                return at
            if element.name in scopes and (element.tag or element.cut):
                return None
        return None

    def _append(self, part: str) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise ContentSizeError
        self._parts.append(part)


@cache
def _end_scopes(name: str) -> frozenset[str]:
    """The elements that an end tag does not reach out of."""
    if name == "table" or name in _TABLE_PARTS:
        return _OTHER_SCOPES | {"table"}
    if name in {"li", "p"}:
        return _LIST_SCOPES if name == "li" else _P_SCOPES
    return _SCOPES if name in _SPECIAL else _SPECIAL


def escaped(text: str) -> str:
    """A text as nh3 writes it."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text if text.isascii() else text.replace("\xa0", "&nbsp;")


def start_tag(name: str, attributes: dict[str, str]) -> str:
    """A start tag as nh3 writes it."""
    if not attributes:
        return f"<{name}>"
    written = [f' {key}="{_quoted(value)}"' for key, value in attributes.items()]
    return f"<{name}{''.join(written)}>"


def _quoted(value: str) -> str:
    value = escaped(value)
    return value.replace('"', "&quot;") if '"' in value else value
