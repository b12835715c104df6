"""The dependencies that are spoken to over HTTP: the object store and the AI provider."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from urllib.parse import quote, urlsplit

from src.config import Settings

REGION = "us-east-1"
EMPTY = hashlib.sha256(b"").hexdigest()


class Refused(Exception):
    """The other side answered, but not with success; the message is its HTTP status."""


class AiProvider:
    """The AI provider, asked with our key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def check(self, seconds: float) -> None:
        """Return when the provider knows our key; Refused or OSError otherwise."""
        await beside(_require_ai, self._settings, seconds)


def require_bucket(settings: Settings, seconds: float) -> None:
    """Return when the bucket is there and open to our key; Refused or OSError otherwise. Blocks."""
    path = f"/{quote(settings.s3_bucket)}"
    parts = urlsplit(settings.s3_endpoint)
    keys = settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
    headers = signed("HEAD", parts.netloc, path, keys, datetime.now(UTC))
    _ask("HEAD", settings.s3_endpoint + path, headers, seconds)


async def beside(blocking: Callable[[Settings, float], None], settings: Settings, seconds: float) -> None:
    """Run what blocks beside the loop. Its thread is a daemon: it holds up neither Ctrl+C nor a reload."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if outcome.cancelled():
            return
        outcome.set_exception(error) if error else outcome.set_result(None)

    def run() -> None:
        fault: Exception | None = None
        try:
            blocking(settings, seconds)
        except Exception as error:  # noqa: BLE001  # it is the caller's
            fault = error
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, fault)

    Thread(target=run, daemon=True).start()
    await outcome


def signed(
    method: str, host: str, path: str, keys: tuple[str, str], now: datetime, query: str = ""
) -> dict[str, str]:
    """The headers of a request without body under AWS Signature Version 4, region REGION."""
    access_key, secret_key = keys
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": moment}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{EMPTY}"
    canonical = hashlib.sha256(request.encode()).hexdigest()
    scope = f"{now:%Y%m%d}/{REGION}/s3/aws4_request"
    key = f"AWS4{secret_key}".encode()
    for part in [*scope.split("/"), f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{canonical}"]:
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={access_key}/{scope},SignedHeaders={names},Signature={key.hex()}"
    return headers | {"Authorization": f"AWS4-HMAC-SHA256 {credential}"}


def _require_ai(settings: Settings, seconds: float) -> None:
    key = settings.openrouter_api_key.get_secret_value()
    _ask("GET", f"{settings.openrouter_url}/key", {"Authorization": f"Bearer {key}"}, seconds)


def _ask(method: str, url: str, headers: dict[str, str], seconds: float) -> None:
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310  # Settings allow http(s) only
    try:
        urllib.request.urlopen(request, timeout=seconds).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        raise Refused(f"HTTP {error.code}") from None
