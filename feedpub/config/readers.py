"""Readers, which convert a YAML node of config.yaml to a validated setting.

A reader both reads a node, reporting every mistake with line and key, and returns its JSON
Schema, so the two stay consistent.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml

from feedpub import plugins
from feedpub.errors import FeedpubError
from feedpub.model import Problem
from feedpub.paths import is_portable
from feedpub.urls import UrlError, absolute_url

Schema = dict[str, Any]

TRUE = frozenset({"true", "yes", "on"})
FALSE = frozenset({"false", "no", "off"})
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class InvalidError(FeedpubError):
    """A setting is invalid. The problem is already in the context."""


@dataclass(slots=True, eq=False, repr=False)
class Context:
    """The state of reading a file: its problems, and the environment."""

    path: str
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    problems: list[Problem] = field(default_factory=list)

    def fail(self, node: yaml.Node, key: str, what: str, remedy: str) -> InvalidError:
        """Adds a problem, and returns the error to raise if reading cannot continue."""
        line = node.start_mark.line + 1
        self.problems.append(Problem(self.path, line, key, what, remedy))
        return InvalidError()


class SettingReader(Protocol):
    """Reads settings of one type."""

    def read(self, node: yaml.Node, key: str, context: Context) -> Any:
        """The value of the setting. Raises `InvalidError` after adding a problem to the context."""

    def schema(self) -> Schema:
        """The JSON Schema of valid values."""


def is_null(node: yaml.Node) -> bool:
    """Whether a node is empty or null."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in {"", "~", "null"}


def kind_of(node: yaml.Node) -> str:
    """A node in messages."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if is_null(node) else repr(str(node.value)[:60])


def nearest(word: str, known: list[str]) -> str:
    """A remedy: the most similar known word, or all known words."""
    import difflib  # needed for mistakes only

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"write one of: {', '.join(sorted(known))}"


@dataclass(eq=False, repr=False)
class Text:
    """A string, in which `${NAME}` and `${NAME:-default}` are environment variables."""

    pattern: str = ""
    meaning: str = "a text"

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        if not isinstance(node, yaml.ScalarNode) or is_null(node):
            raise context.fail(
                node,
                key,
                f"expected {self.meaning}, not {kind_of(node)}",
                "write one, or remove the key",
            )

        def substitute(match: re.Match[str]) -> str:
            name, default = match.groups()
            value = context.environ.get(name) or default
            if value is None:
                raise context.fail(
                    node,
                    key,
                    f"the environment variable {name} is not set",
                    f"set it, or write ${{{name}:-default}}",
                )
            return value

        text = _UNPRINTABLE.sub("", _VARIABLE.sub(substitute, str(node.value))).strip()
        if not text:
            raise context.fail(node, key, "the text is empty", "write one, or remove the key")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise context.fail(
                node, key, f"{text[:80]!r} is not {self.meaning}", f"write {self.meaning}"
            )
        return text

    def schema(self) -> Schema:
        schema: Schema = {"type": "string"}
        return schema | {"pattern": f"^(?:{self.pattern})$"} if self.pattern else schema


@dataclass(eq=False, repr=False)
class OutputPath:
    """A path in the output folder that is valid on every file system and host."""

    meaning: str = "a path below the output folder"
    parts: int = 0  # required number of parts; 0: any

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning=self.meaning).read(node, key, context).rstrip("/")
        parts = text.split("/")
        if not all(map(is_portable, parts)) or (self.parts and len(parts) != self.parts):
            what = f"{text[:80]!r} is not {self.meaning} that is valid on every host"
            remedy = f"write {self.meaning}: letters, digits, ., - and _"
            raise context.fail(node, key, what, remedy)
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(eq=False, repr=False)
class Url:
    """An absolute http or https URL. With `folder`, a trailing slash is added."""

    folder: bool = False

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning="a URL").read(node, key, context)
        url = ""
        if not re.search(r"[\s<>\"{}|\\^`]", text):
            with contextlib.suppress(UrlError):
                url = absolute_url(text)
        if not url:
            remedy = "write a complete URL like https://example.org/"
            raise context.fail(node, key, f"{text[:80]!r} is not an http(s) URL", remedy)
        text, parts = url, urlsplit(url)
        if self.folder and (parts.query or parts.fragment):
            raise context.fail(
                node, key, "the URL of a folder cannot contain ? or #", "remove that part"
            )
        return text if not self.folder or text.endswith("/") else text + "/"

    def schema(self) -> Schema:
        return {"type": "string", "format": "uri", "pattern": "^(https?://|\\$\\{)"}


@dataclass(eq=False, repr=False)
class Boolean:
    """true or false (or yes, no, on, off, as in YAML 1.1)."""

    def read(self, node: yaml.Node, key: str, context: Context) -> bool:
        value = node.value.lower() if isinstance(node, yaml.ScalarNode) else ""
        if value in TRUE:
            return True
        if value in FALSE:
            return False
        raise context.fail(
            node, key, f"{kind_of(node)} is not true or false", "write true or false"
        )

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(eq=False, repr=False)
class Number:
    """A number, at least `minimum`; an integer if `whole`."""

    minimum: float | None = None
    whole: bool = True

    def read(self, node: yaml.Node, key: str, context: Context) -> float:
        value = Text(meaning="a number").read(node, key, context)
        try:
            number = int(value) if self.whole else float(value)
        except ValueError:
            what = f"{value[:60]!r} is not a {'whole ' if self.whole else ''}number"
            raise context.fail(node, key, what, "write only digits") from None
        if not math.isfinite(number):
            raise context.fail(node, key, f"{value} is not a finite number", "write digits")
        if self.minimum is not None and number < self.minimum:
            raise context.fail(
                node, key, f"{value} is too small", f"write {self.minimum:g} or more"
            )
        return number

    def schema(self) -> Schema:
        schema: Schema = {"type": "integer" if self.whole else "number"}
        return schema if self.minimum is None else schema | {"minimum": self.minimum}


@dataclass(eq=False, repr=False)
class Choice:
    """One of some words, or of the names that plugins add to a group of entry points."""

    words: tuple[str, ...]
    group: str = ""  # "" for none

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        value = Text(meaning=f"one of {', '.join(self.words)}").read(node, key, context)
        for word in self.words:
            if (
                value == word
                or value.lower() == word
                or (word == "false" and value.lower() in FALSE)
            ):
                return word
        others = plugins.names(self.group) if self.group else []
        if value in others:
            return value
        raise context.fail(
            node, key, f"{value[:60]!r} is unknown", nearest(value, [*self.words, *others])
        )

    def schema(self) -> Schema:
        words = [False if word == "false" else word for word in self.words]
        return {"enum": words + (plugins.names(self.group) if self.group else [])}


@dataclass(eq=False, repr=False)
class ListOf:
    """A list. A single value is a list of one."""

    item: SettingReader

    def read(self, node: yaml.Node, key: str, context: Context) -> tuple[Any, ...]:
        if not isinstance(node, yaml.SequenceNode):
            return (self.item.read(node, key, context),)
        values = []
        for n, child in enumerate(node.value):
            try:
                values.append(self.item.read(child, f"{key}[{n}]", context))
            except InvalidError:
                continue
        return tuple(values)

    def schema(self) -> Schema:
        item = self.item.schema()
        return {"anyOf": [{"type": "array", "items": item}, item]}


@dataclass(eq=False, repr=False)
class MapOf:
    """A mapping with keys chosen by the user, which `key` reads."""

    key: SettingReader
    value: SettingReader

    def read(self, node: yaml.Node, key: str, context: Context) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise context.fail(
                node, key, f"expected a mapping, not {kind_of(node)}", "write key: value lines"
            )
        values: dict[str, Any] = {}
        for name_node, child in node.value:
            try:
                name = self.key.read(name_node, key, context)
                if name in values:
                    raise context.fail(
                        name_node, f"{key}.{name}", "the key appears twice", "keep one of them"
                    )
                values[name] = self.value.read(child, f"{key}.{name}", context)
            except InvalidError:
                continue
        return values

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": self.key.schema(),
            "additionalProperties": self.value.schema(),
        }


@dataclass(eq=False, repr=False)
class Either:
    """Two readers. Nodes for which `test` is true are read by the first."""

    test: Callable[[yaml.Node], bool]
    first: SettingReader
    second: SettingReader

    def read(self, node: yaml.Node, key: str, context: Context) -> Any:
        return (self.first if self.test(node) else self.second).read(node, key, context)

    def schema(self) -> Schema:
        return {"anyOf": [self.first.schema(), self.second.schema()]}


@dataclass(eq=False, repr=False)
class Constant:
    """A word for a value, such as `all` for no limit."""

    values: Mapping[str, Any]

    def read(self, node: yaml.Node, key: str, context: Context) -> Any:
        text = str(node.value).lower() if isinstance(node, yaml.ScalarNode) else ""
        if text in self.values:
            return self.values[text]
        raise context.fail(
            node, key, f"{kind_of(node)} is unknown", f"write one of: {', '.join(self.values)}"
        )

    def schema(self) -> Schema:
        spelled = {"true": True, "false": False}
        return {"enum": [spelled.get(word, word) for word in self.values]}


@dataclass(eq=False, repr=False)
class Section:
    """A mapping with known keys, converted to an instance of a class.

    The keys are the fields of a dataclass that `option` makes. A class of `feedpub.model` has
    no such fields, so its section lists the keys.
    """

    cls: type[Any]
    short: tuple[str, SettingReader] | None = None  # the key that a scalar stands for
    keys: Mapping[str, Any] = field(default_factory=dict)  # name → option()

    def options(self) -> dict[str, dataclasses.Field[Any]]:
        """The keys, each with its reader, description and default."""
        for name, key in self.keys.items():
            key.name = name
        return dict(self.keys) or {
            key.name: key for key in dataclasses.fields(self.cls) if "reader" in key.metadata
        }

    def read(self, node: yaml.Node, key: str, context: Context) -> Any:
        fields = self.options()
        if self.short and isinstance(node, yaml.ScalarNode):
            name, reader = self.short
            return self.cls(**{name: reader.read(node, key, context)})
        if not isinstance(node, yaml.MappingNode):
            raise context.fail(
                node,
                key,
                f"expected a mapping, not {kind_of(node)}",
                f"write key: value lines (known keys: {', '.join(sorted(fields))})",
            )
        values: dict[str, Any] = {}
        valid = self._read_keys(node, key, fields, values, context)
        for name, f in fields.items():
            if f.metadata["required"] and name not in values:
                where = f"{key}.{name}" if key else name
                if valid:
                    context.fail(node, where, "the key is missing", f"add it: {f.metadata['doc']}")
                valid = False
        if not valid:
            raise InvalidError
        return self.cls(**values)

    def _read_keys(
        self,
        node: yaml.MappingNode,
        key: str,
        fields: Mapping[str, dataclasses.Field[Any]],
        values: dict[str, Any],
        context: Context,
    ) -> bool:
        """Reads the keys into `values`. Returns False if the value of a known key is invalid."""
        valid = True
        for name_node, child in node.value:
            if not isinstance(name_node, yaml.ScalarNode):
                context.fail(name_node, key, f"a key is {kind_of(name_node)}", "write a word")
                continue
            name = str(name_node.value)
            where = f"{key}.{name}" if key else name
            if name not in fields:
                context.fail(name_node, where, "this key is unknown", nearest(name, list(fields)))
                continue
            if name in values:
                context.fail(name_node, where, "the key appears twice", "keep one of them")
                continue
            if is_null(child) and not fields[name].metadata["required"]:
                continue
            try:
                values[name] = fields[name].metadata["reader"].read(child, where, context)
            except InvalidError:
                valid = False
        return valid

    def schema(self) -> Schema:
        properties: Schema = {}
        required = []
        for f in self.options().values():
            properties[f.name] = {"description": f.metadata["doc"]} | f.metadata["reader"].schema()
            if f.metadata["required"]:
                required.append(f.name)
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            schema["required"] = required
        return {"anyOf": [schema, self.short[1].schema()]} if self.short else schema


def option(reader: SettingReader, doc: str, default: Any = dataclasses.MISSING) -> Any:
    """A dataclass field that config.yaml can set. Without a default, it is required."""
    required = default is dataclasses.MISSING
    metadata = {"reader": reader, "doc": doc, "required": required}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=None if required else default, metadata=metadata)
