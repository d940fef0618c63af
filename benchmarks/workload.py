"""Made records, the changes to them, and feedpub's runs on them."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from heapq import nlargest
from pathlib import Path

from measure import Process

HERE = Path(__file__).parent
SETTLE = 3.0  # seconds after which feedpub trusts a file's time stamp
TITLE = re.compile(rb'^title: "(?:Edit \d+: )?', re.MULTILINE)


def python(*arguments: str | Path) -> list[str]:
    return [sys.executable, *map(str, arguments)]


class Workload:
    """A folder with N records and a configuration."""

    def __init__(self, size: int, folder: Path) -> None:
        self.size = size
        self.folder = folder
        self.records = folder / "records"
        self._edits = 0
        self._edited = 0.0  # when, by time.monotonic()
        self._converted: dict[str, Path] = {}
        # In a process of its own: the memory that this one has had counts as that of its children.
        subprocess.run(python(HERE / "make_records.py", str(size), folder), check=True)
        self._edited = time.monotonic()

    def converted(self, kind: str | None) -> Path:
        """The records, rewritten by convert.py if a kind is named."""
        if kind is None:
            return self.records
        if kind not in self._converted:
            target = self.folder / f"for-{kind}" / "records"
            subprocess.run(python(HERE / "convert.py", kind, self.records, target), check=True)
            self._converted[kind] = target
        return self._converted[kind]

    def paths(self) -> Iterator[Path]:
        """In order, without holding all of them."""
        for part in sorted(self.records.iterdir()):
            yield from sorted(part.iterdir())

    def newest(self) -> Path:
        """The newest record that is in feeds: names begin with the date."""
        newest = nlargest(100, self.paths(), key=lambda path: path.name)
        return next(path for path in newest if b"\npublished: true\n" in path.read_bytes())

    def edit(self, paths: Sequence[Path]) -> None:
        """Give each a title that it has not had."""
        self._edits += 1
        title = f'title: "Edit {self._edits}: '.encode()
        for path in paths:
            path.write_bytes(TITLE.sub(title, path.read_bytes(), count=1))
        self._edited = time.monotonic()

    def add(self, model: Path) -> None:
        """A record like model, newer than all."""
        self._edits += 1
        text = model.read_text(encoding="utf-8")
        text = re.sub(r"^(publishedDateTime: ).*", r"\g<1>2026-01-01T00:00:00Z", text, flags=re.M)
        text = re.sub(r'(Url: ".*)/"$', rf'\1-added-{self._edits}/"', text, flags=re.M)
        model.with_name(f"2026-01-01-added-{self._edits}.md").write_text(text, encoding="utf-8")
        self._edited = time.monotonic()

    def wait(self) -> None:
        time.sleep(max(0.0, self._edited + SETTLE - time.monotonic()))


class Feedpub:
    """feedpub's runs on a workload, with one configuration and output."""

    def __init__(self, workload: Workload, name: str = "", fields: str = "") -> None:
        self._workload = workload
        self._aside = 0
        folder = workload.folder
        self.output = folder / f"feeds{name}"
        self.state = folder / f".feedpub{name}"
        self._config = folder / f"config{name}.yaml"
        if name:
            text = (folder / "config.yaml").read_text(encoding="utf-8")
            text = text.replace("output: feeds\n", f"output: feeds{name}\nstate: .feedpub{name}\n")
            self._config.write_text(text + fields, encoding="utf-8")

    @property
    def command(self) -> list[str]:
        return python("-m", "feedpub", "-c", self._config, "generate", "-q")

    def full(self) -> Process:
        return Process(self._forgotten, lambda: self.output)

    def unchanged(self) -> Process:
        return Process(self._settled, lambda: self.output)

    def edited(self, paths: Sequence[Path]) -> Process:
        def prepare() -> list[str]:
            self.settle()
            self._workload.edit(paths)
            return self.command

        return Process(prepare, lambda: self.output)

    def added(self, model: Path) -> Process:
        def prepare() -> list[str]:
            self.settle()
            self._workload.add(model)
            return self.command

        return Process(prepare, lambda: self.output)

    def settle(self) -> None:
        """Until feedpub has seen all records when they were no longer new."""
        self._workload.wait()
        for _ in range(2):
            subprocess.run(self.command, check=True, stdout=subprocess.DEVNULL)

    def _settled(self) -> list[str]:
        self.settle()
        return self.command

    def _forgotten(self) -> list[str]:
        # Aside, not away: ext4 is slow to make files where many have just been removed.
        self._aside += 1
        for made in (self.output, self.state):
            if made.exists():
                made.rename(made.with_name(f"{made.name}-{self._aside}"))
        self._workload.wait()
        return self.command


def imported(command: Sequence[str]) -> set[str]:
    """The top-level modules that a Python command imports."""
    python_, *arguments = command
    done = subprocess.run(
        [python_, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in lines}
