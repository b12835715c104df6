"""Stand-ins for Redis and the object store: they answer what our clients ask, and can refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit


class RedisDouble:
    """The four calls of a Redis client that the application makes."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.seconds: dict[str, int] = {}

    async def ping(self) -> bool:
        return True

    async def get(self, key: str) -> str | None:
        return self.kept.get(key)

    async def set(self, key: str, value: str, ex: int) -> None:
        self.kept[key], self.seconds[key] = value, ex

    async def delete(self, key: str) -> None:
        self.kept.pop(key, None)


class ObjectStore(ThreadingHTTPServer):
    """A bucket `statements` that knows one access key. `refuses` is the status of every answer, when set."""

    request_queue_size = 50

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.objects: dict[str, bytes] = {}
        self.refuses = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ObjectStore

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self._is_allowed():
            self.server.objects[self._key] = content
            self._send(200, b"", ETag='"e"')

    def do_HEAD(self) -> None:
        if self._is_allowed():
            self._send(200, b"")

    def do_GET(self) -> None:
        if not self._is_allowed():
            return
        asked = parse_qs(urlsplit(self.path).query)
        if "list-type" in asked:
            self._send(200, self._listing(asked["prefix"][0]))
        elif self._key in self.server.objects:
            moment = "Wed, 21 Oct 2026 07:28:00 GMT"
            self._send(200, self.server.objects[self._key], ETag='"e"', Last_Modified=moment)
        else:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def log_message(self, *_: object) -> None:
        pass

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/statements/")

    def _is_allowed(self) -> bool:
        is_known = self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=access/")
        status = self.server.refuses or (200 if is_known else 403)
        if status != 200:
            self._send(status, b"<Error><Code>No</Code></Error>")
        return status == 200

    def _listing(self, prefix: str) -> bytes:
        rows = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-10-21T07:28:00.000Z</LastModified>"
            f'<ETag>"e"</ETag><Size>{len(content)}</Size></Contents>'
            for key, content in sorted(self.server.objects.items())
            if key.startswith(prefix)
        )
        return (
            f"<ListBucketResult><Name>statements</Name><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        ).encode()

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A running object store on a free loopback port."""
    with ObjectStore() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
