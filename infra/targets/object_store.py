"""An S3 server, asked with one login: buckets, and the objects in them. Nothing but the standard library."""

from __future__ import annotations

import html
import http.client
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from infra.model.addresses import OBJECT_STORE_KEYS
from infra.model.errors import CannotTell, Denied, NotFound, Unreachable
from infra.model.secret import Secret
from infra.targets.bounded import Wire
from infra.targets.s3_signature import Ask, signed

ANSWERS_WITHIN = 5.0
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Object:
    """One object of a bucket; `size` is in bytes."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """Where the server listens, and the login. Every call raises Unreachable, where a retry is safe.

    Denied says that the login may not, NotFound that there is no such bucket or object, CannotTell the rest.
    """

    endpoint: str
    access_key: Secret
    secret_key: Secret

    def buckets(self) -> list[str]:
        """Give the names of all buckets that the login may see."""
        return _texts(self._ask("GET", "/"), "Name")

    def require(self, bucket: str) -> None:
        """Return when the bucket is there and open to the login."""
        self._ask("HEAD", f"/{bucket}")

    def make(self, bucket: str) -> None:
        """Make a bucket; one that is there already stays as it is."""
        self._ask("PUT", f"/{bucket}", allowed=(http.client.CONFLICT,))

    def remove(self, bucket: str) -> None:
        """Remove a bucket with all that is in it; one that is not there is gone."""
        try:
            self.empty(bucket)
            self._ask("DELETE", f"/{bucket}")
        except NotFound:
            return

    def empty(self, bucket: str) -> int:
        """Remove all objects of a bucket; give how many they were."""
        keys = [one.key for one in self.objects(bucket)]
        for key in keys:
            self.delete(bucket, key)
        return len(keys)

    def objects(self, bucket: str) -> Iterator[Object]:
        """Give all objects of a bucket, page by page."""
        query = {"list-type": "2", "max-keys": str(PAGE)}
        while True:
            page = self._ask("GET", f"/{bucket}", query)
            keys, sizes = _texts(page, "Key"), _texts(page, "Size")
            yield from (Object(key, int(size)) for key, size in zip(keys, sizes, strict=True))
            further = _texts(page, "NextContinuationToken")
            if not further:
                return
            query["continuation-token"] = further[0]

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Keep an object; one of the same key is replaced."""
        self._ask("PUT", f"/{bucket}/{key}", body=body)

    def get(self, bucket: str, key: str) -> bytes:
        """Give an object's content."""
        return self._ask("GET", f"/{bucket}/{key}")

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; one that is not there is gone."""
        self._ask("DELETE", f"/{bucket}/{key}")

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: bytes = b"",
        allowed: tuple[int, ...] = (),
    ) -> bytes:
        where = urlsplit(self.endpoint)
        ask = Ask(method, where.netloc, where.path.rstrip("/") + path, query or {}, body)
        status, answer = self._exchange(ask)
        if status >= http.client.MULTIPLE_CHOICES and status not in allowed:
            raise _fault(status, answer, f"{method} {path}")
        return answer

    def _exchange(self, ask: Ask) -> tuple[int, bytes]:
        headers = signed(ask, self.access_key.reveal(), self.secret_key, datetime.now(UTC))
        try:
            with self._connected(ask.host) as connection:
                connection.request(ask.method, ask.target, ask.body, headers)
                response = connection.getresponse()
                return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            words = str(error) or type(error).__name__
            raise Unreachable(f"the object store {self.endpoint} does not answer: {words}") from error

    @contextmanager
    def _connected(self, host: str) -> Iterator[http.client.HTTPConnection]:
        """Give a connection for one exchange that takes no longer than 5 s and no more than 8 MiB."""
        is_tls = self.endpoint.startswith("https:")
        make = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        connection = make(host, timeout=ANSWERS_WITHIN)
        deadline = time.monotonic() + ANSWERS_WITHIN
        connection.connect()
        with closing(connection.sock) as plain:
            connection.sock = Wire(plain, deadline)
            yield connection


def object_store(keys: Mapping[str, Secret]) -> tuple[ObjectStore, str] | None:
    """Give the object store that an application's keys name, and its bucket; None where they name none."""
    values = [keys.get(name) or Secret("") for name in OBJECT_STORE_KEYS]
    endpoint, bucket, access_key, secret_key = values
    if not endpoint.reveal():
        return None
    return ObjectStore(endpoint.reveal(), access_key, secret_key), bucket.reveal()


def _texts(page: bytes, element: str) -> list[str]:
    """Give the texts of all elements of this name; none of those that are read holds another element."""
    found = re.findall(f"<{element}>([^<]*)</{element}>", page.decode("utf-8", "replace"))
    return [html.unescape(text) for text in found]


def _fault(status: int, answer: bytes, asked: str) -> CannotTell:
    code = next(iter(_texts(answer, "Code")), "")
    words = f"the object store answered {asked} with {status} {code}".rstrip()
    if status == http.client.FORBIDDEN:
        return Denied(words)
    if status == http.client.NOT_FOUND:
        return NotFound(words)
    if status >= http.client.INTERNAL_SERVER_ERROR:
        return Unreachable(words)
    return CannotTell(words)
