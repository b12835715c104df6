"""A session whose target only notes what it is told, on ports of loopback that are really free or held."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from finance_report import PROJECT
from infra.console import Console
from infra.model.addresses import Addresses
from infra.model.command_line import CommandLine
from infra.model.environments import environment
from infra.model.observed import Absent, DataFolder, Found, Observed, Running
from infra.model.operation import Operation
from infra.model.passed import Passed
from infra.model.places import Places, Program
from infra.model.ports import PortsWanted
from infra.model.record import SUMMARY
from infra.model.redaction import Redactor
from infra.model.settings import Settings
from infra.model.unit import Bundle
from infra.model.verdict import Outcome
from infra.session import Session
from infra.store.deploys import Records
from infra.store.file_store import FileStore
from infra.store.ledger import Ledger
from infra.store.session_keys import Keys
from infra.targets.process import ports, secret_files
from infra.targets.process.target import Delivery
from infra.workspace import ports_file, templates
from tasks.root import ROOT

LOCAL = environment("local")
SPECS = tuple(spec for service in PROJECT.services for spec in service.secrets)
DECLARED = {name: port for one in PROJECT.services for part in one.parts for name, port in part.ports.items()}
NAMES = sorted(DECLARED)
QUIET = [name for name in NAMES if name.startswith("minio")]


@contextmanager
def held(port: int) -> Iterator[None]:
    """Listen on a port as a stranger does."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield


def usual() -> dict[str, int]:
    """Give ports for each name of the project; they and those of the next two blocks are free."""
    for base in range(21_000, 30_000, 300):
        found = {name: base + number for number, name in enumerate(NAMES)}
        if not any(ports.is_taken(port + more) for port in found.values() for more in (0, 100, 200)):
            return found
    raise AssertionError("this machine has no free ports")


@dataclass
class Noting:
    """A target that starts nothing: a unit runs once it was started. `on_start` is told of each one."""

    on_start: Callable[[str], None] = lambda _: None
    done: list[str] = field(default_factory=list)
    units: dict[str, Running] = field(default_factory=dict)
    folders: dict[str, DataFolder] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    releases: set[str] = field(default_factory=set)
    passed: Passed = field(default_factory=Passed)
    snapshots: Any = field(
        default_factory=lambda: SimpleNamespace(
            prune=lambda _: None, intact=lambda _: True, require_closed=lambda _: None
        )
    )

    def observe(self, bundles: Iterable[Bundle], _declared: frozenset[str]) -> Observed:
        names = [unit.name for bundle in bundles for unit in bundle.units]
        return Observed(
            at=time.time(),
            units={name: Found(self.units[name]) if name in self.units else Absent() for name in names},
            folders={name: Found(one) for name, one in self.folders.items()},
            secret_files={name: Found(one) for name, one in self.files.items()},
            releases=frozenset(self.releases),
            keeper=Found("v1"),
        )

    def execute(self, step: Operation, delivery: Delivery) -> None:
        self.done.append(f"{step.kind} {step.subject}")
        if step.kind in {"start-unit", "restart-unit"}:
            bundle = delivery.bundles[step.service]
            marks = bundle.digest, delivery.deploy, step.service
            self.units[step.subject] = Running(step.subject, "1@1.0", time.time(), *marks)
            self.on_start(step.subject)
        if step.kind == "stop-unit":
            self.units.pop(step.subject, None)
        if step.kind == "create-data":
            version = PROJECT.service(step.service).data_version
            self.folders[step.service] = DataFolder(PROJECT.name, "local", step.service, "c0ffee00", version)
        if step.kind == "write-secrets":
            self.files[step.service] = secret_files.digest(delivery.secrets[step.service])
        if step.kind == "store-release":
            self.releases.add(delivery.bundles[step.service].release)

    def strangers_on(self, numbers: Iterable[int]) -> dict[int, str]:
        return ports.holders(numbers, dict)

    def narrow(self) -> int:
        return 0

    def unproven(self) -> tuple[Running, ...]:
        return ()

    def running(self) -> list[Running]:
        return list(self.units.values())

    def living(self) -> list[str]:
        return list(self.units)

    def keeper_version(self) -> str:
        return "v1"

    def states(self) -> dict[str, Any]:
        return {}


def session(
    folder: Path, written: dict[str, int] | None = None, first: dict[str, int] | None = None
) -> Session:
    """Give a session with all of the project's services; its state lies in `folder`."""
    root = folder / "one" / "local"
    wanted = PortsWanted(first or usual(), written or {}, quiet=QUIET)
    numbers = ports_file.ports(root, folder, wanted, claim=True)
    programs = {
        part.program: Program((f"/{part.program}",), "1") for one in PROJECT.services for part in one.parts
    }
    places = Places(
        str(root), str(folder / "memory"), "c0ffee00", "127.0.0.1", numbers, programs, ("python3",), "", {}
    )
    redactor, commands = Redactor(), CommandLine(PROJECT.name, "local", is_meant=True)
    store = FileStore(folder / "data", "local", folder / "checkout")
    return Session(
        project=PROJECT,
        environment=LOCAL,
        commands=commands,
        settings=Settings(),
        places=places,
        ports=ports_file.Ports(root, folder, wanted, numbers),
        target=Noting(),  # type: ignore[arg-type]  # as much of a target as the stages need
        store=store,
        keys=Keys(store, commands, "local", SPECS, partial(addresses, numbers), redactor),
        records=Records(Ledger(store, PROJECT.name, "local", SUMMARY)),
        templates=templates.load(ROOT),
        source=folder,
        release="a" * 40,
        console=Console(redactor),
        outcome=Outcome("finance_report.setup", "local"),
        actor="somebody",
    )


def addresses(numbers: dict[str, int]) -> Addresses:
    """Give where the stores are on these ports."""
    store = f"http://127.0.0.1:{numbers['minio']}"
    hosts = "127.0.0.1", "127.0.0.1"
    return Addresses(
        *hosts, numbers, PROJECT.database, PROJECT.role, "statements", store, object_store_login="APP"
    )
