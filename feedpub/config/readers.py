"""Readers: small values that turn a YAML node of config.yaml into a checked setting.

Each reader does two things, so that they cannot disagree: it reads a node,
naming every mistake with its line and key, and it gives its JSON Schema.
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
    """A node could not be read; the mistake has been noted."""


@dataclass(slots=True, eq=False, repr=False)
class Context:
    """Where reading stands: collects the mistakes, knows the environment."""

    path: str
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    problems: list[Problem] = field(default_factory=list)

    def fail(self, node: yaml.Node, key: str, what: str, remedy: str) -> InvalidError:
        """Notes a mistake; returns what to raise where reading cannot go on."""
        line = node.start_mark.line + 1
        self.problems.append(Problem(self.path, line, key, what, remedy))
        return InvalidError()


class SettingReader(Protocol):
    """Reads one kind of setting."""

    def read(self, node: yaml.Node, key: str, context: Context) -> Any:
        """The setting; raises `InvalidError` once the mistake is noted in the context."""

    def schema(self) -> Schema:
        """The JSON Schema of what `read` takes."""


def is_null(node: yaml.Node) -> bool:
    """Whether a key was written with nothing behind it."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in {"", "~", "null"}


def kind_of(node: yaml.Node) -> str:
    """What a person calls the node."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if is_null(node) else repr(str(node.value)[:60])


def nearest(word: str, known: list[str]) -> str:
    """A remedy: the known word that is most like `word`, or all known words."""
    import difflib  # only mistakes need it

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"write one of: {', '.join(sorted(known))}"


@dataclass(eq=False, repr=False)
class Text:
    """A string; `${NAME}` and `${NAME:-default}` are taken from the environment."""

    pattern: str = ""
    meaning: str = "a text"

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        if not isinstance(node, yaml.ScalarNode) or is_null(node):
            raise context.fail(
                node,
                key,
                f"{self.meaning} is wanted, not {kind_of(node)}",
                "write one, or leave the key out",
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
            raise context.fail(node, key, "the text is empty", "write one, or leave the key out")
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
    """A path below the output whose parts are safe on every file system and host."""

    meaning: str = "a path below the output"
    parts: int = 0  # how many it must have; 0: any number

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning=self.meaning).read(node, key, context).rstrip("/")
        parts = text.split("/")
        if not all(map(is_portable, parts)) or (self.parts and len(parts) != self.parts):
            what = f"{text[:80]!r} is not {self.meaning} that is safe everywhere"
            raise context.fail(node, key, what, f"write {self.meaning}: letters, digits, - and _")
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(eq=False, repr=False)
class Url:
    """An absolute http or https address; `folder` ends it with a slash."""

    folder: bool = False

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning="an address").read(node, key, context)
        url = ""
        if not re.search(r"[\s<>\"{}|\\^`]", text):
            with contextlib.suppress(UrlError):
                url = absolute_url(text)
        if not url:
            remedy = "write the whole address, like https://example.org/"
            raise context.fail(node, key, f"{text[:80]!r} is not an http(s) address", remedy)
        text, parts = url, urlsplit(url)
        if self.folder and (parts.query or parts.fragment):
            raise context.fail(
                node, key, "an address of a folder has no ? and no #", "leave off what follows"
            )
        return text if not self.folder or text.endswith("/") else text + "/"

    def schema(self) -> Schema:
        return {"type": "string", "format": "uri", "pattern": "^(https?://|\\$\\{)"}


@dataclass(eq=False, repr=False)
class Boolean:
    """true or false (yes, no, on and off are taken as YAML 1.1 has them)."""

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
    """A whole number (or any, where `whole` is false) not below `minimum`."""

    minimum: float | None = None
    whole: bool = True

    def read(self, node: yaml.Node, key: str, context: Context) -> float:
        value = Text(meaning="a number").read(node, key, context)
        try:
            number = int(value) if self.whole else float(value)
        except ValueError:
            what = f"{value[:60]!r} is not a {'whole ' if self.whole else ''}number"
            raise context.fail(node, key, what, "write digits alone") from None
        if not math.isfinite(number):
            raise context.fail(node, key, f"{value} is no number to compare with", "write digits")
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
    """One of a few words, or of the names that plugins add to a group of entry points."""

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
            node, key, f"{value[:60]!r} is not known here", nearest(value, [*self.words, *others])
        )

    def schema(self) -> Schema:
        words = [False if word == "false" else word for word in self.words]
        return {"enum": words + (plugins.names(self.group) if self.group else [])}


@dataclass(eq=False, repr=False)
class ListOf:
    """A list; one value alone counts as a list of one."""

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
    """A mapping whose keys are the user's own, checked by `key`."""

    key: SettingReader
    value: SettingReader

    def read(self, node: yaml.Node, key: str, context: Context) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise context.fail(
                node, key, f"a mapping is wanted, not {kind_of(node)}", "write key: value lines"
            )
        values: dict[str, Any] = {}
        for name_node, child in node.value:
            try:
                name = self.key.read(name_node, key, context)
                if name in values:
                    raise context.fail(
                        name_node, f"{key}.{name}", "the key is there twice", "keep one of them"
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
    """One of two readers: `test` says whether a node is for the first."""

    test: Callable[[yaml.Node], bool]
    first: SettingReader
    second: SettingReader

    def read(self, node: yaml.Node, key: str, context: Context) -> Any:
        return (self.first if self.test(node) else self.second).read(node, key, context)

    def schema(self) -> Schema:
        return {"anyOf": [self.first.schema(), self.second.schema()]}


@dataclass(eq=False, repr=False)
class Constant:
    """A word that stands for a value: `all` for no limit, a group's true or false."""

    values: Mapping[str, Any]

    def read(self, node: yaml.Node, key: str, context: Context) -> Any:
        text = str(node.value).lower() if isinstance(node, yaml.ScalarNode) else ""
        if text in self.values:
            return self.values[text]
        raise context.fail(
            node, key, f"{kind_of(node)} is not known here", f"write {' or '.join(self.values)}"
        )

    def schema(self) -> Schema:
        spelled = {"true": True, "false": False}
        return {"enum": [spelled.get(word, word) for word in self.values]}


@dataclass(eq=False, repr=False)
class Section:
    """A mapping with known keys, read into a class.

    The keys are the fields of a dataclass that are made by `option`. A class of
    `feedpub.model` has no such fields, so its section names the keys itself.
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
                f"a mapping is wanted, not {kind_of(node)}",
                f"write key: value lines (known here: {', '.join(sorted(fields))})",
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
        """Reads what is written into `values`; False if the value of a known key is invalid."""
        valid = True
        for name_node, child in node.value:
            if not isinstance(name_node, yaml.ScalarNode):
                context.fail(name_node, key, f"a key is {kind_of(name_node)}", "write a word")
                continue
            name = str(name_node.value)
            where = f"{key}.{name}" if key else name
            if name not in fields:
                context.fail(name_node, where, "this key is not known", nearest(name, list(fields)))
                continue
            if name in values:
                context.fail(name_node, where, "the key is there twice", "keep one of them")
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
    """A dataclass field that config.yaml can set; without a default it must be set."""
    required = default is dataclasses.MISSING
    metadata = {"reader": reader, "doc": doc, "required": required}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=None if required else default, metadata=metadata)
