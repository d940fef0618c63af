"""What a target should have: the output tree, and files that are generated for the host."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from feedpub.config import Config, PushTarget
from feedpub.config.target_kinds import target_kind
from feedpub.durable import Root
from feedpub.output.manifest import Manifest
from feedpub.publish.body import Body
from feedpub.publish.errors import FileError, TargetError
from feedpub.publish.serving.encodings import ENDINGS, encode
from feedpub.publish.serving.headers import ServingRules, headers_of, is_worth_it, kind_of
from feedpub.publish.serving.host_files import REDIRECTS, host_files
from feedpub.publish.types import LocalFile

LARGE = 1_000_000  # bytes: a larger file is streamed


class PushTree(NamedTuple):
    """Files by path; `extras` configure headers and redirects of the host."""

    files: Mapping[str, LocalFile]
    extras: Mapping[str, LocalFile]
    copies: Mapping[str, str]  # path at an old address → the file that it copies

    def with_extras(self, free: Collection[str]) -> dict[str, LocalFile]:
        """All files, with those of the extras that may be written."""
        files = dict(self.files) | {path: self.extras[path] for path in free}
        if REDIRECTS not in free:
            return files
        # A file at the old address would be served instead.
        return {p: local for p, local in files.items() if (local.source or p) not in self.copies}


def tree_of(config: Config, target: PushTarget, manifest: Manifest) -> PushTree:
    """The files for a target; raises `TargetError` if one of the manifest is missing."""
    rules = ServingRules(
        {name: kind for kind, name in config.feeds.filenames.items()},
        copies(config, manifest.files.keys()),
        target.cache,
        target.gzip,
    )
    output, files = Root(config.output), {}
    for path, sha256 in manifest.files.items():
        try:
            size = output.status(path).st_size
        except OSError as error:
            raise TargetError(
                f"{config.shown(config.output)}/{path} cannot be read ({error.strerror}); "
                "run `feedpub generate` first"
            ) from None
        kind, headers = kind_of(path, rules), headers_of(path, size, rules)
        files[path] = LocalFile(path, sha256, size, kind, headers)
    compressed = {local.path: local for local in beside(files.values(), target.precompress)}
    extras = _extras(config, target, files, rules)
    return PushTree(compressed | files, extras, rules.aliases)


def copies(config: Config, files: Collection[str]) -> dict[str, str]:
    """Files that exist because of `also_at` → the file that each is a copy of."""
    found = {}
    for old, new in config.feeds.also_at.items():
        for path in files:
            original = new + path.removeprefix(old)
            if (path == old or path.startswith(f"{old}/")) and original in files:
                found[path] = original
    return found


def _extras(
    config: Config, target: PushTarget, files: Mapping[str, LocalFile], rules: ServingRules
) -> dict[str, LocalFile]:
    """Files that configure headers and redirects, for hosts that read them."""
    kind = target.host_file
    kind = target_kind(target.to.partition(":")[0]).host_file if kind == "usual" else kind
    headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache"}
    found = {}
    for name, data in host_files(kind, files.values(), rules.aliases, config.site.url):
        if name not in files:
            sha256 = hashlib.sha256(data).hexdigest()
            found[name] = LocalFile(name, sha256, len(data), "host", headers, data)
    return found


def body_of(output: Path, local: LocalFile) -> Body:
    """The content to upload. Raises `FileError` if the file is not as the manifest says."""
    if local.data is not None:
        return Body(local.data)
    path, tree = local.source or local.path, Root(output)
    encoding = local.headers.get("Content-Encoding", "")
    is_large = local.size > LARGE and not encoding
    try:
        if is_large:
            body = Body(file=output / path, length=local.size)
            digest = tree.digest(path)
        else:
            body = Body(tree.read(path))
            digest = body.hash("sha256")
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror})") from None
    if digest != local.sha256:
        raise FileError("it was changed after feedpub wrote it; run `feedpub generate` first")
    return Body(encode(body.data, encoding)) if encoding else body


def beside(files: Iterable[LocalFile], encodings: Iterable[str]) -> Iterator[LocalFile]:
    """Compressed copies, for servers that serve `name.gz` or `name.br` in place of `name`."""
    wanted = [(encoding, ENDINGS[encoding]) for encoding in encodings]
    for local in files:
        if wanted and local.data is None and is_worth_it(local.headers, local.size):
            for encoding, ending in wanted:
                yield local._replace(
                    path=local.path + ending,
                    headers={**local.headers, "Content-Encoding": encoding},
                    source=local.path,
                )
