#!/usr/bin/env bash
# The daily acts of the project, one word each. Every act does its own set-up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

VENV=.venv
PYTHON=${PYTHON:-}

usage() {
    cat <<'TEXT'
./run.sh ACT

  setup     make .venv from the lock, with every extra
  generate  turn the sample records into feeds/ and say where to look
  test      run the test suite (further arguments go to pytest)
  lint      ruff: rules and format; the direction of imports
  types     mypy, strict
  check     name every problem of the sample records
  bench     measure feedpub against other tools (--sizes, --runs, --large, --peers, --publish)
  docs      write docs/cli.md and docs/config.md anew from the code
  serve     serve feeds/ at http://127.0.0.1:8000/
TEXT
}

find_python() {
    if [ -n "$PYTHON" ]; then return; fi
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            PYTHON=$name
            return
        fi
    done
    echo "run.sh: Python 3.11 or newer is needed (Debian, Ubuntu: apt-get install python3)" >&2
    exit 1
}

# Debian keeps what a virtual environment needs in a package of its own.
make_venv() {
    rm -rf "$VENV"
    if "$PYTHON" -m venv "$VENV" >/dev/null 2>&1; then return; fi
    rm -rf "$VENV"
    local version package sudo=()
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    package="python$version-venv"
    if [ "$(id -u)" != 0 ]; then sudo=(sudo -n); fi
    if command -v apt-get >/dev/null; then
        echo "run.sh: installing $package, which makes virtual environments" >&2
        if "${sudo[@]}" apt-get -qq update >/dev/null &&
            "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install "$package" >/dev/null &&
            "$PYTHON" -m venv "$VENV"; then
            return
        fi
    fi
    rm -rf "$VENV"
    echo "run.sh: no virtual environment can be made; install $package and run this again" >&2
    exit 1
}

# setup LOCK NAME: a stamp says from which locks and project file, and where, .venv was made.
setup() {
    local lock=$1 stamp="$VENV/feedpub-$2.stamp" want
    find_python
    want=$(cat requirements/*.txt pyproject.toml feedpub/__init__.py | cksum; pwd)
    if [ -x "$VENV/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] &&
        "$VENV/bin/python" -c '' 2>/dev/null; then
        return
    fi
    # What was made elsewhere, or for a Python that is gone, holds paths that lead nowhere.
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1 ||
        [ "$(cat "$VENV/feedpub.place" 2>/dev/null)" != "$PWD" ]; then
        echo "run.sh: making $VENV" >&2
        make_venv
        printf '%s\n' "$PWD" >"$VENV/feedpub.place"
    fi
    local pip=("$VENV/bin/python" -m pip --disable-pip-version-check -q install)
    "${pip[@]}" --require-hashes -r "$lock" >&2
    "${pip[@]}" --no-deps --no-build-isolation -e . >&2
    # pip compiles what it copies, not what it links to; Python may be told to write nothing itself.
    "$VENV/bin/python" -m compileall -q feedpub
    printf '%s\n' "$want" >"$stamp"
}

for_users() { setup requirements/run.txt run; }
for_developers() { setup requirements/dev.txt dev; }

# A server that tests push to and that pip cannot bring; without it they are skipped, and say so.
azurite() {
    local place="$VENV/npm" want
    want=$(cksum <requirements/npm/package-lock.json)
    if ! command -v npm >/dev/null || [ "$(cat "$place/feedpub.stamp" 2>/dev/null)" = "$want" ]; then
        return
    fi
    echo "run.sh: installing Azurite into $place, for the tests" >&2
    mkdir -p "$place"
    cp requirements/npm/package.json requirements/npm/package-lock.json "$place"
    if npm ci --prefix "$place" --ignore-scripts --no-audit --no-fund --silent >&2; then
        printf '%s\n' "$want" >"$place/feedpub.stamp"
    else
        echo "run.sh: npm cannot install Azurite" >&2
    fi
}

act=${1:-}
[ $# -gt 0 ] && shift
case "$act" in
    setup)
        for_developers
        echo "run.sh: $VENV/bin/feedpub is the command"
        ;;
    generate)
        [ -e "$VENV/feedpub-dev.stamp" ] && for_developers || for_users
        "$VENV/bin/feedpub" generate "$@"
        echo "The feeds are in $(pwd)/feeds: subscribe to feeds/rss.xml, or look at feeds/feeds.opml"
        ;;
    test)
        for_developers
        azurite
        # As many at once as there are processors to use.
        workers=$("$VENV/bin/python" -c \
            'from feedpub.records.workers import usable_cpus as n; print(min(n(), 8))')
        exec "$VENV/bin/python" -m pytest -n "$((workers > 1 ? workers : 0))" "$@"
        ;;
    lint)
        for_developers
        "$VENV/bin/ruff" check .
        "$VENV/bin/ruff" format --check .
        "$VENV/bin/lint-imports" --no-cache
        ;;
    types)
        for_developers
        exec "$VENV/bin/mypy"
        ;;
    check)
        for_developers
        exec "$VENV/bin/feedpub" check "$@"
        ;;
    bench)
        for_developers
        exec "$VENV/bin/python" benchmarks/run.py "$@"
        ;;
    docs)
        for_developers
        exec "$VENV/bin/python" docs/make_reference.py "$@"
        ;;
    serve)
        find_python
        exec "$PYTHON" -m http.server --bind 127.0.0.1 --directory feeds 8000
        ;;
    "" | help | -h | --help)
        usage
        ;;
    *)
        echo "run.sh: there is no act '$act'" >&2
        usage >&2
        exit 2
        ;;
esac
