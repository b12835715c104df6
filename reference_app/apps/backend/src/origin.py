"""What the application knows of its own address: the router's prefix, and who may call it from a browser."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFIX = "/api"


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
    """Lets a browser call from our own pages: the public address, and the address that was asked."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin", "")
        if not origin:
            await self.app(scope, receive, send)
            return
        allowed = {"Vary": "Origin"}
        if origin in {self.public_url, f"{scope['scheme']}://{headers.get('host')}"}:
            allowed |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
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
