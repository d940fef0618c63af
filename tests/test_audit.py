"""`./run.sh audit` says how many packages were checked: no answer is no good news.

Both databases are played by a server on loopback; pip-audit is the real one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-tools" / "bin" / "python"
SHIM = """
import os, re, requests
real = requests.Session.request
def request(self, method, url, *args, **kwargs):
    return real(self, method, re.sub(r"https://[^/]+", os.environ["FAKE"], url), *args, **kwargs)
requests.Session.request = request
"""
BAD = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["9.9"], "summary": "bad"}
PACKAGES = {"click": "8.1.7", "idna": "3.20", "lxml": "6.1.3", "nh3": "0.3.8"}

# The name of a package → its vulnerabilities, or None where there is no answer.
Database = Callable[[str], "list[dict[str, Any]] | None"]

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="pip-audit is not installed: ./run.sh audit does it"
)


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Callable[..., tuple[int, str]]]:
    """Runs the audit of four packages against two databases; gives its exit code and output."""
    (tmp_path / "shim").mkdir()
    (tmp_path / "shim" / "sitecustomize.py").write_text(SHIM, "utf-8")
    for name in ("audit.py", "locks.py"):
        shutil.copy(ROOT / "requirements" / name, tmp_path)
    lock = "".join(f"{name}=={version} \\\n" for name, version in PACKAGES.items())
    # Those of another system are checked, too.
    (tmp_path / "run.txt").write_text(lock.replace("==6.1.3 ", "==6.1.3 ; os_name == 'x' "))
    (tmp_path / "dev.txt").write_text(lock.partition("lxml")[0], "utf-8")
    (tmp_path / "build.txt").touch()
    (tmp_path / "tools.txt").touch()
    servers = []

    def run(pypi: Database, osv: Database) -> tuple[int, str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = pypi(self.path.split("/")[2])
                self._answer(None if found is None else {"vulnerabilities": found})

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                found = osv(asked["package"]["name"])
                self._answer(None if found is None else {"vulns": found} if found else {})

            def _answer(self, body: dict[str, Any] | None) -> None:
                data = json.dumps(body).encode()
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return ask(f"http://127.0.0.1:{server.server_port}")

    def ask(address: str) -> tuple[int, str]:
        env = os.environ | {"FAKE": address, "PYTHONPATH": str(tmp_path / "shim")}
        command = [str(PYTHON), str(tmp_path / "audit.py")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    run.ask = ask  # type: ignore[attr-defined]
    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


def knows(*vulnerable: str, lacks: tuple[str, ...] = ()) -> Database:
    """A database that knows vulnerabilities of django and these, and has nothing of those."""

    def answer(name: str) -> list[dict[str, Any]] | None:
        if name in lacks:
            return None
        return [BAD | {"affected": []}] if name in {"django", *vulnerable} else []

    return answer


def dead(name: str) -> None:
    """A database that answers nothing."""


def test_all_is_checked_and_nothing_found(audit: Any) -> None:
    code, text = audit(knows(), dead)
    assert "run.txt: 4 of 4 checked" in text
    assert "dev.txt: 2 of 2 checked" in text
    assert "all 4 packages were checked, 0 with known vulnerabilities" in text
    assert code == 0


def test_a_vulnerability_is_named_and_ends_with_1(audit: Any) -> None:
    code, text = audit(knows("lxml"), dead)
    assert "  lxml 6.1.3: PYSEC-1 CVE-1, fixed in 9.9\n" in text
    assert "all 4 packages were checked, 1 with known vulnerabilities" in text
    assert code == 1


def test_half_is_not_all(audit: Any) -> None:
    code, text = audit(knows(lacks=("click", "nh3")), dead)
    assert "only 2 of 4 packages were checked, 0 with known vulnerabilities" in text
    assert code == 69


def test_the_second_database_has_what_the_first_lacks(audit: Any) -> None:
    code, text = audit(knows(lacks=("click", "nh3")), knows("nh3"))
    assert "  nh3 0.3.8: PYSEC-1 CVE-1" in text
    assert "all 4 packages were checked" in text
    assert code == 1


def test_a_database_that_knows_no_vulnerability_at_all_is_none(audit: Any) -> None:
    code, text = audit(lambda name: [], dead)
    assert "pypi cannot be used: it names no vulnerability of django 2.0" in text
    assert "nothing was checked (0 of 4 packages)" in text
    assert code == 69


def test_without_an_answer_nothing_was_checked(audit: Any) -> None:
    code, text = audit(dead, dead)
    assert "pypi cannot be used: it has no answer for django 2.0" in text
    assert "osv cannot be used" in text
    assert "nothing was checked (0 of 4 packages)" in text
    assert code == 69


def test_without_a_network_nothing_was_checked(audit: Any) -> None:
    code, text = audit.ask("http://127.0.0.1:9")
    assert "nothing was checked (0 of 4 packages)" in text
    assert code == 69
