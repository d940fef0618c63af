#!/usr/bin/env bash
# The daily tasks of the project. Each task does its own set-up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

VENV=.venv
PYTHON=${PYTHON:-}

usage() {
    cat <<'TEXT'
./run.sh TASK

  setup     create .venv from the lock, with every extra and the developer tools
  generate  generate feeds/ from the sample records
  test      run the test suite (further arguments go to pytest); --lowest: with the lowest versions
            that pyproject.toml allows
  fuzz      publish damaged and hostile files for SECONDS (default: 300), different ones each time
  lint      check rules and format (ruff), the direction of imports, and that the locks are complete
  types     check types (mypy --strict)
  check     report every problem in the sample records
  bench     compare the speed with that of other tools (--sizes, --runs, --large, --peers, --publish)
  docs      write docs/cli.md and docs/config.md from the code
  serve     serve feeds/ at http://127.0.0.1:8000/
  wheel     build the last commit into dist/, and check that the build is reproducible
  audit     check the locked packages for known vulnerabilities (exit code 69: not all could be checked)
  sbom      write an SBOM (CycloneDX 1.6, JSON) to a FILE, or to the terminal
TEXT
}

# The locks are for Python 3.11 to 3.14; for other versions, some packages have no wheels.
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
        "to use another one: PYTHON=/path/to/python ./run.sh …" >&2
    exit 1
}

# On Debian, virtual environments need a package of their own.
make_venv() {
    rm -rf "$VENV"
    if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then install_venv; fi
    if "$PYTHON" -m venv "$VENV" >&2; then return; fi
    rm -rf "$VENV"
    echo "run.sh: Python could not create $VENV (see above); fix this and run the command again" >&2
    exit 1
}

install_venv() {
    local version package sudo=()
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    package="python$version-venv"
    if [ "$(id -u)" != 0 ]; then sudo=(sudo -n); fi
    if command -v apt-get >/dev/null; then
        echo "run.sh: installing $package, which is needed to create virtual environments" >&2
        if "${sudo[@]}" apt-get -qq update >/dev/null &&
            "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install "$package" >/dev/null; then
            return
        fi
    fi
    echo "run.sh: cannot create a virtual environment; install $package and run the command again" >&2
    exit 1
}

# setup NAME: installs requirements/NAME.txt and feedpub into $VENV. Stamp files record what is installed.
setup() {
    local made code stamp="$VENV/feedpub-$1.stamp" locks=(build "$1")
    find_python
    # Only one run.sh at a time may create it.
    if command -v flock >/dev/null; then
        exec 9<run.sh
        flock 9
    fi
    # .venv has the run-time packages, and then the developer tools too.
    if [ "$VENV" = .venv ]; then locks=(build run dev); fi
    # Created again if the locks changed (old packages would remain) or if it was moved (it contains its path).
    made=$(for lock in "${locks[@]}"; do cat "requirements/$lock.txt"; done | cksum; pwd)
    if [ "$(cat "$VENV/feedpub.stamp" 2>/dev/null)" != "$made" ] ||
        ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        echo "run.sh: creating $VENV and installing packages, about a minute" >&2
        make_venv
        printf '%s\n' "$made" >"$VENV/feedpub.stamp"
    fi
    code=$(cat pyproject.toml feedpub/version.py | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$code" ]; then
        exec 9<&-
        return
    fi
    case "$1" in
        tools) "$VENV/bin/python" requirements/install.py tools || exit 1 ;; # these do not need feedpub
        *) "$VENV/bin/python" requirements/install.py "$1" -e . || exit 1 ;;
    esac
    # pip does not compile an editable install, and PYTHONDONTWRITEBYTECODE may be set.
    "$VENV/bin/python" -m compileall -q feedpub
    printf '%s\n' "$code" >"$stamp"
    exec 9<&-
}

for_users() { setup run; }
for_developers() { setup dev; }

# The tools that check the locks.
for_tools() {
    local VENV=.venv-tools
    setup tools
}

# A test server that pip cannot install. Without it, its tests are skipped.
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
        echo "run.sh: npm could not install Azurite; its tests are skipped" >&2
    fi
}

where_it_is() {
    echo "The command is $PWD/$VENV/bin/feedpub. To call it feedpub in this terminal:"
    printf '  export PATH="%s:$PATH"\n' "$PWD/$VENV/bin"
}

task=${1:-}
[ $# -gt 0 ] && shift
case "$task" in
    setup)
        for_developers
        where_it_is
        ;;
    generate)
        if [ -e "$VENV/feedpub-dev.stamp" ]; then for_developers; else for_users; fi
        "$VENV/bin/feedpub" generate "$@"
        echo "The feeds are in $PWD/feeds: feeds/rss.xml is everything, feeds/feeds.opml lists all of them"
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
        for_tools # the tests run the audit
        # One more than the usable processors, since some tests wait for servers.
        workers=$("$VENV/bin/python" -c \
            'from feedpub.parallel import usable_cpus as n; print(min(n() + 1, 8))')
        exec "$VENV/bin/python" -m pytest -n "$workers" "$@"
        ;;
    fuzz)
        for_developers
        end=$((SECONDS + ${1:-300}))
        while [ $SECONDS -lt $end ]; do
            FEEDPUB_FUZZ=200 "$VENV/bin/python" -m pytest -n 2 tests/fuzz || exit 1
        done
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
        echo "run.sh: there is no task '$task'" >&2
        usage >&2
        exit 2
        ;;
esac
