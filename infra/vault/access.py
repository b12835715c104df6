"""Which Vault a command talks to, and with whose token."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.model.errors import BadInput, CannotTell, Denied
from infra.store import private_file
from infra.vault.entry import Entry, EntryPlace

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.environment import Environment
    from infra.model.secret import Secret
    from infra.model.settings import Settings
    from infra.store.vault.client import VaultClient
    from infra.workspace.folders import Folders

TOKEN_FILE = ".vault-token"  # noqa: S105  # a file's name


@dataclass(frozen=True, slots=True)
class Access:
    """A server and a token for it. `origin` says in words where both come from.

    `cluster` tells one server's data from another's, `program` runs its agents, and `root` is the certificate
    that alone vouches for it; all three only in a rehearsal.
    """

    address: str
    token: Secret | None
    origin: str
    cluster: str = ""
    program: str = ""
    version: str = ""
    allow_http: str = ""
    nodes: tuple[str, ...] = ()
    root: str = ""

    def client(self) -> VaultClient:
        """Give a client of its own; nothing is asked yet."""
        from infra.store.vault.client import VaultClient

        where = (self.address, self.token)
        return VaultClient(*where, root=self.root, allow_http=self.allow_http, nodes=self.nodes)


def access_of(
    this: Command, settings: Settings, environment: Environment, where: Folders, *, rehearsal: bool
) -> Access:
    """Give the server of an environment and a token, which the redactor masks from now on.

    A rehearsal talks to the server of its own `vault.dev` alone, whatever settings and variables say:
    CannotTell when there is none or it ended. Else BadInput for no address or two, Denied for a token file
    that others can read, CannotTell when there is no token and nobody to ask.
    """
    found = _rehearsed(environment, where) if rehearsal else _real(this, settings)
    if found.token is not None:
        this.redactor.learn(found.token)
    return found


def entry_place(environment: Environment, where: Folders) -> EntryPlace:
    """Give where the entry of an environment's `vault.dev` lies."""
    return EntryPlace(where.state / environment.name, where.memory / environment.name)


def _rehearsed(environment: Environment, where: Folders) -> Access:
    place = entry_place(environment, where)
    entry = place.read()
    if entry is None:
        raise CannotTell(f"no vault.dev runs for {environment.name}", next_step=start(environment))
    token = place.token()
    if not entry.is_alive or token is None:
        raise ended(environment, entry)
    origin = f"vault.dev, {entry.program} as pid {entry.pid}"
    if not entry.certificate:
        origin += ", of a version before and without TLS: end it and start it anew"
    known = (entry.cluster, entry.program, entry.version)
    return Access(entry.address, token, origin, *known, root=entry.certificate)


def start(environment: Environment) -> str:
    """Give the command that starts a throw-away server for an environment."""
    return f"./inv vault.dev --env {environment.name}"


def ended(environment: Environment, entry: Entry) -> CannotTell:
    """Give the error for a server that is gone, and with it all secrets that it held."""
    return CannotTell(
        f"the Vault of this rehearsal of {environment.name}, {entry.address}, does not run any more, "
        "and its secrets are gone with it",
        next_step=start(environment),
    )


def _real(this: Command, settings: Settings) -> Access:
    written, given = settings.vault.address, this.variables.get("VAULT_ADDR", "")
    if written and given and written.rstrip("/") != given.rstrip("/"):
        raise BadInput(
            f"vault.address is {written}, and VAULT_ADDR is {given}", next_step="unset VAULT_ADDR, or mend it"
        )
    address = written or given
    if not address:
        words = "no Vault is known here; a rehearsal has its own: --target process"
        raise BadInput(words, next_step="set vault.address in invoke.yaml, or VAULT_ADDR")
    from infra.store.vault.address import checked_address

    allow_http = settings.vault.allow_http or ""
    checked_address(address, allow_http)  # before anybody is asked for a token
    token, origin = _token(this, address)
    return Access(address, token, origin, allow_http=allow_http, nodes=tuple(settings.vault.nodes))


def _token(this: Command, address: str) -> tuple[Secret, str]:
    """Give a person's token: that of VAULT_TOKEN, of the CLI's file, or typed in."""
    given = this.variables.get("VAULT_TOKEN", "").strip()
    if given:
        return _checked(given, "VAULT_TOKEN")
    file = Path(this.variables.get("HOME") or Path.home()) / TOKEN_FILE
    kept = (private_file.read(file) or "").strip()
    if kept:
        return _checked(kept, str(file))
    if not sys.stdin.isatty() or this.console.as_json:
        raise Denied(
            f"{address} needs a token, and nobody can be asked here", next_step="export VAULT_TOKEN=…"
        )
    typed = getpass.getpass(f"Token for {address}: ").strip()
    if not typed:
        raise CannotTell("no token was typed", next_step="export VAULT_TOKEN=…, or type one")
    return _checked(typed, "typed in")


def _checked(plain: str, origin: str) -> tuple[Secret, str]:
    """Give a token and its origin; BadInput where it holds what no token does: it came along with a copy."""
    from infra.model.invisible import invisible
    from infra.model.secret import Secret

    seen = invisible(plain)
    if seen or not plain.isascii():
        words = f"the token ({origin}) {seen or 'holds a letter that no token has'}"
        raise BadInput(words, next_step="copy it once more, without what surrounds it")
    return Secret(plain), origin
