"""The signature of one request to an S3 server: AWS Signature Version 4, in the Authorization header.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from infra.model.secret import Secret

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: `path` is not encoded yet, `query` has at most one value for a name."""

    method: str
    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        """The request's target as it is sent and signed."""
        return self.encoded_path + (f"?{self.encoded_query}" if self.query else "")

    @property
    def encoded_path(self) -> str:
        """The path as it is sent and signed."""
        return quote(self.path, safe="/-._~")

    @property
    def encoded_query(self) -> str:
        """The query as it is sent and signed: sorted by name."""
        return "&".join(f"{_encoded(name)}={_encoded(self.query[name])}" for name in sorted(self.query))


def signed(ask: Ask, access_key: str, secret_key: Secret, now: datetime) -> dict[str, str]:
    """Give the headers that make a request ours; `now` is UTC and may be 15 minutes off at most."""
    content = hashlib.sha256(ask.body).hexdigest()
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    headers = {"host": ask.host, "x-amz-content-sha256": content, "x-amz-date": moment}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    parts = (ask.method, ask.encoded_path, ask.encoded_query, lines, names, content)
    request = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    scope = f"{now:%Y%m%d}/{REGION}/s3/aws4_request"
    signature = _signature(secret_key, scope, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{request}")
    words = f"Credential={access_key}/{scope},SignedHeaders={names},Signature={signature}"
    return {**headers, "authorization": f"AWS4-HMAC-SHA256 {words}"}


def _signature(secret_key: Secret, scope: str, text: str) -> str:
    key = f"AWS4{secret_key.reveal()}".encode()
    for word in (*scope.split("/"), text):
        key = hmac.digest(key, word.encode(), "sha256")
    return key.hex()


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")
