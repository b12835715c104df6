"""What `vault.dev` writes down about its server, and whether that server still lives."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.model.errors import CannotTell
from infra.model.secret import Secret
from infra.store import private_file
from infra.store.owner import mark_of

NAME = "vault-dev.json"
MEMORY = "vault-dev"
TOKEN = "token"  # noqa: S105  # a file's name
MADE_BY_SERVER = ("vault-ca.pem", "vault-cert.pem", "vault-key.pem")


@dataclass(frozen=True, slots=True)
class Entry:
    """One throw-away server. `mark` tells its process from another one of the same pid.

    `certificate` is its root, in PEM; the server of a version before has none, and speaks without TLS.
    """

    address: str
    pid: int
    mark: str
    cluster: str
    program: str
    version: str
    certificate: str = ""

    @property
    def is_alive(self) -> bool:
        """True while the very process that was written down runs."""
        return bool(self.mark) and mark_of(self.pid) == self.mark


@dataclass(frozen=True, slots=True)
class EntryPlace:
    """Where the entry of an environment lies: in its state folder; the token lies in memory."""

    root: Path
    memory: Path

    @property
    def file(self) -> Path:
        """The entry; it outlives its server, so that what it held is known to be gone."""
        return self.root / NAME

    @property
    def token_file(self) -> Path:
        """The server's root token, as long as it runs."""
        return self.memory / MEMORY / TOKEN

    def read(self) -> Entry | None:
        """Give the entry, None when none was ever written; CannotTell when it says nothing."""
        text = private_file.read(self.file)
        if text is None:
            return None
        try:
            return Entry(**json.loads(text))
        except (ValueError, TypeError):
            raise CannotTell(f"{self.file} is no entry of vault.dev", next_step=f"rm {self.file}") from None

    def write(self, entry: Entry) -> None:
        """Write the entry, 0600."""
        private_file.replace(self.file, json.dumps(asdict(entry), indent=2) + "\n")

    def token(self) -> Secret | None:
        """Give the root token, None when there is none."""
        text = private_file.read(self.token_file)
        return Secret(text) if text else None

    @property
    def certificate_file(self) -> Path:
        """The root certificate as the server writes it, beside its own and that one's key; gone with it."""
        return self.token_file.with_name(MADE_BY_SERVER[0])

    def write_token(self, token: Secret) -> None:
        """Write the root token, 0600."""
        private_file.replace(self.token_file, token.reveal())

    def forget(self) -> None:
        """Remove the root token and what the server made for TLS; a repeat is safe."""
        for name in (TOKEN, *MADE_BY_SERVER):
            self.token_file.with_name(name).unlink(missing_ok=True)
