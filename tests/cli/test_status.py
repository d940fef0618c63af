"""`feedpub status`."""

from __future__ import annotations

import json

from tests.e2e.harness import Site

PUSH = "records: [records]\npush: {here: 'file://%s', there: 'file://%s'}"


def test_before_the_first_run(site: Site) -> None:
    run = site.run("status")
    assert run.code == 0
    assert "no feeds yet" in run.out
    assert "feedpub generate" in run.out
    assert json.loads(site.run("status", "--json").out)["output"]["files"] == 0


def test_a_damaged_file_is_named(site: Site) -> None:
    site.generate()
    site.write("feeds/rss.xml", "damaged")
    assert "rss.xml" in site.run("status").out
    assert json.loads(site.run("status", "--json").out)["output"]["damaged"] == ["rss.xml"]


def test_each_target_with_what_differs(site: Site) -> None:
    site.configure("records: [records]", PUSH % (site.root / "a", site.root / "b"))
    site.generate()
    assert site.run("push", "here").code == 0
    site.write("records/second.md", "---\ntitle: Second\ndate: 2020-03-01\ntopics: [New]\n---\n")
    site.generate()
    targets = {t["target"]: t for t in json.loads(site.run("status", "--json").out)["targets"]}
    assert "rss.xml" in targets["here"]["changed"]
    assert "topics/new/rss.xml" in targets["here"]["new"]
    assert not targets["there"]["pushed_at"]
    text = site.run("status").out
    assert text.index("here (file:") < text.index("new      topics/new/rss.xml")
    assert "never pushed" in text[text.index("there (file:") :]


def test_status_writes_nothing(site: Site) -> None:
    site.run("status")
    assert {path.name for path in site.root.iterdir()} == {"config.yaml", "records"}
