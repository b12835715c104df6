"""A session on a target in memory, which runs one unit and fails or is interrupted where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra import deploy
from infra.console import Console
from infra.model.interruption import Interruption
from infra.model.observed import Absent, Found, Observed, Running, Unknown
from infra.model.operation import Operation, Plan
from infra.model.passed import Passed
from infra.model.record import SUMMARY
from infra.model.redaction import Redactor
from infra.model.service import Health
from infra.model.unit import Bundle, Unit
from infra.model.verdict import Outcome, Verdict
from infra.session import Request
from infra.stages import prove, restore
from infra.stages.apply import Attempt
from infra.stages.look import Picture
from infra.store.claim import Claim
from infra.store.deploys import Records
from infra.store.file_store import FileStore
from infra.store.ledger import Ledger

UNIT = "web"
Happening = Callable[[str], None]


def bundle(release: str) -> Bundle:
    """Give the bundle of a release, which is told by its letter."""
    unit = Unit(UNIT, UNIT, "web", ("web", release), "/", (), 0, Health("answers"))
    return Bundle(UNIT, (unit,), release * 40, ())


@dataclass
class Target:
    """Runs the unit that it is told to; `happens` is called before each step with its release."""

    runs: Running | None = None
    happens: Happening = lambda _release: None
    is_readable: bool = True
    ran: list[str] = field(default_factory=list)
    snapshots: Any = field(
        default_factory=lambda: SimpleNamespace(
            intact=lambda _release: True, prune=lambda _needed: None, texts=lambda *_: []
        )
    )

    def run(self, digest: str, deploy: str) -> None:
        """Let this bundle of this deploy run from now on."""
        self.runs = Running(UNIT, "7@9.00", 9.0, digest, deploy, UNIT)

    def execute(self, operation: Operation, delivery: Any) -> None:
        made = delivery.bundles[operation.service]
        self.happens(made.release[:1])
        if operation.kind == "restart-unit":
            self.ran.append(made.release[:1])
            self.run(made.digest, delivery.deploy)

    def observe(self) -> Observed:
        seen: Found[Running] | Absent | Unknown = Found(self.runs) if self.runs else Absent()
        return Observed(units={UNIT: seen if self.is_readable else Unknown("nobody answers")})

    def running(self) -> list[Running]:
        return [self.runs] if self.runs else []

    def living(self) -> list[str]:
        return [UNIT] if self.runs else []

    def states(self) -> dict[str, dict[str, Any]]:
        return {}

    def narrow(self) -> int:
        return 0


@dataclass
class World:
    """One environment. `wants` is the release of the checkout, `bad` are those that the gate refuses."""

    folder: Path
    target: Target = field(default_factory=Target)
    wants: str = "a"
    bad: frozenset[str] = frozenset()
    in_gate: Happening = lambda _release: None

    @property
    def records(self) -> Records:
        """The records, as every command opens them."""
        return Records(Ledger(self.store, "shop", "local", SUMMARY))

    @property
    def store(self) -> FileStore:
        """The store, as every command opens it."""
        return FileStore(self.folder / "store", "local", Path("/nonexistent"))

    def session(self) -> Any:
        """Give what a new command works with."""
        redactor, say = Redactor(), "./inv shop.{}".format
        return SimpleNamespace(
            project=SimpleNamespace(name="shop"),
            environment=SimpleNamespace(name="local", tag="local"),
            commands=SimpleNamespace(choice="--env local"),
            console=Console(redactor),
            outcome=Outcome("shop.web.setup", "local"),
            interruption=Interruption(),
            claim=Claim(),
            store=self.store,
            store_path="local",
            records=self.records,
            actor="somebody",
            now=lambda: datetime.now(UTC),
            say=say,
            target=self.target,
            keys=SimpleNamespace(redactor=redactor, make=lambda **_: SimpleNamespace(values={})),
            places=SimpleNamespace(
                without_accounts="",
                root=str(self.folder / "state"),
                secrets=str(self.folder / "memory"),
                passed_file=lambda digest: str(self.folder / f"memory/passed/{digest}.json"),
            ),
            services=(),
            passed=Passed(),
            source=self.folder,
            vault=None,
            settings=SimpleNamespace(telemetry=SimpleNamespace(endpoint="")),
            is_rehearsal=False,
            outbox=SimpleNamespace(flush=lambda: None, complaint=lambda: ""),
        )

    def look(self, _session: Any, _request: Request, recorded: Mapping[str, Bundle] | None = None) -> Picture:
        """Stand in for the look: two operations where another bundle runs than is wanted."""
        wanted = dict(recorded or {UNIT: bundle(self.wants)})
        observed = self.target.observe()
        runs = observed.running(UNIT)
        is_same = runs is not None and runs.bundle == wanted[UNIT].digest
        steps = (
            Operation("write-secrets", UNIT, UNIT, "at every change"),
            Operation("restart-unit", UNIT, UNIT, "another one runs"),
        )
        service = SimpleNamespace(name=UNIT)
        facts: Any = SimpleNamespace(
            bundles=wanted, services=(service,), asked=frozenset({UNIT}), left_out={}
        )
        return Picture(facts, observed, Plan(() if is_same else steps))

    def prove(self, _session: Any, attempt: Attempt, _stage: Any) -> Verdict:
        """Stand in for the gate: the release that runs is good unless a test calls it bad."""
        release = attempt.picture.wanted.bundles[UNIT].release[:1]
        self.in_gate(release)
        _session.interruption.require()
        is_good = release not in self.bad
        return Verdict(ok=is_good, category="" if is_good else "unhealthy", cause=f"{release} is unhealthy")

    def setup(self, release: str, session: Any | None = None, **wishes: Any) -> Any:
        """Set a release up, and give the session's outcome."""
        its = session or self.session()
        self.wants = release
        deploy.setup(its, Request((UNIT,), **wishes))
        return its.outcome

    @property
    def verdicts(self) -> list[str]:
        """The records, the oldest first: release and verdict."""
        return [f"{one.release[:1]} {one.verdict}" for one in reversed(self.records.all(UNIT))]

    @property
    def release(self) -> str:
        """The letter of the release that runs, empty for none."""
        known = {bundle(letter).digest: letter for letter in "abcd"}
        return known[self.target.runs.bundle] if self.target.runs else ""


def world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Give a new world, and let the engine look at it and prove it."""
    made = World(folder)
    (folder / "state").mkdir()
    (folder / "memory").mkdir()
    monkeypatch.setattr(deploy, "look_for_room", made.look)
    monkeypatch.setattr(deploy, "in_view_of_strangers", lambda *seen: seen[-1])
    monkeypatch.setattr(restore, "rebased", lambda _session, recorded: recorded)
    monkeypatch.setattr(deploy, "check", lambda *_: "")
    monkeypatch.setattr(prove, "confirm", made.prove)
    monkeypatch.setattr(prove, "PROVERS", {"gate": made.prove})
    return made
