"""Small sites of other tools, laid out as their documentation says."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.harness import Site, front


def page(title: str, *lines: str, date: str = "2024-03-05") -> str:
    """A dated page, as people write it for a site generator."""
    return front(f"title: {title}", f"date: {date}", *lines, body="Some *words*.\n")


def undated(title: str) -> str:
    return front(f"title: {title}", "layout: page", body="Who I am.\n")


JEKYLL = """\
title: Notes from the shed
description: >-
  Wood, glue
  and patience
url: https://shed.example.net
baseurl: /blog
timezone: Europe/Vienna
lang: en-GB
author:
  name: Jo Carver
  email: jo@example.net
theme: minima
"""


def jekyll(root: Path, settings: str = JEKYLL) -> Site:
    site = Site(root)
    site.write("_config.yml", settings)
    site.write("_posts/2024-02-29-a-dovetail.md", front("layout: post", "title: A dovetail"))
    site.write("_posts/2024-03-01-glue-up.md", front("title: Glue up", "categories: [Work, Glue]"))
    site.write("_posts/2024-03-02-unsaid.md", front("title: Unsaid", "published: false"))
    site.write("_drafts/half-done.md", front("title: Half done"))
    site.write("index.md", front("layout: home"))
    site.write("about.md", undated("About"))
    site.write("_layouts/post.html", front("layout: default", body="{{ content }}\n"))
    site.write("_site/2020/01/01/old.html", "<p>built</p>")
    site.write("_data/navigation.yml", "- title: Home\n  date: 2020-01-01\n")
    return site


def hexo(root: Path, settings: str = "url: https://lab.example.net\ntitle: Lab\n") -> Site:
    site = Site(root)
    site.write("_config.yml", settings)
    site.write("package.json", '{"name": "hexo-site", "dependencies": {"hexo": "^7.0.0"}}')
    site.write("scaffolds/post.md", front("title: {{ title }}", "date: {{ date }}"))
    site.write("source/_posts/hello-lab.md", page("Hello", date="2013-07-14 17:01:34"))
    site.write("source/_posts/tools/Saw.md", page("Saw"))
    site.write("source/_drafts/half-done.md", front("title: Half done"))
    site.write("source/about/index.md", undated("About"))
    site.write("public/2013/07/14/hello-lab/index.html", "<p>built</p>")
    site.write("themes/x/source/_posts/theirs.md", page("Theirs"))
    return site


RIVER = "https://river.example.net"
HUGO = """\
baseURL = 'https://river.example.net/'
languageCode = 'de-AT'
title = 'River log'
timeZone = 'Europe/Vienna'
[params]
  description = 'Water, mostly'
  author = 'Kim Ford'
"""


def hugo(root: Path, name: str, settings: str) -> Site:
    site = Site(root)
    site.write(name, settings)
    site.write("archetypes/default.md", front('title: "{{ .Name }}"', "date: {{ .Date }}"))
    site.write("content/_index.md", front("title: Home"))
    site.write("content/about.md", undated("About"))
    site.write("content/posts/_index.md", front("title: Posts"))
    site.write("content/posts/High-Water.md", page("High water"))
    site.write("content/posts/ice/index.md", page("Ice", "slug: thin-ice", date="2024-01-01"))
    site.write("content/posts/ice/levels.json", '{"level": 3}')
    site.write("content/posts/low.md", page("Low", "draft: true"))
    site.write("content/notes/a.md", "+++\ntitle = 'A note'\ndate = 2024-02-03\n+++\nText.\n")
    site.write("themes/x/exampleSite/content/p.md", page("Theirs"))
    site.write("public/posts/index.html", "<p>built</p>")
    site.write("static/robots.txt", "User-agent: *\n")
    site.write("data/dates.yaml", "title: x\ndate: 2024-01-01\n")
    return site


def eleventy(root: Path, top: str, config: str = ".eleventy.js", text: str = "") -> Site:
    site = Site(root)
    site.write(
        config, text or f'module.exports = () => ({{\n  dir: {{ input: "{top or "."}" }},\n}});\n'
    )
    site.write("package.json", '{"name": "garden", "version": "1.0.0"}')
    site.write("README.md", "# Garden\n")
    site.write("node_modules/x/README.md", page("Theirs"))
    site.write("node_modules/x/post.md", page("Theirs"))
    prefix = f"{top}/" if top else ""
    site.write(
        f"{prefix}_data/metadata.json", '{"title": "Garden", "url": "https://garden.example.net"}'
    )
    site.write(f"{prefix}_includes/base.html", "<html></html>")
    site.write(f"{prefix}index.html", front("layout: base", body="<p>Hi</p>"))
    site.write(f"{prefix}about.md", undated("About"))
    return site


def add_posts(site: Site, folder: str) -> None:
    site.write(f"{folder}/{folder.rpartition('/')[2]}.json", '{"layout": "post", "tags": "posts"}')
    site.write(f"{folder}/2024-03-04-seeds.md", page("Seeds", "tags: [posts, spring]"))
    site.write(f"{folder}/roots/roots.md", page("Roots", "tags: [posts]", date="2024-03-03"))
    site.write(f"{folder}/Leaves.md", page("Leaves", "tags: [posts]", date="2024-03-02"))


ASTRO = """\
import { defineConfig } from 'astro/config';

// https://astro.build/config
export default defineConfig({
  // site: 'https://wrong.example.net',
  site: 'https://stars.example.net',
});
"""


def astro(root: Path, settings: str = ASTRO) -> Site:
    site = Site(root)
    site.write("astro.config.mjs", settings)
    site.write("src/consts.ts", "export const SITE_TITLE = 'Star notes';\n")
    site.write("src/content.config.ts", "export const collections = {};\n")
    site.write(
        "src/content/blog/First Light.md", front("title: First light", "pubDate: 2023-07-08")
    )
    site.write("src/content/blog/dew.md", front("title: Dew", "pubDate: 2023-07-02", "draft: true"))
    site.write("src/content/blog/moon.mdx", front("title: Moon", "pubDate: 2023-07-03"))
    site.write("src/content/authors/kim.json", '{"name": "Kim"}')
    site.write("src/content/docs/setup.md", undated("Set-up"))
    site.write("src/pages/index.astro", "---\n---\n<p/>\n")
    site.write("src/pages/about.md", undated("About"))
    site.write("src/pages/tags/[tag].astro", "---\nawait getCollection('blog');\n---\n")
    site.write("src/pages/blog/[...slug].astro", "---\nawait getCollection('blog');\n---\n")
    site.write("public/favicon.svg", "<svg/>")
    site.write("dist/index.html", "<p>built</p>")
    return site


def vault(root: Path) -> Site:
    site = Site(root)
    site.write(".obsidian/app.json", "{}")
    site.write(".obsidian/plugins/x/note.md", page("Theirs"))
    site.write(".trash/gone.md", page("Gone"))
    site.write("Inbox.md", "Just a line, [[linked]].\n")
    site.write("Templates/Daily.md", front("title: '{{title}}'", "date: '{{date}}'"))
    site.write("Daily/2026-01-05.md", "Went out.\n")
    site.write("Reading/Old Ways.md", page("Old ways", "tags: [walking]"))
    site.write("Reading/The Peregrine.md", page("The Peregrine", date="2024-02-02"))
    site.write("Reading/Lists/To read.md", "- one\n")
    site.write("Attachments/map.html", "<p>map</p>")
    return site
