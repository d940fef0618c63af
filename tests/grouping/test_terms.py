"""Topics and providers: which names are one, what they are called, what is above them."""

from __future__ import annotations

from feedpub.grouping.terms import names_of
from feedpub.model import Problem, Provider

from .helpers import term, terms


def test_a_name_without_a_file_is_a_term_of_its_own() -> None:
    found = terms().term("Power Apps")
    assert (found.key, found.name, found.slug) == ("power apps", "Power Apps", "power-apps")
    assert terms().line(found.name) == [found]
    assert terms().parent(found) is None


def test_a_file_gives_name_slug_and_words() -> None:
    made = terms(
        term("Power Apps", id="pa", description="d", url="https://a.example/", image="i.jpg")
    )
    found = made.term(" power  APPS ")
    assert (found.name, found.slug) == ("Power Apps", "pa")
    assert made.described(found) == ("d", "https://a.example/", "i.jpg")


def test_aliases_and_ids_mean_the_term() -> None:
    made = terms(term("Artificial Intelligence", id="ai", other_names=("A.I.", "KI")))
    assert {made.term(name).slug for name in ("AI", "a.i.", "ki", "artificial intelligence")} == {
        "ai"
    }
    assert made.term("AI") == made.term("KI")


def test_a_name_of_its_own_goes_before_anothers_alias() -> None:
    files = term("Artificial Intelligence", other_names=("AI",)), term("AI")
    for made in (terms(*files), terms(*files[::-1])):
        assert made.term("ai").name == "AI"


def test_parents_are_named_by_name_alias_or_id() -> None:
    top, middle = term("Computers", id="it", other_names=("IT",)), term("Software", parent="IT")
    for parent in ("Software", "software"):
        made = terms(top, middle, term("Python", parent=parent))
        line = made.line("python")
        assert [above.name for above in line] == ["Python", "Software", "Computers"]
    made = terms(term("Software", parent="it"), top)
    assert made.parent(made.term("Software")) == made.term("Computers")


def test_a_parent_needs_no_file() -> None:
    made = terms(term("Python", parent="Software"))
    assert [t.slug for t in made.line("Python")] == ["python", "software"]


def test_parents_in_a_circle_are_named_and_cut() -> None:
    for circle in (["a"], ["b", "a"], ["b", "c", "a"]):
        problems: list[Problem] = []
        files = [term("abc"[n], parent=parent) for n, parent in enumerate(circle)]
        made = terms(*files, problems=problems)
        assert [problem.key for problem in problems] == ["parent"]
        assert not problems[0].fatal
        for file in files:
            line = made.line(file.name)
            assert len({above.key for above in line}) == len(line) <= len(circle)


def test_two_files_of_one_name_are_named() -> None:
    problems: list[Problem] = []
    made = terms(term("AI", id="one"), term("ai", id="two"), problems=problems)
    assert made.term("AI").slug == "one"
    assert [problem.key for problem in problems] == ["name"]


def test_two_files_of_one_id_are_named_and_do_not_share_a_feed() -> None:
    problems: list[Problem] = []
    made = terms(term("One", id="x"), term("Two", id="x"), problems=problems)
    assert made.term("One").slug == "x"
    assert made.term("Two").slug == "two"
    assert [problem.key for problem in problems] == ["_id"]


def test_a_slug_given_to_one_name_is_never_that_of_another() -> None:
    """Bar is given the slug that Foo would have, in a file or without one."""
    for files in ([term("Bar", id="foo")], [term("Foo"), term("Bar", id="foo")]):
        made = terms(*files)
        assert made.term("Bar").slug == "foo"
        if len(files) == 1:
            assert made.term("Foo").slug == "foo"  # its name is Bar's id: it means Bar
            assert made.term("Foo").name == "Bar"
        else:
            assert made.term("Foo").slug != "foo"


def test_slugs_do_not_depend_on_the_order_of_files() -> None:
    files = [term("Foo"), term("Bar", id="foo"), term("foo bar", id="foo-bar"), term("Foo-Bar")]
    slugs = [
        {f.name: terms(*order).term(f.name).slug for f in files} for order in (files, files[::-1])
    ]
    assert slugs[0] == slugs[1]
    assert len(set(slugs[0].values())) == len(files)


def test_providers_are_known_by_name_and_else_by_domain() -> None:
    made = terms(term("Acme", domain="acme.example"), term("Beta"))
    assert made.provider_term(Provider("acme.example", "acme.example")).name == "Acme"
    assert made.provider_term(Provider("Acme", "elsewhere.example")).name == "Acme"
    assert made.provider_term(Provider("Acme Channel", "acme.example")).name == "Acme Channel"
    assert made.provider_term(Provider("new.example", "new.example")).name == "new.example"


def test_names_of_a_configuration_mean_terms() -> None:
    made = terms(term("Artificial Intelligence", id="ai"))
    assert names_of(["AI", "Bees"], made) == {"artificial intelligence", "bees"}
