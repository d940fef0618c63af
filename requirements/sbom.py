"""Writes what feedpub is made of when it runs, as CycloneDX 1.6: `sbom.py VENV [FILE]`.

Names, versions and hashes are those of the lock; licences and what requires what come from the
metadata of what is installed in VENV. What only an extra brings has the scope "optional". The
same commit gives the same bytes; with SOURCE_DATE_EPOCH they have a time, too.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.spdx import is_expression, is_supported_id
from cyclonedx.validation.json import JsonStrictValidator
from locks import Pin, Terms, lock_of
from packageurl import PackageURL
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# In words of SPDX what a package says in its own: read from its classifiers and licence files.
LICENCES = {
    "feedgen": "BSD-2-Clause OR LGPL-3.0-or-later",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
}
_CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
_PYTHONS = ("3.11", "3.12", "3.13", "3.14")

Distributions = dict[str, metadata.Distribution]


def licence(distribution: metadata.Distribution) -> str:
    """A licence as an SPDX expression, "" if the package doesn't say it in a way that is known."""
    said = distribution.metadata
    texts = [*said.get_all("License-Expression", []), *said.get_all("License", [])]
    for text in (*texts, LICENCES.get(said["Name"], "")):
        if text and (is_supported_id(text) or is_expression(text)):
            return str(text)
    known = {_CLASSIFIERS[line] for line in said.get_all("Classifier", []) if line in _CLASSIFIERS}
    return known.pop() if len(known) == 1 else ""


def required(distribution: metadata.Distribution, extra: str = "") -> Iterator[str]:
    """The names of what a package requires here, with any of the Pythons that feedpub runs on."""
    here = {name: str(value) for name, value in default_environment().items()} | {"extra": extra}
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(
            requirement.marker.evaluate(
                here | {"python_version": python, "python_full_version": f"{python}.0"}
            )
            for python in _PYTHONS
        ):
            yield canonicalize_name(requirement.name)


def closure(roots: Iterable[str], found: Distributions) -> dict[str, set[str]]:
    """The packages that these bring → what each of them requires."""
    edges: dict[str, set[str]] = {}
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in edges:
            if name not in found:
                raise SystemExit(f"sbom: {name} is not installed; run ./run.sh setup")
            edges[name] = set(required(found[name]))
            todo += edges[name]
    return edges


def component(distribution: metadata.Distribution, hashes: tuple[str, ...] = ()) -> Component:
    """A package; its files are what the lock allows, for all systems, hence more than one hash."""
    name, version = canonicalize_name(distribution.name), distribution.version
    purl = PackageURL("pypi", name=name, version=version)
    text = licence(distribution)
    if not text:
        raise SystemExit(f"sbom: the licence of {name} is not understood; write it into LICENCES")
    made = Component(
        name=name,
        version=version,
        purl=purl,
        bom_ref=str(purl),
        description=distribution.metadata["Summary"],
        licenses=[
            LicenseFactory().make_from_string(
                text, license_acknowledgement=LicenseAcknowledgement.DECLARED
            )
        ],
    )
    if hashes:
        files = [HashType(alg=HashAlgorithm.SHA_256, content=content) for content in hashes]
        kind = ExternalReferenceType.DISTRIBUTION
        made.external_references.add(
            ExternalReference(type=kind, url=XsUri(str(purl)), comment="any of", hashes=files)
        )
    return made


def document(found: Distributions, lock: dict[Pin, Terms]) -> str:
    """All of it as JSON."""
    feedpub = found["feedpub"]
    extras = set(feedpub.metadata.get_all("Provides-Extra", [])) - {"dev"}
    always = set(required(feedpub))
    direct = always.union(*(required(feedpub, extra) for extra in extras))
    needed, edges = closure(always, found), closure(direct, found)
    root = component(feedpub)
    root.type = ComponentType.APPLICATION
    parts = {}
    for name in edges:
        pin = Pin(name, found[name].version)
        if pin not in lock:
            raise SystemExit(f"sbom: {name} {pin.version} is not what is locked; ./run.sh setup")
        parts[name] = component(found[name], lock[pin].hashes)
        parts[name].scope = ComponentScope.REQUIRED if name in needed else ComponentScope.OPTIONAL
    bom = Bom(components=parts.values(), serial_number=uuid5(NAMESPACE_URL, repr(sorted(lock))))
    bom.metadata.component = root
    bom.register_dependency(root, [parts[name] for name in direct])
    for name, further in edges.items():
        bom.register_dependency(parts[name], [parts[other] for other in further])
    told = json.loads(JsonV1Dot6(bom).output_as_string())
    del told["metadata"]["timestamp"]  # of this moment
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        told["metadata"]["timestamp"] = datetime.fromtimestamp(int(epoch), UTC).isoformat()
    return json.dumps(told, indent=2, sort_keys=True) + "\n"


def main(venv: str, file: str = "") -> int:
    """Writes the document, if it is one by its schema."""
    place = next(Path(venv).glob("lib/python3.*/site-packages"))
    installed = metadata.distributions(path=[str(place)])
    found: Distributions = {canonicalize_name(package.name): package for package in installed}
    text = document(found, lock_of("dev"))
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        print(f"sbom: it is not what CycloneDX 1.6 wants: {error}", file=sys.stderr)
        return 1
    if file:
        Path(file).write_text(text, "utf-8")
        count = len(json.loads(text)["components"])
        print(f"{file}: {count} packages, valid CycloneDX 1.6")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
