"""`s3://bucket/prefix`, `gs://bucket/prefix`, `azure://account/container/prefix`, by obstore."""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, S3Store

from feedpub.publish.errors import (
    AlreadyExistsError,
    ConflictError,
    FileError,
    TargetError,
    TransientError,
)
from feedpub.publish.targets import TargetContext
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload

JOBS = 16
_WHOLE = 8_000_000  # bytes: larger files are sent in parts; a request is held in memory
_PARTS = 2  # parallel uploads, of 5 MiB each
# Seconds for a whole request: obstore has no timeout for progress.
_TIMEOUT = 60
# The same for uploads of more than _SMALL bytes: 35 MB in parallel take this long at 400 kbit/s.
_PATIENCE = 900
_SMALL = 100_000
_LARGE_AT_ONCE = 2
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')  # an S3 ETag that is one: not of parts, not of SSE-KMS
_DENIED = re.compile(
    r"AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|AuthorizationFailure"
    r"|InvalidAuthenticationInfo|invalid_grant|InvalidToken|CredentialsError"
    r"|40[13] (?:Forbidden|Una)",
)
# Where machines in a cloud get credentials: tried last.
_ASKED_THE_MACHINE = re.compile(r"//(?:169\.254\.169\.254|metadata\.google\.internal)\b")
_CLIENT_ERROR = re.compile(r"status code: 4(?!08|29)\d\d")  # a retry does not help
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|bucket does not exist", re.IGNORECASE)


def connect(place: TargetContext) -> Bucket:
    """Opens the bucket, with credentials from the environment or from the provider's tools."""
    address, settings = place.address, place.settings
    # feedpub has its own retries.
    how: dict[str, Any] = {
        "retry_config": {"max_retries": 0},
        "client_options": {"timeout": f"{_TIMEOUT}s", "connect_timeout": "10s"},
    }
    if settings.endpoint.startswith("http://"):
        how["client_options"]["allow_http"] = True
    path = address.path.strip("/")
    patient = how | {"client_options": how["client_options"] | {"timeout": f"{_PATIENCE}s"}}
    more: dict[str, Any]
    reading = None
    try:
        if address.scheme == "s3":
            more = _aws(place)
            make: Callable[..., Any] = partial(S3Store, address.host, prefix=path or None, **more)
        elif address.scheme == "gs":
            more = {"base_url": settings.endpoint.rstrip("/")} if settings.endpoint else {}
            make = partial(GCSStore, address.host, prefix=path or None, **more)
            # Google decompresses stored gzip unless gzip is accepted, so that files could not be
            # compared. Listings must not be compressed, and use the other store.
            packed = how["client_options"] | {"default_headers": {"Accept-Encoding": "gzip"}}
            reading = make(**how | {"client_options": packed})
        else:
            container, _, prefix = path.partition("/")
            more = {"endpoint": settings.endpoint.rstrip("/")} if settings.endpoint else {}
            more |= {"account_name": address.host, "prefix": prefix or None}
            make = partial(AzureStore, container, **more)
        store, sending = make(**how), make(**patient)
    except (exceptions.BaseError, ValueError) as error:
        raise TargetError(f"it cannot be used: {_message(error)}") from None
    can = Capabilities(
        headers=True,
        # ETags of other providers are no hashes: files are downloaded to compare them.
        hash="md5" if address.scheme == "s3" else "",
        jobs=settings.jobs or JOBS,
    )
    return Bucket(can, Stores(store, sending, reading or store), settings.conditional)


def _aws(place: TargetContext) -> dict[str, Any]:
    """Settings for S3, from the environment, ~/.aws, or the machine's metadata."""
    settings = place.settings
    how: dict[str, Any] = {}
    profile = _profile()
    region = settings.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region := region or profile.get("region"):
        how["region"] = region
    if endpoint := settings.endpoint or os.environ.get("AWS_ENDPOINT_URL", ""):
        how |= {"endpoint": endpoint.rstrip("/"), "virtual_hosted_style_request": False}
        how.setdefault("region", "us-east-1")
    if "AWS_ACCESS_KEY_ID" not in os.environ and "aws_access_key_id" in profile:
        how["access_key_id"] = profile["aws_access_key_id"]
        how["secret_access_key"] = profile.get("aws_secret_access_key", "")
        if token := profile.get("aws_session_token"):
            how["session_token"] = token
    return how


def _profile() -> dict[str, str]:
    """Settings of the current profile in ~/.aws."""
    name = os.environ.get("AWS_PROFILE", "default")
    found: dict[str, str] = {}
    for variable, file, section in (
        ("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", name),
    ):
        parser = configparser.RawConfigParser()
        path = Path(os.environ.get(variable) or Path.home() / ".aws" / file)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            raise TargetError(f"{path} is invalid; correct it") from None
        if parser.has_section(section):
            found |= dict(parser[section])
    return found


class Stores(NamedTuple):
    """Clients of one bucket for different kinds of requests."""

    usual: Any
    sending: Any  # more than _SMALL bytes
    reading: Any  # objects


class Bucket(Target):
    """A bucket, or a prefix in it."""

    def __init__(self, can: Capabilities, stores: Stores, conditional: bool) -> None:
        self.can = can
        self._store, self._sending, self._reading = stores
        self._conditional = conditional
        self._large = threading.BoundedSemaphore(_LARGE_AT_ONCE)

    def read(self, path: str) -> RemoteFile | None:
        try:
            answer = obstore.get(self._reading, path)
            return RemoteFile(bytes(answer.bytes()), _version(answer.meta))
        except FileNotFoundError as error:
            if _NO_BUCKET.search(str(error)):
                raise TargetError(
                    "there is no such bucket; create it, or correct the name"
                ) from None
            return None
        except exceptions.BaseError as error:
            raise _fault(error) from None

    def list(self) -> dict[str, ListedFile]:
        found = {}
        try:
            for batch in obstore.list(self._store, chunk_size=1000):
                for meta in batch:
                    md5 = _MD5.fullmatch(meta["e_tag"] or "") if self.can.hash else None
                    found[meta["path"]] = ListedFile(meta["size"], md5[1] if md5 else "")
        except FileNotFoundError:
            raise TargetError("there is no such bucket; create it, or correct the name") from None
        except exceptions.BaseError as error:
            raise _fault(error) from None
        return found

    def put(self, upload: Upload) -> None:
        on_condition = self._conditional and upload.body.size <= _WHOLE
        if upload.new and not on_condition and self._is_there(upload.path):
            raise AlreadyExistsError
        try:
            self._put(upload, "create" if upload.new and on_condition else "overwrite")
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            raise AlreadyExistsError from None

    def _is_there(self, path: str) -> bool:
        try:
            obstore.head(self._store, path)
        except FileNotFoundError:
            return False
        except exceptions.BaseError as error:
            raise _fault(error) from None
        return True

    def put_if_match(self, upload: Upload, version: str) -> str:
        if not self._conditional:
            found = self.read(upload.path)
            if (found.version if found else "") != version:
                raise ConflictError
            return self._put(upload, "overwrite")
        tag, _, number = version.partition("\n")
        known = {"e_tag": tag} if tag else {}
        mode = known | ({"version": number} if number else {}) if version else "create"
        try:
            return self._put(upload, mode)
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            raise ConflictError from None

    def _put(self, upload: Upload, mode: Any) -> str:
        body = upload.body
        # Uploads in parts cannot be conditional.
        in_parts = body.size > _WHOLE and mode == "overwrite"
        try:
            with self._large if body.file else contextlib.nullcontext():
                result = obstore.put(
                    self._sending if body.size > _SMALL else self._store,
                    upload.path,
                    body.file or body.data,
                    attributes=dict(upload.headers),
                    mode=mode,
                    use_multipart=in_parts,
                    max_concurrency=_PARTS,
                )
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            raise
        except (exceptions.BaseError, FileNotFoundError) as error:
            raise _fault(error) from None
        return _version(result)

    def delete(self, path: str) -> None:
        try:
            obstore.delete(self._store, path)
        except FileNotFoundError:
            pass
        except exceptions.BaseError as error:
            raise _fault(error) from None


def _version(meta: Any) -> str:
    """The version of an object for conditional writes."""
    return f"{meta.get('e_tag') or ''}\n{meta.get('version') or ''}"


def _fault(error: Exception) -> Exception:
    """Translates an error of obstore."""
    text = str(error)
    if _NO_BUCKET.search(text):
        return TargetError("there is no such bucket; create it, or correct the name")
    if _ASKED_THE_MACHINE.search(text):
        return TargetError("no credentials are found; docs/push.md says where they are looked for")
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return TargetError(f"the credentials are refused ({_message(error)})")
    if _DENIED.search(text):
        return TargetError(f"the credentials are refused ({_message(error)})")
    if isinstance(error, exceptions.NotSupportedError) or "NotImplemented" in text:
        return TargetError(f"{_message(error)}; does conditional: false help?")
    if _CLIENT_ERROR.search(text):
        return FileError(_message(error))
    if isinstance(error, exceptions.GenericError):
        return TransientError(_message(error))
    return FileError(_message(error))


def _message(error: Exception) -> str:
    """The message of the provider, without the request."""
    text = str(error)
    code = re.search(r"<Code>([^<]*)</Code>", text)
    said = re.search(r"<Message>([^<]*)</Message>", text)
    if code:
        return code[1] + (f": {said[1][:150]}" if said else "")
    lines = [line.strip() for line in text.partition("Debug source")[0].splitlines()]
    text = " ".join(line for line in lines if line)
    return re.sub(r"\s+", " ", text)[:200] or type(error).__name__
