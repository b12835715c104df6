"""The server itself: whether it is open, how far its unsealing is, and where its audit goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from infra.model.errors import Refused, StoreError

if TYPE_CHECKING:
    from infra.store.vault.answers import Answer
    from infra.store.vault.client import VaultClient

State = Literal["active", "standby", "not initialised", "sealed"]
STATES: Mapping[int, State] = {
    200: "active",
    429: "standby",
    472: "standby",
    473: "standby",
    501: "not initialised",
    503: "sealed",
}
LOG = "/var/log/vault/audit.log"
BY_FILE_ONLY = "declarative"


@dataclass(frozen=True, slots=True)
class Health:
    """How the server is. `progress` of `threshold` unseal keys were given since it was sealed."""

    state: State
    version: str
    progress: int = 0
    threshold: int = 0

    @property
    def is_open(self) -> bool:
        """True when it answers questions about values."""
        return self.state in {"active", "standby"}

    @property
    def words(self) -> str:
        """The state, with the progress of its unsealing."""
        keys = f", {self.progress} of {self.threshold} unseal keys are given"
        return self.state + (keys if self.threshold else "")


@dataclass(frozen=True, slots=True)
class AuditDevice:
    """One place that every request is written to; `is_raw` tells that values stand there in clear."""

    name: str
    kind: str
    path: str
    is_raw: bool


class Server:
    """Questions about the server. Each may raise Denied, Unreachable or StoreError, and may be repeated."""

    def __init__(self, client: VaultClient) -> None:
        self._client = client

    def now(self) -> datetime:
        """Give this moment by the server's clock, up to a second ahead: it rounds down."""
        seconds = self._health().body.get("server_time_utc")
        return datetime.fromtimestamp(seconds + 1, UTC) if isinstance(seconds, int) else datetime.now(UTC)

    def _health(self) -> Answer:
        return self._client.call("GET", "sys/health", anonymous=True, expected=STATES)

    def health(self) -> Health:
        """Give how the server is; asked without a token, and answered when it is sealed, too."""
        answer = self._health()
        state, version = STATES[answer.status], str(answer.body.get("version", ""))
        return self._sealed(version) if state == "sealed" else Health(state, version)

    def _sealed(self, version: str) -> Health:
        told = _good(self._client.call("GET", "sys/seal-status", anonymous=True)).body
        return Health("sealed", version or str(told["version"]), int(told["progress"]), int(told["t"]))

    def audit_devices(self) -> tuple[AuditDevice, ...]:
        """Give the audit devices; the caller needs read and sudo at sys/audit."""
        told = _good(self._client.call("GET", "sys/audit")).data
        return tuple(_device(name.rstrip("/"), one) for name, one in sorted(told.items()))

    def enable_file_audit(self, path: str, name: str = "file") -> None:
        """Write each request to a file, values hashed; Refused when only the server's own file can say so."""
        body = {"type": "file", "options": {"file_path": path, "log_raw": "false"}}
        answer = self._client.call("PUT", f"sys/audit/{name}", body)
        if any(BY_FILE_ONLY in words for words in answer.errors):
            raise Refused("this server takes audit devices from its own file only", evidence=answer.errors)
        _good(answer)

    def request_id(self) -> str:
        """Give the id of a request that was just made; its entry stands in every audit device."""
        return str(_good(self._client.call("GET", "auth/token/lookup-self")).body["request_id"])


def _device(name: str, told: Mapping[str, Any]) -> AuditDevice:
    options = told.get("options") or {}
    is_raw = str(options.get("log_raw", "false")).lower() not in {"false", "0", ""}
    return AuditDevice(name, str(told["type"]), str(options.get("file_path", "")), is_raw)


def _good(answer: Answer) -> Answer:
    if answer.status >= 400:
        raise StoreError(f"Vault answered {answer.status}: {'; '.join(answer.errors) or 'without a reason'}")
    return answer
