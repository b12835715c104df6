"""A throw-away Vault beside a rehearsal: real, in memory, on loopback, gone with Ctrl+C.

program ─▶ only one ─▶ server ─▶ AppRole, audit, mount ─▶ entry and token ─▶ wait ─▶ token and agents end
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from infra import foreground
from infra.choices import chosen_environment
from infra.model.addresses import LOOPBACK
from infra.model.errors import BadInput, CannotTell, KnownBad, Refused
from infra.model.naming import checkout_id
from infra.model.observed import UNPROVEN
from infra.model.secret import Secret
from infra.plan.ending import SERVERS
from infra.store.owner import mark_of
from infra.store.proof_key import ProofKey
from infra.store.vault.client import VaultClient
from infra.targets.process import logfiles
from infra.targets.process.bearers import Marks
from infra.targets.process.modes import private_folder, walkable
from infra.targets.process.proof import VARIABLE
from infra.vault import agents, opening
from infra.vault.access import entry_place, start
from infra.vault.entry import Entry, EntryPlace
from infra.workspace import settings_file
from infra.workspace.folders import application_checkout, folders, require_outside_checkouts
from infra.workspace.vault_program import vault_program

if TYPE_CHECKING:
    import psutil

    from infra.invocation import Command
    from infra.model.environment import Environment
    from infra.model.service import Project
    from infra.model.settings import Settings

MARK = "INFRA_VAULT_DEV"
LOOKS_EVERY = 0.02
LOCK, LOG, AUDIT = "vault-dev.lock", "server.log", "vault-dev.audit.log"


@dataclass(frozen=True, slots=True)
class Dev:
    """One throw-away server: what it is for, where it keeps things, its address and its root token."""

    this: Command
    project: str
    settings: Settings
    environment: Environment
    place: EntryPlace
    program: Path
    address: str
    token: Secret
    marks: Marks

    @property
    def run(self) -> Path:
        """The folder of the supervisor that keeps its agents."""
        return self.place.root / "run"

    @property
    def log(self) -> Path:
        """The server's output, in memory: it begins with the root token."""
        return self.place.token_file.with_name(LOG)

    @property
    def argv(self) -> list[str]:
        """The server's command line. It makes a root of its own, whose key it keeps in its memory alone."""
        tls = ["-dev-tls", f"-dev-tls-cert-dir={self.place.certificate_file.parent}"]
        listen = f"-dev-listen-address={self.address.removeprefix('https://')}"
        return [str(self.program), "server", "-dev", "-dev-no-store-token", *tls, listen]

    @property
    def variables(self) -> Mapping[str, str]:
        """The server's environment. The token is in it, since everybody sees a command line."""
        plain = self.token.reveal()
        tokens = {f"{name}_DEV_ROOT_TOKEN_ID": plain for name in ("VAULT", "BAO")}
        home = {
            "PATH": self.this.variables.get("PATH", os.defpath),
            "HOME": str(self.place.token_file.parent),
        }
        return {**home, **tokens, MARK: str(self.place.root), **self.marks.proven(MARK)}


def serve(this: Command, project: Project, env: str | None) -> None:
    """Run a dev server for rehearsals of an environment until a person ends it; KnownBad when it ends itself.

    Refused where one runs already. What a killed command left is ended first.
    """
    dev = _prepared(this, project, env)
    with _only_one(dev), foreground.watched() as signals:
        _clear(dev)
        descriptor = os.open(dev.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        child = foreground.start(dev.argv, dev.place.root, dev.variables, signals, descriptor)
        os.close(descriptor)
        try:
            _open(dev, child)
            code = foreground.wait(child, signals, SERVERS)
        finally:
            dev.place.forget()
            _end(child)
            agents.end(dev.marks, dev.run, this.console)
        if signals.arrived:
            this.console.line("the Vault ended, and all that it held is gone")
    raise KnownBad(f"the Vault ended with code {code}", next_step=start(dev.environment))


def _prepared(this: Command, project: Project, env: str | None) -> Dev:
    settings, chosen = settings_file.load(this.root), chosen_environment(this, env)
    if not (chosen.has_vault and "process" in chosen.targets):
        raise BadInput(
            f"{chosen.name} keeps its secrets in no Vault", next_step="./inv vault.dev --env staging"
        )
    source = (this.root / settings.app.source).resolve()
    checkout = checkout_id(application_checkout(this.root, source))
    where = folders(project.name, checkout, this.variables, Path.home())
    require_outside_checkouts(where)
    place = entry_place(chosen, where)
    program = vault_program(
        this.root,
        this.variables,
        lambda: this.console.line("building Vault, once on this machine; it takes some minutes"),
    )
    token = Secret(secrets.token_urlsafe(32))
    this.redactor.learn(token)
    walkable(place.root)
    private_folder(place.token_file.parent)
    address = f"https://{LOOPBACK}:{_free_port()}"
    marks = Marks(checkout, chosen.name, ProofKey(where.proof_key))
    return Dev(this, project.name, settings, chosen, place, program, address, token, marks)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


@contextmanager
def _only_one(dev: Dev) -> Iterator[None]:
    """Hold the lock of this environment's server, which ends with this process."""
    lock = os.open(dev.place.root / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _runs_already(dev) from None
        yield
    finally:
        os.close(lock)


def _runs_already(dev: Dev) -> Refused:
    entry, name = dev.place.read(), dev.environment.name
    where = f"at {entry.address} (pid {entry.pid})" if entry and entry.is_alive else "and is just starting"
    return Refused(
        f"a vault.dev of {name} runs already, {where}", next_step="end it with Ctrl+C in its own window"
    )


def _clear(dev: Dev) -> None:
    """End a server whose command was killed, and the agents of one that is gone.

    The mark in a server's environment tells whose it is, the proof beside it that this is true.
    """
    import psutil

    dev.place.forget()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            said, uid = process.environ(), process.uids().real
            if said.get(MARK) == str(dev.place.root) and uid == os.getuid():
                _end_left(dev, process, is_ours=dev.marks.is_proof(said.get(VARIABLE, ""), uid, MARK))
    agents.end(dev.marks, dev.run, dev.this.console)


def _end_left(dev: Dev, process: psutil.Process, *, is_ours: bool) -> None:
    line = dev.this.console.line
    if is_ours:
        line(f"ending the Vault that a killed command left behind (pid {process.pid})")
        process.kill()
        process.wait(SERVERS[0][0])
    else:
        line(f"a Vault (pid {process.pid}) {UNPROVEN} is left alone")
        line(f"→ kill {process.pid}")


def _open(dev: Dev, child: subprocess.Popen[bytes]) -> None:
    """Wait for the server, make it ready for agents, write down where it is, and tell."""

    def lives() -> bool:
        return child.poll() is None

    root = opening.certificate_of(dev.place.certificate_file, lives)
    opened = root and opening.open_server(
        VaultClient(dev.address, dev.token, root=root, pause=LOOKS_EVERY),
        dev.settings.vault.mount,
        dev.place.root / AUDIT,
        lives,
    )
    if not opened:
        said = logfiles.tail(dev.log, 5).lines
        raise CannotTell("the Vault did not open", next_step=f"{dev.program} version", evidence=tuple(said))
    if not opened.has_audit:
        dev.this.console.line("no audit device: this server wants it in its own configuration")
    who = (dev.address, child.pid, mark_of(child.pid))
    entry = Entry(*who, opened.cluster, str(dev.program), opened.version, root)
    dev.place.write_token(dev.token)
    dev.place.write(entry)
    _announce(dev, entry)


def _announce(dev: Dev, entry: Entry) -> None:
    this, name = dev.this, dev.environment.name
    this.outcome.facts |= {"address": entry.address, "pid": entry.pid, "version": entry.version}
    this.console.answer(entry.address)
    this.console.line(f"✓ Vault {entry.version} for rehearsals of {name}; it lasts until Ctrl+C", "green")
    this.console.line("in another window:")
    this.console.line(f"  ./inv vault.setup-tokens --project={dev.project} --env {name} --target process")
    this.console.line(f"  ./inv {dev.project}.setup --env {name} --target process")
    this.console.line("or to ask it by its own command line:")
    this.console.line(
        f"  export VAULT_ADDR={entry.address} VAULT_CACERT={quote(str(dev.place.certificate_file))}"
    )
    this.console.line(f'  export VAULT_TOKEN="$(cat {quote(str(dev.place.token_file))})"')


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.kill()
        child.wait()
