"""How much a request may bring: more is answered 413 while it still arrives, and nobody holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from fastapi.exceptions import RequestValidationError
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 64 * 1024  # bytes of a body that has no larger limit
FAULTS = 10  # how many faults of a body are told


class Bounded:
    """Counts a body's bytes as they come, whatever it says of them; `larger` are limits by a path's start."""

    def __init__(self, app: ASGIApp, larger: Mapping[str, int]) -> None:
        self.app = app
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._limit(scope["path"].removeprefix(scope.get("root_path", "")))
        if int(Headers(scope=scope).get("content-length", "0")) > limit:
            await JSONResponse({"detail": _too_long(limit)}, 413)(scope, receive, send)
            return
        left = limit

        async def receive_bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, _too_long(limit))
            return message

        await self.app(scope, receive_bounded, send)

    def _limit(self, path: str) -> int:
        return next((limit for start, limit in self.larger.items() if path.startswith(start)), LIMIT)


def _too_long(limit: int) -> str:
    return f"the body has at most {limit} bytes here"


async def say_what_is_wrong(_: Request, error: RequestValidationError) -> JSONResponse:
    """What is wrong with a request, in 422: where and why, and nothing of what was sent."""
    told = [{name: fault[name] for name in ("type", "loc", "msg")} for fault in error.errors()[:FAULTS]]
    return JSONResponse({"detail": told}, 422)
