#!/usr/bin/env bash
# Writes the locks anew from pyproject.toml and npm/package.json: the newest versions that fit, with their hashes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python3 -m venv .venv-lock
.venv-lock/bin/pip -q install uv
lock() {
    .venv-lock/bin/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-find-links --custom-compile-command ./requirements/lock.sh \
        "${@:2}" pyproject.toml requirements/build.in -o "requirements/$1.txt"
}
lock run
lock dev --extra dev
rm -rf .venv-lock
# npm leaves out where it found what, so that each machine uses the registry that it is set up for.
rm -f requirements/npm/package-lock.json
npm install --prefix requirements/npm --package-lock-only --omit-lockfile-registry-resolved \
    --ignore-scripts --no-audit --no-fund --silent
