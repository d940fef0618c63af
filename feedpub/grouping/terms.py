"""Topics and providers: their aliases, slugs, descriptions and parents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedpub.grouping.slugs import name_key, slugify
from feedpub.model import Problem, Provider, Term, TermFile


class Description(NamedTuple):
    """The optional description of a term in its taxonomy file."""

    description: str = ""
    url: str = ""
    image: str = ""


class Terms:
    """One taxonomy: finds the `Term` of a name, including aliases, and its ancestors."""

    def __init__(self, files: Sequence[TermFile], problems: list[Problem]) -> None:
        self._by_name: dict[str, Term] = {}
        self._by_domain: dict[str, Term] = {}
        self._cache: dict[str, Term] = {}
        self._lines: dict[str, list[Term]] = {}
        self._described: dict[str, Description] = {}
        self._parents: dict[str, Term] = {}
        by_slug: dict[str, str] = {}
        usable: list[tuple[TermFile, Term]] = []
        given = {file.id for file in files if file.id}
        for file in files:
            key = name_key(file.name)
            if key in self._by_name:
                what = f"{file.name!r} has two taxonomy files"
                problems.append(_note(file, "name", what, "keep one of them; this one was ignored"))
                continue
            slug = file.id or slugify(file.name, frozenset(given))
            if slug in by_slug:
                what = f"{by_slug[slug]} has the slug {slug!r}, too"
                problems.append(_note(file, "_id", what, "choose another one; it was ignored"))
                slug = slugify(file.name, frozenset(given))
            by_slug[slug] = file.path
            term = Term(key, file.name, slug)
            self._by_name[key] = term
            self._described[key] = Description(file.description, file.url, file.image)
            usable.append((file, term))
        for file, term in usable:
            for alias in (file.id, *file.other_names):
                if alias:
                    self._by_name.setdefault(name_key(alias), term)
            if file.domain:
                self._by_domain.setdefault(file.domain, term)
        self._given = frozenset(given)
        self._read_parents(usable, problems)

    def _read_parents(
        self, usable: Iterable[tuple[TermFile, Term]], problems: list[Problem]
    ) -> None:
        for file, term in usable:
            if not file.parent:
                continue
            above: Term | None = self.term(file.parent)
            if above is None or above.key == term.key or term.key in self._keys_above(above):
                what = f"the topic is its own ancestor, through the parent {file.parent!r}"
                remedy = "correct one of the parents; it was ignored"
                problems.append(_note(file, "parent", what, remedy))
                continue
            self._parents[term.key] = above

    def _keys_above(self, term: Term) -> set[str]:
        keys: set[str] = set()
        above = self._parents.get(term.key)
        while above is not None and above.key not in keys:
            keys.add(above.key)
            above = self._parents.get(above.key)
        return keys

    def term(self, name: str) -> Term:
        """The term of a name or an alias."""
        found = self._cache.get(name)
        if found is None:
            key = name_key(name)
            found = self._by_name.get(key) or Term(key, name, slugify(name, self._given))
            self._cache[name] = found
        return found

    def provider_term(self, provider: Provider) -> Term:
        """The term of a provider, found by its name, or by its domain if it has no name."""
        if provider.name == provider.domain and provider.domain in self._by_domain:
            return self._by_domain[provider.domain]
        return self.term(provider.name)

    def line(self, name: str) -> list[Term]:
        """The term of a name, followed by its ancestors."""
        found = self._lines.get(name)
        if found is None:
            found = self._lines[name] = [self.term(name)]
            while (above := self._parents.get(found[-1].key)) is not None:
                found.append(above)
        return found

    def parent(self, term: Term) -> Term | None:
        """The parent of a term, None if it has none."""
        return self._parents.get(term.key)

    def described(self, term: Term) -> Description:
        """The description of a term, empty if it has none."""
        return self._described.get(term.key, Description())


class Taxonomies(NamedTuple):
    """Both taxonomies."""

    topics: Terms
    providers: Terms


def _note(file: TermFile, key: str, what: str, remedy: str) -> Problem:
    return Problem(file.path, 1, key, what, remedy, fatal=False)


def names_of(names: Iterable[str], terms: Terms) -> frozenset[str]:
    """The keys of the terms with these names."""
    return frozenset(terms.term(name).key for name in names)
