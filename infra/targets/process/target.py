"""The process target: observes what runs on this machine and carries out one operation at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.model.command_line import CommandLine
from infra.model.errors import CannotTell, PortTaken, Refused
from infra.model.observed import Absent, DataFolder, Found, Observed, Running, Unknown, Unmarked
from infra.model.operation import Operation
from infra.model.passed import Passed
from infra.model.places import Places, Program
from infra.model.secret import Secret
from infra.model.service import Project
from infra.model.unit import Bundle, Unit
from infra.targets.process import (
    accounts,
    certificates,
    data_folders,
    database,
    logfiles,
    modes,
    narrowing,
    passed_files,
    ports,
    probes,
    processes,
    programs,
    secret_files,
    stores,
    tree,
)
from infra.targets.process.account import ids
from infra.targets.process.bearers import Marks, Survey, is_helper, survey
from infra.targets.process.client import Client
from infra.targets.process.database import Database
from infra.targets.process.keeper import GRACE
from infra.targets.process.proof import Key
from infra.targets.process.snapshots import Snapshots

ANSWERS_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the operations of one deploy carry; secrets are in memory only.

    `failed` is the bundle that a rollback leaves: its code knows the way back of its migrations.
    """

    bundles: Mapping[str, Bundle]
    secrets: Mapping[str, Mapping[str, Secret]]
    source: Path
    deploy: str
    failed: Bundle | None = None


class ProcessTarget:
    """One environment of one checkout, as processes."""

    def __init__(
        self,
        project: Project,
        commands: CommandLine,
        places: Places,
        key: Key,
        passed: Passed | None = None,
    ) -> None:
        environment = commands.environment
        self._project, self._environment, self._places = project, environment, places
        self._commands = commands
        self.passed = passed or Passed()
        users = {part.name: places.user(one.name) for one in project.services for part in one.parts}
        self._marks = Marks(places.checkout, environment, key, places.run, users)
        self._client = Client(Path(places.run), self._marks)
        self._folders = tuple(
            part.folder for service in project.services for part in service.parts if part.folder
        )
        self.snapshots = Snapshots(Path(places.releases), self._folders, commands.say("app.setup"))

    @property
    def database(self) -> Database:
        """The cluster of this environment, on the port that it has now."""
        places, project = self._places, self._project
        data = Path(places.data("postgres"))
        more = (project.database, project.role, self._commands, places.user("postgres"), data)
        return Database(places.ports["postgres"], *more)

    @property
    def cache(self) -> stores.CacheDoor:
        """How the cache is reached; PortTaken where it has no socket yet, and a stranger its port."""
        places = self._places
        return stores.cache_door(Path(places.data("redis")), places.ports["redis"], self.strangers_on)

    @property
    def marks(self) -> Marks:
        """Whose processes these are, as their own environment says."""
        return self._marks

    def release_of(self, source: Path) -> str:
        """Give the 40 hex digits of the application's tree as it stands."""
        return tree.digest(source, self._folders)

    def observe(self, bundles: Iterable[Bundle], declared: frozenset[str]) -> Observed:
        """Give what is seen of these bundles; `declared` names every unit of the environment."""
        wanted = list(bundles)
        seen = survey(self._marks)
        living = processes.by_unit(seen.proven)
        units = {unit.name: unit for bundle in wanted for unit in bundle.units}
        running = self._client.running_version()
        return Observed(
            at=time.time(),
            units={name: _newest(living.get(name, [])) for name in units},
            folders={b.service: self._folder(b.service) for b in wanted if self._keeps_data(b.service)},
            secret_files={b.service: self._secret_file(b.service) for b in wanted if b.secret_versions},
            releases=frozenset(b.release for b in wanted if b.release and self.snapshots.intact(b.release)),
            unmade=frozenset(filter(accounts.is_missing, {u.user for u in units.values() if u.user})),
            owners=self._owners(wanted),
            uninstalled=frozenset(name for name, one in self._places.programs.items() if _lacks(one)),
            unhealthy=self._faults([units[name] for name in units if name in living]),
            strangers=tuple(_strangers(living, declared)),
            unproven=_unproven(seen),
            unkept=frozenset(units.keys() & living.keys() - self._client.kept()),
            keeper=Found(running) if running else Absent(),
        )

    def _owners(self, bundles: Iterable[Bundle]) -> dict[str, str]:
        """Give whose the data folders are; only root can give them to somebody else."""
        folders = {one.service: Path(self._places.data(one.service)) for one in bundles if os.getuid() == 0}
        return {name: accounts.owner_of(folder) for name, folder in folders.items() if folder.is_dir()}

    def keeper_version(self) -> str:
        """Give the version of the supervisor that this code would start."""
        return self._client.version()

    def narrow(self) -> int:
        """Take from what is kept here the rights that others need not have; give how many had too many.

        Denied where somebody else could have written what runs next; nothing is changed then.
        """
        again = f"or take it away: {self._commands.say('destroy --yes')}, then {self._commands.say('setup')}"
        return narrowing.narrow(Path(self._places.root), again, accounts=accounts.uids(self._places.users))

    def execute(self, operation: Operation, delivery: Delivery) -> None:
        """Carry out one operation; each may be repeated after a failure or a kill."""
        acts = {
            "start-supervisor": self._start_supervisor,
            "write-secrets": self._write_secrets,
            "install-program": self._install_program,
            "create-account": lambda step, _delivery: accounts.make(step.subject),
            "create-data": self._create_data,
            "change-owner": self._change_owner,
            "store-release": self._store_release,
            "ensure-database": self._ensure_database,
            "downgrade-database": self._downgrade_database,
            "stop-unit": self._stop_unit,
            "start-unit": self._start_unit,
            "restart-unit": self._start_unit,
        }
        acts[operation.kind](operation, delivery)

    def write_files(self, unit: Unit) -> None:
        """Write the files that a unit needs beside its program; a reader sees each one whole."""
        folder = Path(self._places.run) / unit.name
        modes.walkable(folder)
        for file in unit.files:
            modes.write(folder / file.name, file.text)
        self._make_folders(unit)
        passed_files.write(unit, self.passed)
        certificates.write(unit)

    def states(self) -> dict[str, dict[str, Any]]:
        """Give each unit's state as the supervisor counts it: state, why, pid, exits, last_exit."""
        return self._client.units()

    def log(self, unit: str, lines: int = 200) -> list[str]:
        """Give the last lines of a unit's output, not redacted; also one that has no end yet."""
        end = logfiles.tail(self._log_file(unit), lines)
        return [*end.lines, end.begun][-lines:] if end.begun else end.lines

    def log_tail(self, unit: str, lines: int) -> tuple[list[str], int]:
        """Give the last whole lines of a unit's output, and the place to go on from."""
        end = logfiles.tail(self._log_file(unit), lines)
        return end.lines, end.place

    def end_all(self, units: Iterable[str]) -> list[int]:
        """Stop these units in order, then every supervisor; give the pids that would not end.

        It starts nothing and needs no supervisor: units are known by their marks.
        """
        left = self.end_lost_keepers()
        for unit in units:
            left += self._end(unit)
        return [*left, *self._client.end()]

    def lost_keepers(self) -> list[int]:
        """Give the pids of supervisors that live on without their folder: nobody can ask them any more."""
        return sorted(one.pid for one in self._client.lost())

    def end_lost_keepers(self) -> list[int]:
        """End the supervisors that live on without their folder; give the pids that would not end."""
        return [one.pid for one in processes.end(self._client.lost(), GRACE)]

    def is_quiet(self) -> bool:
        """Tell whether nothing of this environment runs, no unit and no supervisor."""
        return not survey(self._marks).proven

    def unproven(self) -> tuple[Running, ...]:
        """Give what bears our marks and our user without a proof; a supervisor's unit is empty."""
        return _unproven(survey(self._marks))

    def end_unproven(self) -> list[int]:
        """End all of that, which only a person can ask for; give the pids that would not end."""
        parts = [part for service in reversed(self._project.services) for part in reversed(service.parts)]
        signals = {part.name: part.stop_signal for part in parts}
        return [one.pid for one in processes.end_unproven(self._marks, GRACE, signals)]

    def _end(self, unit: str) -> list[int]:
        parts = (part for service in self._project.services for part in service.parts)
        word = next((part.stop_signal for part in parts if part.name == unit), "SIGTERM")
        return self._client.stop(unit, word)

    def observe_units(self, units: Iterable[Unit]) -> Observed:
        """Give what runs of these units alone; cheaper than `observe`."""
        seen = survey(self._marks)
        living = processes.by_unit(seen.proven)
        return Observed(
            at=time.time(),
            units={unit.name: _newest(living.get(unit.name, [])) for unit in units},
            unproven=_unproven(seen),
        )

    def running(self) -> list[Running]:
        """Give what runs of all units, declared or not, each as its process shows itself."""
        living = processes.mains(self._marks)
        return [one for name, found in living.items() if not is_helper(name) for _, one in found]

    def living(self) -> list[str]:
        """Give the names of all units that run, declared or not."""
        return [name for name in processes.mains(self._marks) if not is_helper(name)]

    def log_since(self, unit: str, place: int) -> tuple[list[str], int]:
        """Give whole lines that were written after a place, not redacted, and the place to go on from."""
        return logfiles.since(self._log_file(unit), place)

    def strangers_on(self, numbers: Iterable[int]) -> dict[int, str]:
        """Give the strangers who hold ports on loopback, by port; what is free or ours is left out."""
        return ports.holders(numbers, lambda: survey(self._marks).by_pid)

    def exposures(self, units: Iterable[str]) -> list[str]:
        """Give a line for each of these units that other machines can reach."""
        living = processes.mains(self._marks)
        found = ((name, process) for name in units for process, _ in living.get(name, []))
        return [
            f"{name}: listens on {address}" for name, process in found for address in ports.exposed(process)
        ]

    def _faults(self, units: Sequence[Unit]) -> dict[str, str]:
        """Give why units are not healthy; an agent is asked by its supervisor alone, since asking writes."""
        agents = {unit.name for unit in units if unit.health.probe == "agent"}
        states = self._client.units() if agents else {}
        said = {name: str(states[name]["why"]) for name in agents & states.keys()}
        faults = said | {unit.name: probes.fault(unit) for unit in units if unit.name not in agents}
        return {unit.name: faults[unit.name] for unit in units if faults.get(unit.name)}

    def _log_file(self, unit: str) -> Path:
        return Path(self._places.logs) / f"{unit}.log"

    def _keeps_data(self, service: str) -> bool:
        return any(one.name == service and one.data_version for one in self._project.services)

    def _folder(self, service: str) -> Found[DataFolder] | Absent | Unmarked | Unknown:
        return data_folders.read(Path(self._places.data(service)))

    def _secret_file(self, service: str) -> Found[str] | Absent | Unknown:
        file = Path(self._places.secrets_file(service))
        return secret_files.read_digest(file, self._places.user(service))

    def _start_supervisor(self, _operation: Operation, _delivery: Delivery) -> None:
        for folder in (self._places.run, self._places.logs, self._places.releases):
            modes.walkable(Path(folder))
        self._client.start()

    def _write_secrets(self, operation: Operation, delivery: Delivery) -> None:
        values = delivery.secrets[operation.service]
        file = Path(self._places.secrets_file(operation.service))
        secret_files.write(file, values, self._places.user(operation.service))

    def _install_program(self, operation: Operation, _delivery: Delivery) -> None:
        programs.install(self._places.programs[operation.subject])

    def _create_data(self, operation: Operation, delivery: Delivery) -> None:
        name = operation.service
        service = self._project.service(name)
        folder = Path(self._places.data(name))
        marker = DataFolder(
            self._project.name, self._environment, name, self._places.checkout, service.data_version
        )
        data_folders.create(folder, marker)
        if service.parts[0].program == "postgres":
            program = self._places.programs["postgres"].argv[0]
            self.database.create_cluster(program, folder, delivery.secrets[name]["POSTGRES_PASSWORD"])

        elif user := delivery.bundles[name].user:
            accounts.give(folder, user)

    def _change_owner(self, operation: Operation, delivery: Delivery) -> None:
        user = delivery.bundles[operation.service].user
        accounts.give(Path(self._places.data(operation.service)), user)

    def _store_release(self, operation: Operation, delivery: Delivery) -> None:
        self.snapshots.store(delivery.source, delivery.bundles[operation.service].release)

    def _ensure_database(self, operation: Operation, delivery: Delivery) -> None:
        keys = delivery.secrets[operation.service]
        deadline = time.monotonic() + ANSWERS_WITHIN
        try:
            self.database.ensure(
                keys["POSTGRES_PASSWORD"], keys["APP_PASSWORD"], deadline, self._require_own_postgres
            )
        except Refused:
            self._require_own_postgres()
            raise

    def _require_own_postgres(self) -> None:
        """Raise PortTaken where the server that answers, or does not, is a stranger in our server's place."""
        port = self.database.port
        if self._client.units().get("postgres", {}).get("exits") and self.strangers_on([port]):
            raise PortTaken(
                f"port {port} for postgres was taken by {self.strangers_on([port])[port]} meanwhile",
                next_step="write another number: ports: {postgres: N} in invoke.local.yaml",
            )

    def _downgrade_database(self, operation: Operation, delivery: Delivery) -> None:
        units = delivery.failed.units if delivery.failed else ()
        unit = next(unit for unit in units if any(file.name == "boot.py" for file in unit.files))
        database.downgrade(unit, operation.subject, self._commands)

    def _stop_unit(self, operation: Operation, _delivery: Delivery) -> None:
        left = self._end(operation.subject)
        if left:
            raise CannotTell(
                f"{operation.subject}: pid {left[0]} does not end", next_step=f"kill -9 {left[0]}"
            )

    def _start_unit(self, operation: Operation, delivery: Delivery) -> None:
        bundle = delivery.bundles[operation.service]
        unit = next(unit for unit in bundle.units if unit.name == operation.subject)
        database.forget_dead_owner(Path(self._places.data(unit.service)) / "pgdata")
        self.write_files(unit)
        for number in self._numbers(unit) if unit.user else ():
            ports.clear(number)
        self._client.ask("start", unit=unit.with_markers(bundle.digest, delivery.deploy).as_json())

    def _numbers(self, unit: Unit) -> list[int]:
        parts = (
            part for service in self._project.services for part in service.parts if part.name == unit.name
        )
        return [self._places.ports[name] for part in parts for name in part.ports]

    def _make_folders(self, unit: Unit) -> None:
        """Make what is private to an agent, or to the account of a server."""
        places, service = self._places, unit.service
        user, rendered = places.user(service), Path(places.secrets_file(service)).parent
        secret_files.make_folder(rendered, user)
        if unit.health.probe == "agent":
            for folder in (places.agent_token(service), places.credential(service)):
                modes.private_folder(Path(folder))
        elif "INFRA_CONFIG_FILE" in dict(unit.environment):
            modes.given_folder(Path(places.server_folder(service)), ids(unit.user))


def _lacks(program: Program) -> bool:
    return bool(program.copy_of) and not Path(program.argv[0]).exists()


def _newest(found: Sequence[tuple[object, Running]]) -> Found[Running] | Absent:
    if not found:
        return Absent()
    return Found(max((running for _, running in found), key=lambda running: running.started))


def _unproven(seen: Survey) -> tuple[Running, ...]:
    return tuple(running for _, running in processes.doubtful(seen.unproven))


def _strangers(
    living: Mapping[str, Sequence[tuple[object, Running]]], declared: frozenset[str]
) -> Iterable[Running]:
    for name, found in living.items():
        ordered = sorted((running for _, running in found), key=lambda running: -running.started)
        if not is_helper(name):
            yield from ordered[1:] if name in declared else ordered
