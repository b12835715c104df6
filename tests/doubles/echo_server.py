"""A backend that says who it is and what it was asked for."""

from __future__ import annotations

import contextlib
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator

IMPOSTOR = "impostor"


class EchoServer(socketserver.ThreadingTCPServer):
    """Answers every request with its own name and the request's path, untouched.

    It also claims to be somebody else in the header that only the router may set.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str, address: str, port: int, claims: str) -> None:
        super().__init__((address, port), _Handler)
        self.name, self.claims = name, claims


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: EchoServer

    def do_GET(self) -> None:
        body = json.dumps([self.server.name, self.requestline.split(" ")[1]]).encode()
        self.send_response_only(404)
        self.send_header(self.server.claims, IMPOSTOR)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def echoing(name: str, address: str, port: int = 0, claims: str = "X-Claims") -> Iterator[int]:
    """Give the port of a running echo, until the block ends; OSError when the address is taken."""
    with EchoServer(name, address, port, claims) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
