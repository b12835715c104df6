"""Rehearsed environments whose real agents take real credentials, with no application behind them.

The engine's redeploy is stood in for by a restart of the one agent: all else is the product's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

import finance_report
from infra import assembly
from infra.console import Console
from infra.invocation import Command
from infra.model.environments import environment
from infra.model.errors import DeployFailed
from infra.model.places import Places
from infra.model.redaction import Redactor
from infra.model.secret import Secret
from infra.model.verdict import Outcome
from infra.plan.agent import role_name, secret_path
from infra.plan.agent_process import agent_unit
from infra.session import Request, Session
from infra.store.owner import mark_of
from infra.store.vault.client import VaultClient
from infra.targets.process.modes import private_folder
from infra.vault import access, opened
from infra.vault import setup_tokens as tokens
from infra.vault.custody import Custody
from infra.vault.entry import Entry
from infra.vault.turn import Wish
from tests.real.conftest import ROOT
from tests.real.vault_server import VaultServer
from tests.waiting import until

PROJECT = finance_report.PROJECT
SERVICES = ("postgres", "redis", "app")
LOGGED_IN = "authentication successful"


@dataclass
class Calls:
    """The requests that were made, by method and path; `before` and `after` may break one."""

    made: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    after: Callable[[str], None] = lambda _: None

    def of(self, role: str) -> list[str]:
        """Give the requests that name a role or its policy."""
        return [one for one in self.made if f"/{role}" in f"{one}/"]


class Yard:
    """Environments of one server: what `vault.setup-tokens` finds on a machine."""

    def __init__(
        self, server: VaultServer, folder: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.server, self.folder, self.memory = server, folder, memory
        self.variables = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_DATA_HOME": str(folder / "share"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_RUNTIME_DIR": str(memory),
        }
        self.calls = Calls()
        self.deployed: list[str] = []
        self.breaks = Counter[str]()
        self.redeploy_seconds = 0.0
        monkeypatch.setattr("infra.deploy.setup", self.redeploy)
        self._watch(monkeypatch)

    def _watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = VaultClient.call

        def call(client: VaultClient, method: str, path: str, *more: Any, **others: Any) -> Any:
            told = f"{method} {path}"
            self.calls.before(told)
            self.calls.made.append(told)
            answer = real(client, method, path, *more, **others)
            self.calls.after(told)
            return answer

        monkeypatch.setattr(VaultClient, "call", call)

    def command(self, name: str = "vault.setup-tokens") -> Command:
        redactor = Redactor()
        return Command(Outcome(name, ""), Console(redactor), redactor, ROOT, dict(self.variables))

    def open(self, env: str, token: str = "") -> None:
        """Make it look as if `vault.dev` ran for this environment, with this token."""
        found = environment(env)
        place = access.entry_place(found, opened.folders_of(self.command(), PROJECT))
        process = psutil.Process(self.server.pid)
        place.root.mkdir(parents=True, exist_ok=True)
        program = str(self.server.program)
        place.write(Entry(self.server.address, process.pid, mark_of(process.pid), "c-1", program, "1"))
        private_folder(place.token_file.parent)
        place.write_token(Secret(token or self.server.root))
        assert Path(self.places(env).secrets).is_relative_to(self.memory), "two yards at once would share one"
        for service in (one for one in PROJECT.services if one.secrets):
            values = {spec.key: f"{spec.key} of {env} {service.name}" for spec in service.secrets}
            self.server.put(secret_path(PROJECT.name, found, service.name, "secret"), values)

    def session(self, env: str) -> Session:
        return assembly.open_session(self.command(), PROJECT, env, "process")

    def custody(self, env: str) -> Custody:
        return opened.custody_of(self.command(), PROJECT, env, "process")

    def setup(self, env: str | None = None, **wish: Any) -> Outcome:
        """Run `vault.setup-tokens` and give its outcome."""
        this = self.command()
        strict = wish.pop("strict", False)
        tokens.setup_tokens(this, PROJECT, env, "process", Wish(**{"yes": True, **wish}), strict=strict)
        return this.outcome

    def redeploy(self, session: Session, request: Request) -> None:
        """Stand in for the engine: restart the one agent, and wait until it is healthy."""
        began, counted = time.perf_counter(), list(self.calls.made)
        try:
            self._redeploy(session, request)
        finally:
            self.calls.made[:] = counted
            self.redeploy_seconds += time.perf_counter() - began

    def _redeploy(self, session: Session, request: Request) -> None:
        (service,) = request.services
        env = session.environment.name
        self.deployed.append(f"{env}/{service}")
        session.outcome.deploy_id = request.deploy or f"again-{len(self.deployed)}"
        if self.breaks["before the start"]:
            self.breaks["before the start"] -= 1
            session.outcome.fail(DeployFailed("the deploy was broken on purpose"))
            return
        self.start_agent(env, service, session.outcome.deploy_id)
        if self.breaks["after the start"]:
            self.breaks["after the start"] -= 1
            session.outcome.fail(DeployFailed("the deploy was broken on purpose"))

    def start_agent(self, env: str, service: str, deploy: str) -> None:
        self.end_agent(env, service)
        session = self.session(env)
        unit = agent_unit(
            PROJECT.service(service),
            session.environment,
            PROJECT.name,
            "secret",
            session.templates,
            session.places,
        )
        folder = Path(session.places.unit_file(unit.name, "x")).parent
        folder.mkdir(parents=True, exist_ok=True)
        for file in unit.files:
            (folder / file.name).write_text(file.text, encoding="utf-8")
        variables = {**dict(unit.environment), "INFRA_DEPLOY": deploy}
        (folder / "log").touch()
        logins = self.log(env, service).count(LOGGED_IN)
        with (folder / "log").open("ab") as log:
            agent = subprocess.Popen(
                unit.argv,
                env=variables,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        (folder / "pid").write_text(str(agent.pid))
        health = ["/bin/sh", str(folder / "health.sh")]
        said: list[str] = []

        def is_over() -> bool:
            if agent.poll() is not None:
                return True
            if self.log(env, service).count(LOGGED_IN) <= logins:
                return False  # a check would still see what the one before has left
            check = subprocess.run(health, env=variables, capture_output=True, text=True, check=False)
            said.append(check.stdout)
            return check.returncode == 0

        until(is_over, seen=lambda: (said[-1:], self.log(env, service)[-3000:]))

    def log(self, env: str, service: str) -> str:
        places = self.places(env)
        return Path(places.unit_file(f"{service}-vault-agent", "log")).read_text(encoding="utf-8")

    def places(self, env: str) -> Places:
        places = self.custody(env).places
        assert places is not None
        return places

    def end_agent(self, env: str, service: str) -> None:
        """End the agent that runs, whoever of us started it."""
        file = Path(self.places(env).unit_file(f"{service}-vault-agent", "pid"))
        if file.exists():
            pid = int(file.read_text())
            file.unlink()
            end_group(pid)

    def end(self) -> None:
        """End all agents, also those that a killed child of ours started."""
        for file in self.folder.rglob("pid"):
            end_group(int(file.read_text()))

    def role(self, env: str, service: str) -> str:
        return role_name(PROJECT.name, environment(env), service)

    def accessors(self, env: str, service: str) -> list[str]:
        """Give what the server lists for a role."""
        answer = self.server.call("LIST", f"auth/approle/role/{self.role(env, service)}/secret-id")
        return list(answer.json()["data"]["keys"]) if answer.ok else []

    def shown(self, env: str, service: str) -> str:
        """Give the accessor of the credential that the agent's heartbeat shows."""
        login = self.custody(env).login(service)
        return login.accessor if login else ""

    def logs_in(self, env: str, service: str) -> bool:
        """Tell whether what the agent holds opens the server."""
        folder = Path(self.places(env).credential(service))
        held = {name: folder / name for name in ("role_id", "secret_id")}
        body = {name: file.read_text() for name, file in held.items() if file.exists()}
        return len(body) == 2 and self.server.call("POST", "auth/approle/login", body).ok


def end_group(pid: int) -> None:
    """End a process that leads a group of its own, and all that it started; a zombie has ended."""
    try:
        process = psutil.Process(pid)
        many = [process, *process.children(recursive=True)]
        os.killpg(pid, signal.SIGTERM)
    except (psutil.Error, ProcessLookupError):
        return
    until(lambda: not any(map(_runs, many)))


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@contextmanager
def yard_of(server: VaultServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    """Give environments of this server in a folder of their own; their agents end with the block."""
    with (
        tempfile.TemporaryDirectory(prefix="yard-") as folder,
        tempfile.TemporaryDirectory(dir="/dev/shm", prefix="yard-") as memory,
    ):
        Path(folder).chmod(0o755)
        Path(memory).chmod(0o711)  # as root none is taken that servers of other accounts cannot enter
        yard = Yard(server, Path(folder), Path(memory), monkeypatch)
        try:
            yield yard
        finally:
            yard.end()


def targets(outcome: Outcome) -> dict[str, str]:
    """Give the result of each target of a run."""
    return {f"{one['environment']}/{one['service']}": one["result"] for one in outcome.facts["targets"]}


def as_json(outcome: Outcome) -> str:
    return json.dumps(outcome.as_json())
