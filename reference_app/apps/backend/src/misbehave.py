"""Faults on purpose, asked for by a file `misbehave.json` beside `src/`: README.md, Drills."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

FILE = Path(__file__).parents[1] / "misbehave.json"
MODES = (
    "slow_start",
    "failing_migration",
    "unhealthy",
    "lying_health",
    "wrong_version",
    "hang",
    "crash_loop",
    "crash_on_request",
)


@dataclass(frozen=True)
class Drill:
    """Which fault, and how many seconds it lasts (slow_start) or holds off (the others)."""

    mode: str
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"{FILE.name}: mode must be one of {', '.join(MODES)}")


def wanted() -> Drill | None:
    """The drill that this release carries; None, the usual case, costs one look at the disk."""
    try:
        text = FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return Drill(**json.loads(text))


def before_migrations() -> None:
    """Raise when the drill is a migration that fails."""
    drill = wanted()
    if drill and drill.mode == "failing_migration":
        raise RuntimeError("drill: this migration fails on purpose")


class Misbehave:
    """The ASGI application with the drill's fault around it."""

    def __init__(self, app: ASGIApp, drill: Drill) -> None:
        self.app = app
        self.drill = drill
        self.started = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._start()
            await self.app(scope, receive, send)
        elif not self._is_due():
            await self.app(scope, receive, send)
        elif self.drill.mode == "crash_on_request" and scope["path"].endswith("/ping"):
            _crash()
        elif scope["path"].removeprefix(scope.get("root_path", "")) != "/health":
            await self.app(scope, receive, send)
        elif self.drill.mode == "hang":
            await _until_client_leaves(receive)
        elif self.drill.mode in ANSWERS:
            await self._answer(send)
        else:
            await self.app(scope, receive, send)

    def _is_due(self) -> bool:
        return time.monotonic() - self.started >= self.drill.seconds

    async def _start(self) -> None:
        if self.drill.mode == "slow_start":
            await asyncio.sleep(self.drill.seconds)
        elif self.drill.mode == "crash_loop" and self.drill.seconds:
            asyncio.get_running_loop().call_later(self.drill.seconds, _crash)
        elif self.drill.mode == "crash_loop":
            _crash()

    async def _answer(self, send: Send) -> None:
        code, status, git_sha = ANSWERS[self.drill.mode]
        own = {"git_sha": os.environ["GIT_COMMIT_SHA"], "version": os.environ.get("APP_VERSION") or "dev"}
        body = json.dumps({"status": status} | own | ({"git_sha": git_sha} if git_sha else {})).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": body})


ANSWERS = {
    "unhealthy": (503, "unhealthy", ""),
    "lying_health": (200, "unhealthy", ""),
    "wrong_version": (200, "healthy", "0" * 40),
}


def _crash() -> None:
    print("drill: the process ends on purpose with code 3", file=sys.stderr, flush=True)
    os._exit(3)


async def _until_client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
