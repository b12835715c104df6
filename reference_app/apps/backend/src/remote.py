"""The dependencies that are spoken to over HTTP: the object store and the AI provider."""

from __future__ import annotations

import hashlib
import hmac
import urllib.error
import urllib.request
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from src.config import Settings

SECONDS = 1.4
EMPTY = hashlib.sha256(b"").hexdigest()


class Refused(Exception):
    """The other side answered, but not with success; the message is its HTTP status."""


def require_bucket(settings: Settings) -> None:
    """Return when the bucket is there and open to our key; Refused or OSError otherwise. Blocks."""
    path = f"/{quote(settings.s3_bucket)}"
    parts = urlsplit(settings.s3_endpoint)
    keys = settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
    _ask("HEAD", settings.s3_endpoint + path, signed("HEAD", parts.netloc, path, keys, datetime.now(UTC)))


def require_ai(settings: Settings) -> None:
    """Return when the provider knows our key; Refused or OSError otherwise. Blocks."""
    key = settings.openrouter_api_key.get_secret_value()
    _ask("GET", f"{settings.openrouter_url}/key", {"Authorization": f"Bearer {key}"})


def signed(
    method: str, host: str, path: str, keys: tuple[str, str], now: datetime, query: str = ""
) -> dict[str, str]:
    """The headers of a request without body under AWS Signature Version 4, region us-east-1."""
    access_key, secret_key = keys
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": moment}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{EMPTY}"
    canonical = hashlib.sha256(request.encode()).hexdigest()
    scope = f"{now:%Y%m%d}/us-east-1/s3/aws4_request"
    key = f"AWS4{secret_key}".encode()
    for part in [*scope.split("/"), f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{canonical}"]:
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={access_key}/{scope},SignedHeaders={names},Signature={key.hex()}"
    return headers | {"Authorization": f"AWS4-HMAC-SHA256 {credential}"}


def _ask(method: str, url: str, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310  # Settings allow http(s) only
    try:
        urllib.request.urlopen(request, timeout=SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        raise Refused(f"HTTP {error.code}") from None
