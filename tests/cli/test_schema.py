"""`feedpub schema`."""

from __future__ import annotations

import json

import jsonschema
import pytest

from tests.e2e.harness import Site


@pytest.mark.parametrize("what", ["config", "record", "feeds", "extension"])
def test_every_schema_is_a_schema(site: Site, what: str) -> None:
    run = site.run("schema", what)
    assert (run.code, run.err) == (0, "")
    schema = json.loads(run.out)
    validator = jsonschema.validators.validator_for(schema)
    assert "2020-12" in schema["$schema"]
    validator.check_schema(schema)


def test_a_schema_needs_no_configuration(site: Site) -> None:
    site.write("config.yaml", "outptu: x")
    assert site.run("schema", "config").code == 0


def test_an_unknown_schema_is_a_mistake(site: Site) -> None:
    assert site.run("schema", "atom").code == 2
