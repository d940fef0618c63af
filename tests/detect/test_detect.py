"""What each tool's settings make of the configuration, in this process."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.config import load_config
from feedpub.detect import detect
from feedpub.detect.render import config_text, scalar
from feedpub.detect.types import Detected, ProposedSource, SiteFacts, link_pattern
from feedpub.run.query import read_records, read_terms
from feedpub.run.report import RunOptions
from tests.e2e.sites import RIVER, eleventy, hugo, jekyll, page


def written(root: Path) -> dict[str, str]:
    """Title → link of what the written configuration takes in; nothing is a problem."""
    detected = detect(root)
    assert detected is not None
    path = root / "config.yaml"
    path.write_text(config_text(detected, 2026), "utf-8")
    config = load_config(path, {})
    problems: list = []
    terms = read_terms(config, problems)
    reading = read_records(config, terms, RunOptions(as_of=datetime.now(UTC)))
    assert not problems + reading.problems
    return {record.title: record.link for record in reading.items}


@pytest.mark.parametrize(
    ("permalink", "link"),
    [
        ("pretty", "/work/glue/2024/03/01/glue-up/"),
        ("none", "/work/glue/glue-up.html"),
        ("/:year/:title/", "/2024/glue-up/"),
        ("posts/:slug:output_ext", "/posts/glue-up.html"),
    ],
)
def test_jekyll_permalinks(tmp_path: Path, permalink: str, link: str) -> None:
    site = jekyll(tmp_path, f"url: https://shed.example.net\npermalink: {permalink}\n")
    assert written(site.root)["Glue up"] == f"https://shed.example.net{link}"


@pytest.mark.parametrize("permalink", ["ordinal", "/:year/:i_month/:title/", "/{x}/:title", "/a"])
def test_a_permalink_that_cannot_be_said_is_to_be_checked(tmp_path: Path, permalink: str) -> None:
    site = jekyll(tmp_path, f"permalink: {permalink}\nurl: https://shed.example.net\n")
    link = written(site.root)["Glue up"]
    assert f"# CHECK: permalink: {permalink}" in (tmp_path / "config.yaml").read_text()
    assert link == "https://shed.example.net/work/glue/2024/03/01/glue-up.html"


@pytest.mark.parametrize(
    ("said", "link"),
    [
        ("uglyURLs = true", "/posts/high-water.html"),
        (
            "defaultContentLanguage = 'de'\ndefaultContentLanguageInSubdir = true",
            "/de/posts/high-water/",
        ),
        ("permalinks = {posts = '/:weekday/:slug'}", "/posts/high-water/"),
    ],
)
def test_hugo_settings_for_addresses(tmp_path: Path, said: str, link: str) -> None:
    site = hugo(tmp_path, "hugo.toml", f"baseURL = '{RIVER}'\n{said}\n")
    assert written(site.root)["High water"] == RIVER + link


EVIL = 'x"\\n- evil: [1]\\n#'


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"\x00\x01\xff\xfe", id="binary"),
        pytest.param(b"title: [" * 5000, id="deep"),
        pytest.param(
            b"a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\ntitle: *b\n", id="aliases"
        ),
        pytest.param(b"title: " + b"x" * 3_000_000, id="huge"),
        pytest.param(
            b"title: {a: b}\nurl: [1]\npermalink: {a: b}\ndefaults: x\ncollections: 3\n", id="types"
        ),
        pytest.param(
            b"defaults: [x, {scope: [], values: {}}, {scope: {path: {}, type: {}}}]\n", id="lists"
        ),
        pytest.param(
            f'title: "{EVIL}"\nurl: "{EVIL}"\ndescription: "{EVIL}"\n'.encode(), id="YAML"
        ),
        pytest.param(b'title: "${HOME}"\ndescription: "a ${PATH} b"\n', id="variables"),
        pytest.param(b'permalink: "/x\\n- evil: 1\\n/:title"\nlang: "en\\nx: y"\n', id="lines"),
        pytest.param(b'permalink: "/javascript:alert(1)/:title"\n', id="script"),
        pytest.param(b"timezone: ../../etc/passwd\nauthor: {name: {}, email: x}\n", id="paths"),
        pytest.param(b'url: "http://[::1"\nbaseurl: "/../.."\n', id="no address"),
        pytest.param(b"!!python/object/apply:os.system ['touch evil']\n", id="objects"),
    ],
)
def test_settings_are_not_trusted(tmp_path: Path, said: bytes) -> None:
    site = jekyll(tmp_path / "site")
    site.write("_config.yml", said)
    links = written(site.root)
    text = (site.root / "config.yaml").read_text("utf-8")
    assert "${" not in text
    config = yaml.safe_load(text)
    assert set(config) == {"site", "records", "output", "feeds"}
    assert len(config["records"]) == 1
    assert set(links) == {"A dovetail", "Glue up"}
    assert all(link.startswith("https://example.org/") for link in links.values())


VALUES = st.one_of(
    st.text(),
    st.sampled_from(["https://a.example.net/x", "//x", "a: b", "${HOME}", "\u2028#", "Asia/Tokyo"]),
    st.none(),
    st.lists(st.text(), max_size=2),
    st.dictionaries(st.sampled_from(["name", "email", "url"]), st.text(), max_size=3),
)
FACTS = ("title", "home", "description", "language", "timezone", "author")


@given(st.fixed_dictionaries(dict.fromkeys(FACTS, VALUES)), st.text(), st.text())
@settings(max_examples=100, deadline=None)
def test_whatever_a_site_says_the_configuration_loads(
    tmp_path_factory: pytest.TempPathFactory, facts: dict, note: str, link: str
) -> None:
    # A folder of its own: commands of other tests find a configuration in those above them.
    root = tmp_path_factory.getbasetemp() / "whatever-a-site-says"
    (root / "posts").mkdir(parents=True, exist_ok=True)
    pattern = link_pattern(f"{link}{{slug}}")
    detected = Detected(
        name="a site",
        evidence="",
        about=SiteFacts.of(**facts),
        sources=(ProposedSource("posts", pattern, (note,)),),
        output="feeds",
        served_at="feeds/",
        serving=(note,),
    )
    path = root / "config.yaml"
    path.write_bytes(config_text(detected, 2026).encode())
    config = load_config(path, {})
    assert [source.path for source in config.settings.records] == ["posts"]
    assert config.settings.records[0].link == pattern


@pytest.mark.parametrize(
    "text",
    ["plain", "a: b", "#x", "- x", "null", "'", '"', "&a", "é", "x #y", "x: ", "{a}", "[", "!t"],
)
@pytest.mark.parametrize("in_braces", [False, True])
def test_a_text_is_the_same_when_it_is_read_again(text: str, in_braces: bool) -> None:
    line = scalar(text, in_braces)
    assert "\n" not in line
    document = f"a: {{b: {line}, c: d}}" if in_braces else f"a: {line}  # a comment"
    value = yaml.safe_load(document)["a"]
    assert (value["b"] if in_braces else value) == text


def test_a_page_that_cannot_be_read_does_not_tear_a_folder_apart(tmp_path: Path) -> None:
    site = eleventy(tmp_path, "src")
    for name in ("a", "b", "c/c"):
        site.write(f"src/log/{name}.md", page(name.upper()[0]))
    site.write("src/log/script.md", "---js\nconst title = 'x'\n---\n")
    detected = detect(tmp_path)
    assert detected is not None
    assert [(source.path, source.link) for source in detected.sources] == [
        ("src/log/**/*.md", "/log/{slug}/")
    ]
    assert "1 file" in detected.sources[0].notes[0]


def test_a_page_that_is_a_folder_of_its_own(tmp_path: Path) -> None:
    site = hugo(tmp_path, "hugo.toml", f"baseURL = '{RIVER}'\n")
    site.write("content/trips/alps/index.md", page("Alps"))
    site.write("content/trips/alps/drafts/x.md", page("X"))
    assert written(tmp_path)["Alps"] == f"{RIVER}/trips/alps/"
