"""Files that tell a host with which headers to serve the others, and what has moved.

`_headers` and `_redirects` are read by Netlify and Cloudflare Pages, `.htaccess` by Apache.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from feedpub.publish.serving.headers import HASHED
from feedpub.publish.types import Headers, LocalFile

NOTE = "# Written by feedpub: see docs/push.md\n"
_CORS = ("application/json", "application/feed+json", "application/schema+json")
REDIRECTS = "_redirects"
USUAL = MappingProxyType({"netlify": "_headers"})  # scheme → the file that its host reads


def host_files(
    kind: str, tree: Iterable[LocalFile], copies: Mapping[str, str], url: str
) -> list[tuple[str, bytes]]:
    """Names and contents of what a host of this kind reads, for these files.

    `copies` are those that are at an old address, with the file that each is a copy of; `url` is
    where the tree is served.
    """
    files = sorted((local for local in tree if local.kind != "archives"), key=lambda f: f.path)
    moves = [(local.path, url + copies[local.path]) for local in files if local.path in copies]
    made = []
    if kind == "_headers":
        made.append((kind, _underscore(files)))
        if moves:
            made.append((REDIRECTS, "".join(f"/{old} {new} 301\n" for old, new in moves)))
    elif kind == ".htaccess":
        made.append((kind, _htaccess(files) + _moves(moves, urlsplit(url).path)))
    return [(name, (NOTE + text).encode()) for name, text in made]


def _with_cors(headers: Headers) -> dict[str, str]:
    """JSON is for programs: those in browsers need leave to read it."""
    open_ = headers["Content-Type"].startswith(_CORS)
    return dict(headers) | ({"Access-Control-Allow-Origin": "*"} if open_ else {})


def _underscore(files: list[LocalFile]) -> str:
    """A rule for each file name at each depth; a placeholder stands for one folder.

    Two rules must not fit one address: their values would be joined.
    """
    rules: dict[str, dict[str, str]] = {}
    for local in files:
        *folders, name = local.path.split("/")
        if local.kind in {"hashed", "pictures", "other"}:
            continue
        pattern = "/".join(["", *(f":folder{n}" for n in range(len(folders))), name])
        rules.setdefault(pattern, _with_cors(local.headers))
    for folder in _hashed_folders(files):
        rules[f"/{folder}/*"] = {"Cache-Control": _cache_of(files, folder)}
    return "".join(
        f"{pattern}\n" + "".join(f"  {name}: {value}\n" for name, value in headers.items())
        for pattern, headers in rules.items()
    )


def _hashed_folders(files: list[LocalFile]) -> list[str]:
    """Folders that hold pictures with hashed names, and nothing else."""
    kinds: dict[str, set[str]] = {}
    for local in files:
        kinds.setdefault(local.path.partition("/")[0], set()).add(local.kind)
    return [folder for folder, found in sorted(kinds.items()) if found == {"hashed"}]


def _cache_of(files: list[LocalFile], folder: str) -> str:
    return next(f for f in files if f.path.startswith(f"{folder}/")).headers["Cache-Control"]


def _htaccess(files: list[LocalFile]) -> str:
    """A block for each file name, and one for pictures with hashed names."""
    blocks: dict[str, dict[str, str]] = {}
    for local in files:
        name = local.path.rpartition("/")[2]
        if local.kind == "hashed":
            # By the whole address: the hash is the name of the folder, or begins the file's.
            blocks[HASHED] = {"Cache-Control": local.headers["Cache-Control"]}
        elif local.kind not in {"pictures", "other"}:
            blocks.setdefault(f"^{re.escape(name)}$", _with_cors(local.headers))
    return "".join(_block(pattern, headers) for pattern, headers in blocks.items())


def _block(pattern: str, headers: Mapping[str, str]) -> str:
    is_address = pattern == HASHED
    test = f'If "%{{REQUEST_URI}} =~ m#/{pattern}#"' if is_address else f'FilesMatch "{pattern}"'
    lines = [f"<{test}>"]
    if "Content-Type" in headers:
        lines.append(f'  ForceType "{headers["Content-Type"]}"')
    lines.append("  <IfModule mod_headers.c>")
    lines += [
        f'    Header set {name} "{value}"'
        for name, value in headers.items()
        if name not in {"Content-Type", "Content-Encoding"}
    ]
    return "\n".join([*lines, "  </IfModule>", f"</{test.partition(' ')[0]}>", ""])


def _moves(moves: Iterable[tuple[str, str]], prefix: str) -> str:
    """Redirects of Apache's, from addresses below `prefix` (/ at both ends)."""
    lines = [f'  RedirectMatch 301 "^{re.escape(prefix + old)}$" "{new}"' for old, new in moves]
    return "\n".join(["<IfModule mod_alias.c>", *lines, "</IfModule>", ""]) if lines else ""
