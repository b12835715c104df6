"""What the application knows of its own address: the router's prefix, and who may call it from a browser."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFIX = "/api"
READS = {"GET", "HEAD", "OPTIONS"}
LOOPBACK = ("localhost", "127.0.0.1")
FOREIGN = "only our own pages may do this: the header Origin names another page, or none"


class BehindPrefix:
    """Tells the application that a router stripped `/api`, so that its documentation names the right paths.

    Only this one prefix is believed. ASGI wants the whole path, so that nothing is stripped twice.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and Headers(scope=scope).get("x-forwarded-prefix") == PREFIX:
            raw_path = PREFIX.encode() + scope.get("raw_path", b"")
            scope = {**scope, "root_path": PREFIX, "path": PREFIX + scope["path"], "raw_path": raw_path}
        await self.app(scope, receive, send)


class OwnOrigin:
    """Lets our own pages call, and nobody else's change anything; who names no page changes nothing either.

    Our own is the public address, and on this machine the address that was asked: who asks by a name gets
    no leave for the number, as somebody else may listen behind the name. A browser tells its page in Origin,
    else in Referer; other clients set Origin to the address that they ask.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.own = _origin(public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        page = headers.get("origin") or _origin(headers.get("referer", ""))
        is_own = page != "" and page in {self.own, _asked(scope["scheme"], headers.get("host", ""))}
        if scope["method"] not in READS and not is_own:
            await JSONResponse({"detail": FOREIGN}, 403)(scope, receive, send)
            return
        if "origin" not in headers:
            await self.app(scope, receive, send)
            return
        allowed = {"Vary": "Origin"}
        if is_own:
            allowed |= {"Access-Control-Allow-Origin": page, "Access-Control-Allow-Credentials": "true"}
        if scope["method"] == "OPTIONS":
            await _preflight(allowed)(scope, receive, send)
            return

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(allowed)
            await send(message)

        await self.app(scope, receive, send_allowed)


def _preflight(allowed: dict[str, str]) -> Response:
    offered = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": "Content-Type"}
    return Response(status_code=204, headers=allowed | offered)


def _origin(url: str) -> str:
    """The origin of an address, as a browser writes it; empty for what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else ""


def _asked(scheme: str, host: str) -> str:
    """The origin that was asked, where that is this machine; empty for a name that anybody may point here."""
    return f"{scheme}://{host}" if host.partition(":")[0] in LOOPBACK else ""
