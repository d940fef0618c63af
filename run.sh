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
  test      run the test suite (further arguments go to pytest); --lowest: with the lowest versions
            that pyproject.toml allows
  lint      ruff: rules and format; the direction of imports; whether the locks are complete
  types     mypy, strict
  check     name every problem of the sample records
  bench     measure feedpub against other tools (--sizes, --runs, --large, --peers, --publish)
  docs      write docs/cli.md and docs/config.md anew from the code
  serve     serve feeds/ at http://127.0.0.1:8000/
  wheel     build the last commit into dist/, and check that the build is reproducible
  audit     check the locked packages for known vulnerabilities; 69 if not all could be checked
  sbom      write an SBOM (CycloneDX 1.6, JSON) to a FILE, or to the terminal
TEXT
}

# The packages are locked for Python 3.11 to 3.14: others have no wheels of some of them.
find_python() {
    if [ -n "$PYTHON" ]; then return; fi
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
            PYTHON=$name
            return
        fi
    done
    echo "run.sh: Python 3.11 to 3.14 is needed (Debian, Ubuntu: apt-get install python3);" \
        "PYTHON=/path/to/python ./run.sh … names another" >&2
    exit 1
}

# Debian keeps what a virtual environment needs in a package of its own.
make_venv() {
    rm -rf "$VENV"
    if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then install_venv; fi
    if "$PYTHON" -m venv "$VENV" >&2; then return; fi
    rm -rf "$VENV"
    echo "run.sh: Python cannot make $VENV, as it says above; fix that and run this again" >&2
    exit 1
}

install_venv() {
    local version package sudo=()
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    package="python$version-venv"
    if [ "$(id -u)" != 0 ]; then sudo=(sudo -n); fi
    if command -v apt-get >/dev/null; then
        echo "run.sh: installing $package, which makes virtual environments" >&2
        if "${sudo[@]}" apt-get -qq update >/dev/null &&
            "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install "$package" >/dev/null; then
            return
        fi
    fi
    echo "run.sh: no virtual environment can be made; install $package and run this again" >&2
    exit 1
}

# setup NAME: installs what requirements/NAME.txt locks into $VENV, and feedpub itself. Stamps say what is there.
setup() {
    local made code stamp="$VENV/feedpub-$1.stamp" locks=(build "$1")
    find_python
    # One at a time: another run.sh may be making it.
    if command -v flock >/dev/null; then
        exec 9<run.sh
        flock 9
    fi
    # .venv holds the packages of users, and then those of developers, too.
    if [ "$VENV" = .venv ]; then locks=(build run dev); fi
    # Made anew for other locks, where packages would be left over; and where it was moved: it holds its path.
    made=$(for lock in "${locks[@]}"; do cat "requirements/$lock.txt"; done | cksum; pwd)
    if [ "$(cat "$VENV/feedpub.stamp" 2>/dev/null)" != "$made" ] ||
        ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        echo "run.sh: making $VENV, and installing packages into it: about a minute" >&2
        make_venv
        printf '%s\n' "$made" >"$VENV/feedpub.stamp"
    fi
    code=$(cat pyproject.toml feedpub/version.py | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$code" ]; then
        exec 9<&-
        return
    fi
    case "$1" in
        tools) "$VENV/bin/python" requirements/install.py tools || exit 1 ;; # which do without feedpub
        *) "$VENV/bin/python" requirements/install.py "$1" -e . || exit 1 ;;
    esac
    # pip compiles what it copies, not what it links to; Python may be told to write nothing itself.
    "$VENV/bin/python" -m compileall -q feedpub
    printf '%s\n' "$code" >"$stamp"
    exec 9<&-
}

for_users() { setup run; }
for_developers() { setup dev; }

# What checks the locks, and is no part of feedpub.
for_tools() {
    local VENV=.venv-tools
    setup tools
}

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

where_it_is() {
    echo "The command is $PWD/$VENV/bin/feedpub. To call it feedpub in this terminal:"
    printf '  export PATH="%s:$PATH"\n' "$PWD/$VENV/bin"
}

act=${1:-}
[ $# -gt 0 ] && shift
case "$act" in
    setup)
        for_developers
        where_it_is
        ;;
    generate)
        if [ -e "$VENV/feedpub-dev.stamp" ]; then for_developers; else for_users; fi
        "$VENV/bin/feedpub" generate "$@"
        echo "The feeds are in $PWD/feeds: subscribe to feeds/rss.xml, or look at feeds/feeds.opml"
        where_it_is
        ;;
    test)
        if [ "${1:-}" = --lowest ]; then
            shift
            VENV=.venv-lowest
            setup lowest
            "$VENV/bin/python" requirements/check.py lowest
        else
            for_developers
        fi
        azurite
        for_tools # whose audit is tested
        # One more than there are processors to use: some tests wait for servers.
        workers=$("$VENV/bin/python" -c \
            'from feedpub.records.workers import usable_cpus as n; print(min(n() + 1, 8))')
        exec "$VENV/bin/python" -m pytest -n "$workers" "$@"
        ;;
    lint)
        for_developers
        "$VENV/bin/ruff" check .
        "$VENV/bin/ruff" format --check .
        "$VENV/bin/lint-imports" --no-cache
        "$VENV/bin/python" requirements/check.py build run dev
        for_tools
        .venv-tools/bin/python requirements/check.py tools
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
    wheel)
        for_developers
        exec "$VENV/bin/python" requirements/wheel.py "$@"
        ;;
    audit)
        for_tools
        exec .venv-tools/bin/python requirements/audit.py "$@"
        ;;
    sbom)
        for_developers
        for_tools
        exec .venv-tools/bin/python requirements/sbom.py "$VENV" "$@"
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
