"""`feedpub ids`: mistakes; tests/e2e/test_ids.py has the rest."""

from __future__ import annotations

from tests.e2e.harness import Site


def test_an_unknown_subcommand(site: Site) -> None:
    run = site.run("ids", "freze")
    assert run.code == 2
    assert "did you mean 'freeze'?" in run.err


def test_an_import_of_a_file_that_does_not_exist(site: Site) -> None:
    run = site.run("ids", "import", "old.xml")
    assert run.code in {1, 2}
    assert "old.xml" in run.err
    assert not (site.root / "ids.jsonl").exists()


def test_a_dry_import_writes_nothing(site: Site) -> None:
    site.write(
        "old.json",
        '{"version": "https://jsonfeed.org/version/1.1", "title": "Old", "items": '
        '[{"id": "urn:old:1", "url": "https://example.org/good/", "content_text": "x"}]}',
    )
    run = site.run("ids", "import", "old.json", "--dry-run")
    assert run.code == 0
    assert "urn:old:1" in run.out
    assert not (site.root / "ids.jsonl").exists()
