"""`feedpub init` in sites of other tools: what it writes is run as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.harness import GOOD, Run, Site, front, record, stamps, tree_of
from tests.e2e.sites import (
    ASTRO,
    HUGO,
    RIVER,
    add_posts,
    astro,
    eleventy,
    hexo,
    hugo,
    jekyll,
    page,
    undated,
    vault,
)

PROGRAM = f"{shlex.quote(sys.executable)} -m feedpub"  # as the tests call it


def closing(run: Run) -> str:
    """The last line, whatever the command is called here."""
    return run.err.splitlines()[-1].replace(PROGRAM, "feedpub")


def init(site: Site, *args: str) -> Run:
    """Runs init, and proves that a second one finds nothing left to do."""
    run = site.run("init", *args)
    assert run.code == 0, run.text
    assert not run.out  # messages are no results
    before = stamps(site.root)
    again = site.run("init", *args)
    assert again.code == 0, again.text
    assert stamps(site.root) == before
    return run


def config_of(site: Site, name: str = "config.yaml") -> dict:
    return yaml.safe_load((site.root / name).read_text("utf-8"))


def published(site: Site, name: str = "config.yaml") -> dict[str, str]:
    """Title → link of all items, made with nothing edited; and nothing is complained of."""
    before = {k: v for k, v in tree_of(site.root).items() if not k.startswith(".feedpub/")}
    run = site.run("-c", name, "generate", "--report", "report.json")
    assert run.code == 0, run.text
    assert not run.err, run.err  # no problem lines
    assert site.counts()[3:] == (0, 0)
    (site.root / "report.json").unlink()
    config = config_of(site, name)
    site.feeds = (site.root / name).parent / config["output"]
    feeds = site.feeds.resolve()
    for path, data in before.items():
        file = site.root / path
        assert feeds in file.resolve().parents or file.read_bytes() == data
    for source in config["records"]:
        path = source if isinstance(source, str) else source["path"]
        base = (site.root / path.split("*")[0].split("[")[0]).resolve()
        assert "[" in path or "*" in path or base not in feeds.parents
    items = site.items() if (site.feeds / "feed.json").exists() else []
    return {item["title"]: item.get("url", "") for item in items}


def no_sample(site: Site) -> None:
    assert not list(site.root.rglob("hello.md"))


# --- Jekyll -------------------------------------------------------------


def test_jekyll(tmp_path: Path) -> None:
    site = jekyll(tmp_path)
    run = init(site)
    assert "found a Jekyll site: _config.yml, 3 posts in _posts" in run.err
    advice = "Add config.yaml and ids.jsonl to `exclude:` in _config.yml"
    assert f"{advice}, or Jekyll will publish them" in run.err
    assert closing(run) == "next: review config.yaml, then run feedpub generate"
    no_sample(site)
    config = config_of(site)["site"]
    assert config["title"] == "Notes from the shed"
    assert config["description"] == "Wood, glue and patience"
    assert config["home"] == "https://shed.example.net/blog/"
    assert config["url"] == "https://shed.example.net/blog/feeds/"
    assert (config["timezone"], config["language"]) == ("Europe/Vienna", "en-GB")
    assert config["author"] == {"name": "Jo Carver", "email": "jo@example.net"}
    home = "https://shed.example.net/blog"
    assert published(site) == {
        "Glue up": f"{home}/work/glue/2024/03/01/glue-up.html",
        "A dovetail": f"{home}/2024/02/29/a-dovetail.html",
    }
    assert site.feeds == tmp_path / "feeds"


def test_jekyll_of_defaults_and_of_sections(tmp_path: Path) -> None:
    site = jekyll(
        tmp_path,
        "url: https://shed.example.net\n"
        'defaults: [{scope: {path: "", type: posts}, values: {permalink: "/:categories/:title/"}}]',
    )
    site.write("Tools/_posts/2024-04-01-a-plane.md", front("title: A plane"))
    init(site)
    links = published(site)
    assert links["A plane"] == "https://shed.example.net/tools/a-plane/"
    assert links["A dovetail"] == "https://shed.example.net/a-dovetail/"


def test_a_jekyll_site_without_posts_gets_the_folder(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("_config.yml", "title: New\n")
    run = init(site)
    assert "_posts: created" in run.err
    assert closing(run) == (
        "next: set site.url, site.id and site.home in config.yaml, then run feedpub generate"
    )
    text = (tmp_path / "config.yaml").read_text()
    assert "never change it" not in text
    assert re.search("id: .*# CHANGE THIS before you first publish, then never again", text)
    assert published(site) == {}
    site.write("_posts/2024-04-01-first.md", front("title: First"))
    assert published(site) == {"First": "https://example.org/2024/04/01/first.html"}


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ("[LICENSE]", "Add config.yaml and ids.jsonl to `exclude:` in _config.yml"),
        ("[config.yaml]", "Add ids.jsonl to `exclude:` in _config.yml, or Jekyll will publish it"),
        ("['*.jsonl', config.yaml]", ""),
    ],
)
def test_jekyll_is_told_once_what_to_leave_out(tmp_path: Path, listed: str, said: str) -> None:
    site = jekyll(tmp_path, f"url: https://shed.example.net\nexclude: {listed}\n")
    run = init(site)
    assert said in run.err
    assert said or "exclude" not in run.err


# --- Hexo ---------------------------------------------------------------


def test_hexo(tmp_path: Path) -> None:
    site = hexo(tmp_path)
    run = init(site)
    assert "found a Hexo site: _config.yml, 2 posts in source/_posts" in run.err
    assert "exclude" not in run.err
    text = (tmp_path / "config.yaml").read_text()
    assert "add feeds/** to `skip_render:` in _config.yml" in text
    assert "# CHECK: {path} is in lower case; Hexo's :title" in text  # for Saw.md
    assert published(site) == {
        "Hello": "https://lab.example.net/2013/07/14/hello-lab/",
        "Saw": "https://lab.example.net/2024/03/05/tools/saw/",
    }
    assert site.feeds == tmp_path / "source/feeds"


@pytest.mark.parametrize(
    ("said", "link"),
    [
        ("permalink: posts/:title.html", "/posts/hello-lab.html"),
        (
            "permalink: :year/:name.html\npretty_urls: {trailing_html: false}",
            "/2013/hello-lab",
        ),
        ("permalink: :hash/", "/2013/07/14/hello-lab/"),
        ("root: /bench/\npermalink: :title/", "/bench/hello-lab/"),
    ],
)
def test_hexos_settings_for_addresses(tmp_path: Path, said: str, link: str) -> None:
    site = hexo(tmp_path, f"url: https://lab.example.net\n{said}\n")
    (tmp_path / "source/_posts/tools/Saw.md").unlink()
    (tmp_path / "package.json").unlink()
    init(site)
    assert published(site) == {"Hello": f"https://lab.example.net{link}"}


def test_jekyll_with_its_posts_in_source_is_no_hexo(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("_config.yml", "source: source\nurl: https://shed.example.net\n")
    site.write("source/_posts/2024-02-29-a-dovetail.md", front("title: A dovetail"))
    assert "found a Jekyll site" in init(site).err
    assert list(published(site).values()) == ["https://shed.example.net/2024/02/29/a-dovetail.html"]


# --- Hugo ---------------------------------------------------------------

DEFAULTS = {
    "High water": f"{RIVER}/posts/high-water/",
    "A note": f"{RIVER}/notes/a/",
    "Ice": f"{RIVER}/posts/thin-ice/",
}


def test_hugo(tmp_path: Path) -> None:
    site = hugo(tmp_path, "config.toml", HUGO)
    run = init(site)
    assert "found a Hugo site: config.toml, 4 dated pages in content" in run.err
    no_sample(site)
    config = config_of(site)
    assert config["site"]["title"] == "River log"
    assert config["site"]["description"] == "Water, mostly"
    assert config["site"]["language"] == "de-AT"
    assert config["site"]["author"] == {"name": "Kim Ford"}
    assert config["site"]["url"] == f"{RIVER}/feeds/"
    assert config["output"] == "static/feeds"
    assert published(site) == DEFAULTS


def test_hugos_own_config_yaml_stays_byte_for_byte(tmp_path: Path) -> None:
    own = "baseURL: https://river.example.net/\r\ntitle: 'River: log'\r\n# mine\r\n"
    site = hugo(tmp_path, "config.yaml", own)
    run = init(site)
    assert (tmp_path / "config.yaml").read_bytes() == own.encode()
    assert "feedpub.yaml: created" in run.err
    assert closing(run).endswith(", then run feedpub generate")
    assert config_of(site, "feedpub.yaml")["site"]["title"] == "River: log"
    assert published(site, "feedpub.yaml") == DEFAULTS
    assert (tmp_path / "config.yaml").read_bytes() == own.encode()


@pytest.mark.parametrize("name", ["config.json", "config/_default/hugo.toml"])
def test_hugo_would_read_a_config_yaml_before_these(tmp_path: Path, name: str) -> None:
    settings = '{"baseURL": "https://river.example.net/"}' if name.endswith("json") else HUGO
    site = hugo(tmp_path, name, settings)
    run = init(site)
    assert not (tmp_path / "config.yaml").exists()
    assert closing(run).endswith("feedpub generate")
    assert published(site, "feedpub.yaml") == DEFAULTS


def test_hugo_permalinks(tmp_path: Path) -> None:
    site = hugo(
        tmp_path,
        "hugo.toml",
        HUGO
        + "[permalinks.page]\nposts = '/:year/:month/:contentbasename/'\nnotes = '/n/:title'\n",
    )
    init(site)
    assert "# CHECK: if a page has no `slug:`, Hugo uses" in (tmp_path / "config.yaml").read_text()
    assert published(site) == {
        "High water": f"{RIVER}/2024/03/High-Water/",
        "A note": f"{RIVER}/n/a/",
        "Ice": f"{RIVER}/2024/01/thin-ice/",
    }


def test_hugos_sections_may_have_the_names_of_what_tools_build(tmp_path: Path) -> None:
    site = hugo(tmp_path, "hugo.toml", HUGO)
    site.write("content/posts/build/c.md", page("Built"))
    site.write("content/resources/b.md", page("Resource"))
    site.write("resources/_gen/x.md", page("Theirs"))
    init(site)
    assert published(site) == DEFAULTS | {
        "Built": f"{RIVER}/posts/build/c/",
        "Resource": f"{RIVER}/resources/b/",
    }


# --- Eleventy -----------------------------------------------------------


@pytest.mark.parametrize(
    ("top", "folder", "path", "config"),
    [
        ("", "posts", "posts", ".eleventy.js"),
        ("content", "content/blog", "blog", "eleventy.config.js"),
        ("src", "src/writing/garden log", "writing/garden%20log", "eleventy.config.cjs"),
    ],
)
def test_eleventy(tmp_path: Path, top: str, folder: str, path: str, config: str) -> None:
    site = eleventy(tmp_path, top, config)
    add_posts(site, folder)
    run = init(site)
    assert f"found an Eleventy site: {config}, 3 dated pages in {folder}" in run.err
    no_sample(site)
    text = (tmp_path / "config.yaml").read_text()
    assert 'eleventyConfig.addPassthroughCopy("feeds");' in text
    home = f"https://garden.example.net/{path}"
    assert published(site) == {
        "Seeds": f"{home}/seeds/",
        "Roots": f"{home}/roots/",
        "Leaves": f"{home}/Leaves/",
    }
    assert [p.name for p in (site.feeds / "topics").iterdir()] == ["spring"]


def test_eleventy_that_copies_a_folder(tmp_path: Path) -> None:
    copy = 'eleventyConfig.addPassthroughCopy({\n\t\t"./public/": "/"\n\t})'
    text = f"export default function (eleventyConfig) {{\n  {copy};\n}}\n"
    site = eleventy(tmp_path, "", "eleventy.config.js", text)
    site.write("public/logo.svg", "<svg/>")
    add_posts(site, "blog")
    site.write("blog/blog.json", '{"permalink": "/log/{{ page.fileSlug }}/index.html"}')
    init(site)
    assert published(site)["Seeds"] == "https://garden.example.net/log/seeds/"
    assert site.feeds == tmp_path / "public/feeds"


# --- Astro --------------------------------------------------------------


def test_astro(tmp_path: Path) -> None:
    site = astro(tmp_path)
    run = init(site)
    assert "found an Astro site: astro.config.mjs, 2 dated pages in src/content/blog" in run.err
    no_sample(site)
    text = (tmp_path / "config.yaml").read_text()
    assert "feedpub does not read .mdx or .mdoc: moon.mdx" in text
    assert "CHECK" not in text
    assert config_of(site)["site"]["title"] == "Star notes"
    assert published(site) == {"First light": "https://stars.example.net/blog/first-light/"}
    assert site.feeds == tmp_path / "public/feeds"


def test_astro_with_another_route_and_another_key(tmp_path: Path) -> None:
    settings = ASTRO.replace("});", "  base: '/sky',\n  trailingSlash: 'never',\n});")
    site = astro(tmp_path, settings)
    (tmp_path / "src/pages/blog/[...slug].astro").unlink()
    site.write("src/pages/posts/[...slug]/index.astro", "---\nawait getCollection('blog');\n---\n")
    site.write(
        "src/content/blog/orbit.md", front("title: Orbit", "pubDatetime: 2023-08-01T10:00:00Z")
    )
    init(site)
    assert config_of(site)["fields"] == {"date": "pubDatetime"}
    assert published(site) == {
        "Orbit": "https://stars.example.net/sky/posts/orbit",
        "First light": "https://stars.example.net/sky/posts/first-light",
    }


def test_astro_pages_in_markdown(tmp_path: Path) -> None:
    site = astro(tmp_path)
    for path in ("First Light.md", "dew.md", "moon.mdx"):
        (tmp_path / "src/content/blog" / path).unlink()
    site.write("src/pages/posts/post-1.md", front("title: One", "pubDate: 2022-07-01"))
    init(site)
    assert published(site) == {"One": "https://stars.example.net/posts/post-1/"}


def test_astro_pages_whose_dates_cannot_be_read(tmp_path: Path) -> None:
    site = astro(tmp_path, ASTRO.replace("stars.example.net", "example.com"))
    for path in ("First Light.md", "dew.md", "moon.mdx"):
        (tmp_path / "src/content/blog" / path).unlink()
    for name in ("first", "second"):
        date = "pubDate: 'some time in 2022'"
        site.write(f"src/content/blog/{name}.md", front(f"title: {name}", date))
    run = init(site)
    no_sample(site)
    assert "2 dated pages in src/content/blog" in run.err
    assert (
        "2 pages have a date that feedpub cannot read, such as src/content/blog/first.md:3: "
        "'some time in 2022' is not a date"
    ) in run.err
    assert config_of(site)["records"] == [{"path": "src/content/blog", "link": "/blog/{path}/"}]
    assert closing(run).startswith("next: set site.url, site.id and site.home")


# --- Obsidian -----------------------------------------------------------


def test_obsidian(tmp_path: Path) -> None:
    site = vault(tmp_path / "My Vault")
    run = init(site)
    assert (
        "found an Obsidian vault: .obsidian, 2 notes with a title and a date in Reading" in run.err
    )
    no_sample(site)
    before = set(tree_of(site.root))
    assert published(site) == {"Old ways": "", "The Peregrine": ""}
    assert site.feeds.resolve() == (tmp_path / "My-Vault-feeds").resolve()
    added = set(tree_of(site.root)) - before
    assert all(name.startswith(".feedpub/") for name in added)
    assert config_of(site)["site"]["title"] == "My Vault"


def test_a_vault_without_dated_notes_is_told_what_is_wanted(tmp_path: Path) -> None:
    site = vault(tmp_path / "vault")
    for note in (site.root / "Reading").glob("*.md"):
        note.unlink()
    run = init(site)
    assert "a note becomes an item when it is in Published/" in run.err
    assert published(site) == {}
    site.write("Published/New.md", page("New"))
    assert published(site) == {"New": ""}


def test_notes_that_are_dated_in_another_way(tmp_path: Path) -> None:
    site = vault(tmp_path / "vault")
    site.write("Essays/One.md", front("title: One", "created: 2024-05-05"))
    init(site)
    assert config_of(site)["fields"] == {"date": "created"}
    assert set(published(site)) == {"One", "Old ways", "The Peregrine"}


# --- Any folder of records ----------------------------------------------


def test_a_folder_of_records_with_taxonomies(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for n in range(3):
        link = f"originalUrl: https://elsewhere.example.net/{n}"
        site.write(f"news/2024-01-0{n + 1}-n{n}.md", record(f"News {n}", link, "topics: [Birds]"))
        site.write(
            f"videos/{n}.yaml",
            f"title: Film {n}\ndate: 2023-01-0{n + 1}\nurl: https://v.example.net/{n}\n",
        )
    site.write("people/kim.md", front("name: Kim", "bio: Writes"))
    site.write("topics/birds.yaml", "_id: feathered\nname: Birds\n")
    site.write(
        "organizations/club.md", front("_id: club", "name: Club", "domain: club.example.net")
    )
    site.write("README.md", "# Mine\n")
    run = init(site)
    assert "found a folder of records: 6 records in news, videos" in run.err
    no_sample(site)
    config = config_of(site)
    assert config["records"] == ["news", "videos"]
    assert config["taxonomy"] == {"providers": "organizations", "topics": "topics"}
    links = published(site)
    assert links["News 2"] == "https://elsewhere.example.net/2"
    assert len(links) == 6
    assert (site.feeds / "topics/feathered/rss.xml").exists()


def test_records_beside_files_that_are_none(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("log/index.md", undated("Log"))
    site.write("log/2023/a.md", page("A"))
    site.write("log/2024/b.md", page("B"))
    site.write("log/drafts/c.md", page("C"))
    site.write("essays/2024-01-01-d.md", page("D"))
    site.write("essays/contents.md", undated("Contents"))
    site.write("essays/drafts/soon.md", page("Soon"))
    site.write("feeds/e.md", page("E"))
    (site.root / "essays/contents.md").unlink()
    init(site)
    assert set(published(site)) == {"A", "B", "D", "E"}
    assert site.feeds == tmp_path / "feedpub-feeds"


def test_a_post_with_another_kind_of_name_is_not_lost(tmp_path: Path) -> None:
    """What stands beside posts and cannot be used is named by each run, not left out unsaid."""
    site = Site(tmp_path)
    site.write("2026-01-05 New year.md", page("D"))
    site.write("contents.md", undated("Contents"))
    init(site)
    assert "CHECK: 1 file here" in (tmp_path / "config.yaml").read_text()
    site.write("later.md", page("Later"))
    run = site.generate("--strict", code=3)
    assert "contents.md:2: date: the record has no date" in run.err
    assert site.counts() == (3, 2, 0, 0, 1)


def test_a_folder_whose_name_is_not_utf_8_is_passed_over(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("posts/a.md", page("A"))
    site.write(os.fsdecode(b"posts/\xff/b.md"), page("B"))
    assert init(site).code == 0
    assert "A" in published(site)


@pytest.mark.parametrize("name", ["resources", "public", "build", "out", "themes", "coverage"])
def test_any_folder_of_records_may_have_any_name(tmp_path: Path, name: str) -> None:
    site = Site(tmp_path)
    site.write(f"{name}/a.md", page("A"))
    site.write("node_modules/x/b.md", page("B"))
    site.write("lib/vendor/bundle/c.md", page("C"))
    run = init(site)
    no_sample(site)
    assert f"1 record in {name}" in run.err
    assert list(published(site)) == ["A"]


def test_large_files_are_read_as_a_run_reads_them(tmp_path: Path) -> None:
    site = Site(tmp_path)
    line = f'{{"title": "News", "date": "2024-01-01", "content": "{"x" * 600_000}"}}\n'
    site.write("data/news.jsonl", line * 2)
    site.write("posts/a.md", page("A"))
    site.write("posts/2024/long.md", page("Long") + "x " * 350_000)
    run = init(site)
    assert "4 records in data, posts" in run.err
    assert config_of(site)["records"] == ["data", "posts"]
    assert "CHECK" not in (tmp_path / "config.yaml").read_text()


def test_records_whose_dates_cannot_be_read(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("news.jsonl", '{"title": "A", "date": "in 1999"}\n' * 2)
    run = init(site)
    no_sample(site)
    said = "2 pages have a date that feedpub cannot read, such as news.jsonl:1: 'in 1999'"
    assert said in run.err


def test_an_output_that_others_fill_is_to_be_checked(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("posts/a.md", page("A"))
    site.write("feeds/theirs.txt", "x")
    site.write("feedpub-feeds/theirs.txt", "x")
    init(site)
    text = (tmp_path / "config.yaml").read_text()
    assert "# CHECK: there are other files in feedpub-feeds; name another folder." in text


# --- Where there is nothing to know ---------------------------------------


def test_an_empty_folder_gets_a_sample(tmp_path: Path) -> None:
    site = Site(tmp_path)
    run = site.run("init", "my blog")
    assert run.code == 0
    assert sorted(tree_of(tmp_path)) == [
        "my blog/.gitignore",
        "my blog/config.yaml",
        "my blog/records/hello.md",
    ]
    assert "saw" not in run.err
    assert closing(run) == (
        "next: set site.url, site.id and site.home in config.yaml, "
        "then run cd 'my blog' && feedpub generate"
    )
    text = (tmp_path / "my blog/config.yaml").read_text()
    assert re.search("id: .*# CHANGE THIS before you first publish, then never again", text)
    again = init(Site(tmp_path / "my blog"))
    assert "config.yaml: already exists; not changed" in again.err


@pytest.mark.parametrize("options", [[], ["-c", "my feeds.yaml"]])
def test_the_last_line_can_be_pasted_into_a_shell(tmp_path: Path, options: list[str]) -> None:
    program = Path(sys.executable).parent / "feedpub"
    if not program.exists():
        pytest.skip("feedpub is not installed as a command here")
    run = subprocess.run(
        [program, "init", "my blog", *options],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    last = run.stderr.splitlines()[-1].partition(", then run ")[2]
    assert str(program) in last
    subprocess.run(["/bin/sh", "-c", last], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "my blog/feeds/feed.json").exists()


@pytest.mark.parametrize("name", ["feeds.yaml", "blog/feeds.yaml", "etc/feedpub/blog.yaml"])
def test_the_config_option_names_the_file(tmp_path: Path, name: str) -> None:
    site = Site(tmp_path)
    run = init(site, "blog", "-c", name)
    assert not list(tmp_path.rglob("config.yaml"))
    assert closing(run).endswith(f"in {name}, then run feedpub -c {name} generate")
    assert list(published(site, name)) == ["Hello, world"]
    assert site.feeds.resolve() == tmp_path / "blog/feeds"
    assert (tmp_path / "blog/.feedpub").is_dir()


def test_the_config_option_before_the_command(tmp_path: Path) -> None:
    site = jekyll(tmp_path / "shed")
    assert site.run("-c", "../shed.yaml", "init").code == 0
    assert not (site.root / "config.yaml").exists()
    outside = Site(tmp_path)
    links = published(outside, "shed.yaml")
    assert links["A dovetail"] == "https://shed.example.net/blog/2024/02/29/a-dovetail.html"
    assert outside.feeds == tmp_path / "shed/feeds"


def test_nothing_of_others_is_overwritten(tmp_path: Path) -> None:
    site = jekyll(tmp_path)
    site.write("config.yaml", "theirs: true\n")
    site.write("feedpub.yaml", "- theirs\n")
    before = stamps(tmp_path)
    run = site.run("init")
    assert run.code == 2
    assert "--config" in run.err
    assert site.run("init", "-c", "config.yaml").code == 2
    assert stamps(tmp_path) == before
    init(site, "-c", "feeds.yaml")
    assert len(published(site, "feeds.yaml")) == 2


@pytest.mark.parametrize(
    "text",
    [
        "site: {title: A}\nrecords: [a\n",
        "{site: {}, records: []}",
        '\ufeff"site": {}\n"records": []',
    ],
)
def test_a_configuration_of_feedpubs_is_named_and_left(tmp_path: Path, text: str) -> None:
    site = Site(tmp_path)
    site.write("config.yaml", text)
    site.write("records/a.md", GOOD)
    run = init(site)
    assert "config.yaml: already exists; not changed" in run.err
    assert (tmp_path / "config.yaml").read_text() == text
    assert closing(run) == "next: feedpub generate"


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("file", "x")
    for args in (["file"], ["file/below"], ["-c", "file/config.yaml"]):
        run = site.run("init", *args)
        assert run.code == 1, run.text
        assert "cannot be written" in run.err
    assert list(tree_of(tmp_path)) == ["file"]


# --- Hostile places -------------------------------------------------------


def test_links_and_odd_names_lead_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    Site(outside).write("2024-01-01-secret.md", page("Secret"))
    Site(outside).write("settings.yml", "title: Secret\nurl: https://secret.example.net\n")
    site = Site(tmp_path / "site")
    site.write("posts/a.md", page("A"))
    site.write("a [b] {c}/x.md", page("X"))
    site.write("~root/y.md", page("Y"))
    site.write("new\nline/z.md", page("Z"))
    (site.root / "_posts").symlink_to(outside)
    (site.root / "_config.yml").symlink_to(outside / "settings.yml")
    (site.root / ".gitignore").symlink_to(outside / "ignored")
    before = tree_of(outside)
    run = init(site)
    assert tree_of(outside) == before
    assert "found a folder of records: 1 record in posts" in run.err
    assert list(published(site)) == ["A"]
    assert "secret" not in (site.root / "config.yaml").read_text().lower()


def test_a_large_folder_is_looked_at_in_part(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for n in range(2200):
        (tmp_path / f"pile/{n % 1100:04}").mkdir(parents=True, exist_ok=True)
        site.write(f"pile/{n % 1100:04}/{n}.txt", "x")
    for n in range(450):
        site.write(f"posts/{n:03}.md", page(f"Post {n}"))
    run = init(site)
    assert "450 records in posts" in run.err
    assert config_of(site)["records"] == ["posts"]
