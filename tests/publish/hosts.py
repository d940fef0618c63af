"""Hosts on loopback, each a real server of its kind (Netlify's aside), all of one shape."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import datetime
import hashlib
import http.server
import ipaddress
import json
import os
import subprocess
import sys
import threading
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

KINDS = (
    "folder",
    "versions",
    "command",
    "git",
    "git-ssh",
    "s3",
    "seaweed",
    "seaweed-plain",
    "gs",
    "azure",
    "sftp",
    "openssh",
    "rsync",
    "rsync-ssh",
    "webdav",
    "ftps",
    "netlify",
)
BUCKETS = ("s3", "seaweed", "gs", "azure")  # they keep headers
PASSWORD = "open sesame/42"  # noqa: S105 - a fake


class Broken(NamedTuple):
    """A target that cannot be pushed to, and a word that the message must have."""

    settings: dict[str, Any]
    word: str
    env: Mapping[str, str] = MappingProxyType({})


def aws(secret: str) -> Mapping[str, str]:
    """The environment of a client of S3 that looks nowhere else."""
    return MappingProxyType(
        {
            "AWS_ACCESS_KEY_ID": "good",
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_CONFIG_FILE": "/dev/null",
        }
    )


class Host(abc.ABC):
    """One place to push to."""

    keeps_headers = False
    atomic = False
    knows_hashes = False
    gathers = False  # what is put is there only after all of its group was
    env: Mapping[str, str] = MappingProxyType({})

    @property
    @abc.abstractmethod
    def settings(self) -> dict[str, Any]:
        """The target as config.yaml has it."""

    @abc.abstractmethod
    def files(self) -> dict[str, bytes]:
        """All that is there."""

    def peek(self, path: str) -> bytes | None:
        """What a reader gets of one file at this moment."""
        return self.files().get(path)

    @abc.abstractmethod
    def write(self, path: str, data: bytes) -> None:
        """Puts a file there by other means."""

    @abc.abstractmethod
    def remove(self, path: str) -> None:
        """Takes a file away by other means."""

    def headers(self, path: str) -> dict[str, str]:
        """With which headers a file is stored: with none, where the host keeps none."""
        return {}

    def broken(self) -> list[Broken]:
        """The same, with something wrong."""
        return []


class Folder(Host):
    """Files in a folder, however they came there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": f"file://{self.root}"}

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    def peek(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, data: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def broken(self) -> list[Broken]:
        return [Broken({"to": f"file://{self.root}/not/there"}, "unmounted")]


class Versions(Folder):
    """Versions of a folder."""

    atomic = True

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": f"file://{self.root}", "versions": 3}

    def write(self, path: str, data: bytes) -> None:
        if not self.root.exists():
            first = self.root.with_name(f"{self.root.name}.versions") / "000001"
            first.mkdir(parents=True)
            self.root.symlink_to(first.relative_to(self.root.parent))
        if (self.root / path).exists():
            (self.root / path).unlink()
        super().write(path, data)


class Command(Folder):
    """A command that does what a plan says."""

    atomic = True
    SCRIPT = """\
import json, pathlib, shutil, sys
plan, to = json.load(sys.stdin), pathlib.Path(sys.argv[1])
if not to.is_dir():
    sys.exit("no such folder")
for file in plan["put"]:
    (to / file["path"]).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(pathlib.Path(plan["tree"], file["path"]), to / file["path"])
for path in plan["delete"]:
    (to / path).unlink()
"""

    def __init__(self, root: Path) -> None:
        super().__init__(root / "to")
        self.root.mkdir()
        self.script = root / "deploy.py"
        self.script.write_text(self.SCRIPT, encoding="utf-8")

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": f"command:{sys.executable} {self.script} {self.root}"}

    def broken(self) -> list[Broken]:
        return [
            Broken({"to": f"command:{sys.executable} {self.script} /no/such"}, "no such folder"),
            Broken({"to": "command:/no/such/command"}, "cannot be run"),
        ]


class Git(Host):
    """A branch of a bare repository."""

    atomic = True
    knows_hashes = True

    def __init__(self, root: Path) -> None:
        self.repository = root / "site.git"
        self.git("init", "-q", "--bare", str(self.repository), here=False)

    def git(self, *args: str, here: bool = True, data: bytes = b"") -> bytes:
        where = ["--git-dir", str(self.repository)] if here else []
        done = subprocess.run(["git", *where, *args], input=data, capture_output=True, check=True)
        return done.stdout

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": f"git+file://{self.repository}#pages"}

    def files(self) -> dict[str, bytes]:
        try:
            names = self.git("ls-tree", "-r", "--name-only", "pages").decode().splitlines()
        except subprocess.CalledProcessError:
            return {}
        found = {name: self.git("cat-file", "blob", f"pages:{name}") for name in names}
        assert found.pop(".nojekyll", b"") == b""
        return found

    def commit(self, *lines: bytes) -> None:
        head = b"from refs/heads/pages^0\n" if self.files() else b""
        who = b"committer A <a@example.org> 1700000000 +0000\ndata 0\n"
        start = b"commit refs/heads/pages\n" + who + head
        self.git("fast-import", "--quiet", data=start + b"".join(lines) + b"\n")

    def write(self, path: str, data: bytes) -> None:
        self.commit(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))

    def remove(self, path: str) -> None:
        self.commit(b"D %s\n" % path.encode())

    def broken(self) -> list[Broken]:
        return [Broken({"to": f"git+file://{self.repository}.not#pages"}, "does not appear")]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, in files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def at(scheme: str, port: int, path: str, password: str = PASSWORD) -> str:
    """An address on loopback with user and password."""
    return f"{scheme}://me:{urllib.parse.quote(password, safe='')}@127.0.0.1:{port}{path}"


class SftpServer:
    """asyncssh's own server, in a thread."""

    def __init__(self, root: Path, folder: Path) -> None:
        import asyncssh

        class Login(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("me", PASSWORD)

        class Files(asyncssh.SFTPServer):
            def __init__(self, chan: Any) -> None:
                super().__init__(chan, chroot=os.fsencode(root))

        key = asyncssh.generate_private_key("ssh-ed25519")
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        listening = asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[key], server_factory=Login, sftp_factory=Files
        )
        server = asyncio.run_coroutine_threadsafe(_start(listening), self.loop).result(20)
        self.port = server.get_port()
        self.known = folder / "known_hosts"
        public = key.export_public_key().decode()
        self.known.write_text(f"[127.0.0.1]:{self.port} {public}", encoding="utf-8")
        self.unknown = folder / "unknown_hosts"
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        self.unknown.write_text(f"[127.0.0.1]:{self.port} {other}", encoding="utf-8")


async def _start(listening: Any) -> Any:
    return await listening


class Sftp(Folder):
    def __init__(self, root: Path, server: SftpServer, path: str) -> None:
        super().__init__(root / path)
        self.server = server
        self.path = path

    @property
    def settings(self) -> dict[str, Any]:
        to = at("sftp", self.server.port, f"/{self.path}")
        return {"to": to, "known_hosts": str(self.server.known)}

    def broken(self) -> list[Broken]:
        good = self.settings
        wrong = at("sftp", self.server.port, f"/{self.path}", "wrong/pass")
        return [
            Broken(good | {"to": wrong}, "refused"),
            Broken(good | {"known_hosts": str(self.server.unknown)}, "host key"),
            Broken(good | {"to": at("sftp", 1, "/x")}, "answer"),
            Broken(good | {"to": f"{good['to']}/not/there"}, "no folder"),
        ]


class DavServer:
    """wsgidav, in a thread."""

    def __init__(self, root: Path) -> None:
        from cheroot import wsgi
        from wsgidav.wsgidav_app import WsgiDAVApp

        app = WsgiDAVApp(
            {
                "provider_mapping": {"/": str(root)},
                "simple_dc": {"user_mapping": {"*": {"me": {"password": PASSWORD}}}},
                "http_authenticator": {"accept_basic": True, "accept_digest": False},
                "verbose": 0,
                "logging": {"enable": False},
            }
        )
        server = self.server = wsgi.Server(("127.0.0.1", 0), app)
        server.prepare()
        self.port = server.bind_addr[1]
        self.stop = server.stop  # its threads would outlive the tests
        threading.Thread(target=server.serve, daemon=True).start()


class Dav(Folder):
    def __init__(self, root: Path, server: DavServer, path: str) -> None:
        super().__init__(root / path)
        self.server = server
        self.path = path

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": at("webdav", self.server.port, f"/{self.path}"), "insecure": True}

    def broken(self) -> list[Broken]:
        good = self.settings
        return [
            Broken(good | {"to": at("webdav", self.server.port, "/x", "wrong/pass")}, "password"),
            Broken(good | {"to": at("webdav", 1, "/x")}, "connection"),
            Broken(good | {"to": f"{good['to']}/not/there"}, "nor its parent"),
        ]


class FtpServer:
    """pyftpdlib with TLS that it insists on, in a thread."""

    def __init__(self, root: Path, folder: Path) -> None:
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import TLS_FTPHandler
        from pyftpdlib.servers import ThreadedFTPServer

        self.certificate, key = certificate(folder)
        authorizer = DummyAuthorizer()
        authorizer.add_user("me", PASSWORD, str(root), perm="elradfmwMT")

        class Handler(TLS_FTPHandler):
            certfile = str(self.certificate)
            keyfile = str(key)
            tls_control_required = True
            tls_data_required = True
            auth_failed_timeout = 0

        Handler.authorizer = authorizer
        server = ThreadedFTPServer(("127.0.0.1", 0), Handler)
        self.port = server.address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Ftp(Folder):
    def __init__(self, root: Path, server: FtpServer, path: str) -> None:
        super().__init__(root / path)
        self.server = server
        self.path = path

    @property
    def settings(self) -> dict[str, Any]:
        to = at("ftps", self.server.port, f"/{self.path}")
        return {"to": to, "ca": str(self.server.certificate)}

    def broken(self) -> list[Broken]:
        good = self.settings
        unsafe = {"to": at("ftp", self.server.port, f"/{self.path}"), "insecure": True}
        return [
            Broken(good | {"to": at("ftps", self.server.port, "/x", "wrong/pass")}, "refused"),
            Broken({"to": good["to"]}, "certificate"),
            Broken(unsafe, "required"),
            Broken(good | {"to": at("ftps", 1, "/x")}, "refused"),
            Broken(good | {"to": f"{good['to']}/not/there"}, "no folder"),
        ]


class S3Server:
    """moto's server, with a door-keeper that knows one key and can be told to be busy."""

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        moto = DomainDispatcherApplication(create_backend_app)
        self.requests: list[str] = []
        self.busy = 0  # how many requests are answered with 503

        class Quiet(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"

            def log(self, type: str, message: str, *args: Any) -> None:
                pass

        def app(environ: Any, start: Any) -> Any:
            self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            code = ""
            if "Credential=good/" not in environ.get("HTTP_AUTHORIZATION", ""):
                code, status = "InvalidAccessKeyId", "403 Forbidden"
            elif self.busy:
                self.busy -= 1
                code, status = "SlowDown", "503 Slow Down"
            if not code:
                return moto(environ, start)
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            text = f"<Error><Code>{code}</Code><Message>No</Message></Error>".encode()
            start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(text)))])
            return [text]

        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.port}"


class S3(Host):
    keeps_headers = True
    knows_hashes = True
    env = aws("s3cr3t/key")

    def __init__(self, server: S3Server) -> None:
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        self.server = server
        self.bucket = f"b{uuid.uuid4().hex}"
        self.backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        self.backend.create_bucket(self.bucket, "us-east-1")

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": f"s3://{self.bucket}/some/prefix", "endpoint": self.server.url}

    @property
    def _keys(self) -> dict[str, Any]:
        return {
            name.removeprefix("some/prefix/"): key
            for name, key in self.backend.buckets[self.bucket].keys.items()
            if name.startswith("some/prefix/")
        }

    def files(self) -> dict[str, bytes]:
        return {name: bytes(key.value) for name, key in self._keys.items()}

    def write(self, path: str, data: bytes) -> None:
        self.backend.put_object(self.bucket, f"some/prefix/{path}", data)

    def remove(self, path: str) -> None:
        self.backend.delete_object(self.bucket, f"some/prefix/{path}")

    def headers(self, path: str) -> dict[str, str]:
        found = self._keys[path].metadata
        return {name.title(): value for name, value in found.items()}

    def broken(self) -> list[Broken]:
        good = self.settings
        return [
            Broken(good, "credentials", {"AWS_ACCESS_KEY_ID": "wrong"}),
            Broken(good | {"to": "s3://no-such-bucket/x"}, "no such bucket"),
            Broken(good | {"endpoint": "http://127.0.0.1:1"}, "tried 2 times"),
        ]


class NetlifyServer:
    """A small server with the rules of Netlify's deploy API: digests, what is required, states."""

    TOKEN = "nfp_t0ken"  # noqa: S105 - a fake

    def __init__(self) -> None:
        self.sites: dict[str, dict[str, str]] = {}  # id → path → SHA-1: what is published
        self.names: dict[str, str] = {}
        self.blobs: dict[str, dict[str, bytes]] = {}  # site → SHA-1 → bytes
        self.deploys: dict[str, dict[str, Any]] = {}
        self.published: dict[str, str] = {}
        self.uploads: list[str] = []
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer

            def log_message(self, *args: Any) -> None:
                pass

            def answer(self, code: int, content: Any = None) -> None:
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def handle_any(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Authorization") != f"Bearer {host.TOKEN}":
                    return self.answer(401, {"code": 401, "message": "Access Denied"})
                path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
                parts = path.removeprefix("/api/v1/").split("/", 3)
                code, content = host.answer(self.command, parts, data, self.headers)
                return self.answer(code, content)

            do_GET = do_PUT = do_POST = handle_any

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def make_site(self) -> str:
        name = f"s{uuid.uuid4().hex}"
        site = str(uuid.uuid4())
        self.names[f"{name}.netlify.app"] = site
        self.sites[site], self.blobs[site] = {}, {}
        return name

    def answer(self, method: str, parts: list[str], data: bytes, headers: Any) -> tuple[int, Any]:
        if parts[0] == "sites":
            site = self.names.get(parts[1], parts[1])
            if site not in self.sites:
                return 404, {"code": 404, "message": "Not Found"}
            if len(parts) == 2:
                published = self.published.get(site)
                return 200, {"id": site, "published_deploy": published and {"id": published}}
            if parts[2] == "files" and len(parts) == 3:
                return 200, [{"path": f"/{p}", "sha": s} for p, s in self.sites[site].items()]
            if parts[2] == "files":
                sha = self.sites[site].get(parts[3])
                if sha is None:
                    return 404, {"code": 404}
                if headers.get("Content-Type") == "application/vnd.bitballoon.v1.raw":
                    return 200, self.blobs[site][sha]
                return 200, {"path": f"/{parts[3]}", "sha": sha}
            order = json.loads(data)
            files = {path.removeprefix("/"): sha for path, sha in order["files"].items()}
            assert all(path.startswith("/") for path in order["files"])
            deploy = {
                "id": uuid.uuid4().hex,
                "site": site,
                "files": files,
                "state": "preparing",
                "required": sorted(set(files.values()) - self.blobs[site].keys()),
            }
            self.deploys[deploy["id"]] = deploy
            return 200, {"id": deploy["id"], "state": "preparing"}
        deploy = self.deploys[parts[1]]
        if method == "PUT":
            sha = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            if deploy["files"].get(parts[3]) != sha or sha not in deploy["required"]:
                return 422, {"code": 422, "message": "not what was promised"}
            self.blobs[deploy["site"]][sha] = data
            self.uploads.append(parts[3])
            deploy["required"].remove(sha)
        elif deploy["state"] == "preparing":
            deploy["state"] = "prepared"
            return 200, {"id": deploy["id"], "state": "preparing"}
        if not deploy["required"] and deploy["state"] == "prepared":
            deploy["state"] = "ready"
            self.sites[deploy["site"]] = deploy["files"]
            self.published[deploy["site"]] = deploy["id"]
        return 200, {k: deploy[k] for k in ("id", "state", "required")}


class Netlify(Host):
    atomic = True
    knows_hashes = True
    env = MappingProxyType({"NETLIFY_AUTH_TOKEN": NetlifyServer.TOKEN})

    def __init__(self, server: NetlifyServer) -> None:
        self.server = server
        self.name = server.make_site()
        self.site = server.names[f"{self.name}.netlify.app"]

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": f"netlify://{self.name}", "endpoint": self.server.url}

    def files(self) -> dict[str, bytes]:
        blobs = self.server.blobs[self.site]
        found = {path: blobs[sha] for path, sha in self.server.sites[self.site].items()}
        found.pop("_headers", None)
        return found

    def write(self, path: str, data: bytes) -> None:
        sha = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        self.server.blobs[self.site][sha] = data
        self.server.sites[self.site] = self.server.sites[self.site] | {path: sha}
        self.server.published[self.site] = uuid.uuid4().hex

    def remove(self, path: str) -> None:
        files = dict(self.server.sites[self.site])
        del files[path]
        self.server.sites[self.site] = files

    def broken(self) -> list[Broken]:
        good = self.settings
        return [
            Broken(good, "401", {"NETLIFY_AUTH_TOKEN": "wr0ng"}),
            Broken(good, "NETLIFY_AUTH_TOKEN", {"NETLIFY_AUTH_TOKEN": ""}),
            Broken(good | {"to": "netlify://no-such-site"}, "no site"),
            Broken(good | {"endpoint": "http://127.0.0.1:1"}, "connection"),
        ]


@contextlib.contextmanager
def hub() -> Iterator[tuple[str, list[dict[str, list[str]]], list[int]]]:
    """A WebSub hub: its address, what it was told, and the codes that it answers first."""
    told: list[dict[str, list[str]]] = []
    codes: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"])).decode()
            code = codes.pop(0) if codes else 204
            if code == 204:
                told.append(urllib.parse.parse_qs(data))
            self.send_response(code)
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hub", told, codes
    finally:
        server.shutdown()
        server.server_close()
