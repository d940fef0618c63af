"""Files that configure headers and redirects of a host.

`_headers` and `_redirects` are read by Netlify and Cloudflare Pages, `.htaccess` by Apache.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from feedpub.publish.serving.headers import HASHED
from feedpub.publish.types import Headers, LocalFile

NOTE = "# Written by feedpub: see docs/push.md\n"
_CORS = ("application/json", "application/feed+json", "application/schema+json")
REDIRECTS = "_redirects"


def host_files(
    kind: str, tree: Iterable[LocalFile], copies: Mapping[str, str], url: str
) -> list[tuple[str, bytes]]:
    """Names and contents of the files that configure a host.

    `copies` maps each file at an old address to the file that it copies; `url` is where the tree
    is served.
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
    """Adds CORS for JSON, so that scripts in browsers can read it."""
    open_ = headers["Content-Type"].startswith(_CORS)
    return dict(headers) | ({"Access-Control-Allow-Origin": "*"} if open_ else {})


def _underscore(files: list[LocalFile]) -> str:
    """One rule for each file name and depth; a placeholder matches one folder.

    Two rules must not match one path: their values would be joined.
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
    """Folders that contain only files with hashed names."""
    kinds: dict[str, set[str]] = {}
    for local in files:
        kinds.setdefault(local.path.partition("/")[0], set()).add(local.kind)
    return [folder for folder, found in sorted(kinds.items()) if found == {"hashed"}]


def _cache_of(files: list[LocalFile], folder: str) -> str:
    return next(f for f in files if f.path.startswith(f"{folder}/")).headers["Cache-Control"]


def _htaccess(files: list[LocalFile]) -> str:
    """One block for each file name, and one for files with hashed names."""
    blocks: dict[str, dict[str, str]] = {}
    for local in files:
        name = local.path.rpartition("/")[2]
        if local.kind == "hashed":
            # Matched by the whole path: the hash is in the name of the folder or the file.
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
    """Redirects for Apache, from paths below `prefix` (with / at both ends)."""
    lines = [f'  RedirectMatch 301 "^{re.escape(prefix + old)}$" "{new}"' for old, new in moves]
    return "\n".join(["<IfModule mod_alias.c>", *lines, "</IfModule>", ""]) if lines else ""
