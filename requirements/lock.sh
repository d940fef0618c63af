#!/usr/bin/env bash
# Writes the locks anew from pyproject.toml and npm/package.json: the newest versions that fit, with their hashes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python3 -m venv .venv-lock
.venv-lock/bin/pip -q install uv
lock() {
    .venv-lock/bin/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-find-links --custom-compile-command ./requirements/lock.sh \
        "${@:2}" -o "requirements/$1.txt"
}
lock dev --extra dev pyproject.toml requirements/build.in
# Users get the versions that the tests ran with.
lock run -c requirements/dev.txt pyproject.toml requirements/build.in
lock build -c requirements/dev.txt requirements/build.in
# What pyproject.toml allows at least, with today's tools of the developers: ./run.sh test --lowest
.venv-lock/bin/python - <<'PYTHON' >.venv-lock/lowest.in
import tomllib

project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = project["optional-dependencies"]
for line in sum((extras[name] for name in extras if name != "dev"), project["dependencies"]):
    print(line.replace(">=", "=="))
PYTHON
lock lowest --extra dev -c .venv-lock/lowest.in pyproject.toml requirements/build.in
lock tools requirements/tools.in
rm -rf .venv-lock
# npm leaves out where it found what, so that each machine uses the registry that it is set up for.
rm -f requirements/npm/package-lock.json
npm install --prefix requirements/npm --package-lock-only --omit-lockfile-registry-resolved \
    --ignore-scripts --no-audit --no-fund --silent
