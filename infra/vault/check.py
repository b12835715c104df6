"""The audit of an environment's secrets: thirteen rows, each read and none written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.model import dotenv
from infra.model.errors import BadInput, CannotTell, DeletedVersion, InfraError, NotFound
from infra.model.observed import Absent, Found, Unknown
from infra.model.secret import Place, Secret
from infra.model.service import Service
from infra.plan import audit_rows
from infra.plan.audit_rows import Rendered, Row, verdict
from infra.plan.consumers import readers
from infra.session import Session
from infra.store.file_store import FileStore
from infra.store.keyring import Keyring
from infra.store.paths import secrets_path
from infra.targets.process import secret_files
from infra.vault import lone_secrets
from infra.vault.desk import Desk, FarDesk
from infra.vault.one_key import newest
from infra.vault.readers import readers_of

LOCAL = "local store"
OF_A_SERVER = (1, 2, 6, 7, 8, 11, 12)
COLUMNS = ("row", "what", "service", "state", "window", "detail")


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rows are read from: the environment, and its keys, or why they cannot be read."""

    desk: Desk
    found: Keyring | DeletedVersion

    @property
    def ring(self) -> Keyring:
        """The keys as the store holds them; DeletedVersion where a service's newest version is gone."""
        if isinstance(self.found, DeletedVersion):
            raise self.found
        return self.found

    @property
    def session(self) -> Session:
        """The environment with what runs; CannotTell where that is out of reach."""
        if isinstance(self.desk, Session):
            return self.desk
        where = self.desk.target if isinstance(self.desk, FarDesk) else "what runs"
        raise CannotTell(f"this version cannot ask {where}", next_step=self.desk.say("plan"))

    @property
    def services(self) -> list[Service]:
        """The services of this environment that have keys."""
        return [one for one in self.desk.services if one.secrets]

    def held(self, service: str) -> frozenset[str]:
        """Give the names of the keys that the store holds for a service."""
        return frozenset(newest(self.desk.store, self._path(service))[0])

    def as_rendered(self, service: str) -> Mapping[str, Secret]:
        """Give the values that stand in a rendered file: an agent leaves out those that are empty."""
        values = self.ring.values[service]
        if self.session.vault is None:
            return values
        return {key: value for key, value in values.items() if value != Secret("")}

    def newest(self, service: str) -> tuple[int, float]:
        """Give the newest version of a service's values and its moment in epoch seconds; 0 for never."""
        try:
            known = self.desk.store.metadata(self._path(service))
        except NotFound:
            return 0, 0.0
        return known.current, known.versions[-1].created.timestamp()

    def _path(self, service: str) -> str:
        return secrets_path(self.desk.project.name, self.desk.keys.environment, service)


def check(desk: Desk) -> None:
    """Print the rows; KnownBad when one is a confirmed fail, CannotTell when one could not be read."""
    ground = Ground(desk, _found(desk))
    rows = [row for number in audit_rows.NAMES for row in _read(number, ground)]
    desk.outcome.facts["rows"] = [row.as_json() for row in rows]
    table = [(str(row.number), row.name, row.subject, row.state, row.window, row.detail) for row in rows]
    desk.console.table([COLUMNS, *table])
    fault = verdict(rows)
    if fault:
        raise fault


def _found(desk: Desk) -> Keyring | DeletedVersion:
    """Give the keys; what was deleted is an answer of the audit, and no reason to give none."""
    try:
        return desk.keys.forecast()
    except DeletedVersion as deleted:
        return deleted


def _read(number: int, ground: Ground) -> Iterator[Row]:
    """Give the answers to one row; a read that fails is an unknown with its reason."""
    if number in OF_A_SERVER and isinstance(ground.desk.store, FileStore):
        yield Row(number, "", "skipped", LOCAL)
        return
    try:
        yield from _READERS[number](ground)
    except InfraError as error:
        yield Row(number, "", "unknown", error.message, error.next_step)


def _keys(ground: Ground) -> Iterator[Row]:
    """Row 3: a required key is missing or empty."""
    if isinstance(ground.found, DeletedVersion):
        yield Row(3, "", "fail", ground.found.message, ground.found.next_step)
        return
    ring, desk = ground.ring, ground.desk
    for service in ground.services:
        name = service.name
        required = {one.key for one in service.secrets if one.required_in(desk.environment.name)}
        unwritten = required & {*ring.unwritten.get(name, ())} - ground.held(name)
        lacking = sorted({*ring.missing.get(name, ()), *unwritten})
        unset = _unset(ground, service)
        extra = ring.undeclared.get(name, ())
        words = [f"unset: {', '.join(unset)}"] if unset else []
        words += [f"undeclared: {', '.join(extra)}"] if extra else []
        if lacking:
            yield Row(3, name, "fail", f"missing: {', '.join(lacking)}", desk.say("setup"))
        else:
            yield Row(3, name, "ok", "; ".join(words) or f"all {len(service.secrets)}")


def _unset(ground: Ground, service: Service) -> list[str]:
    held = ground.ring.values.get(service.name, {})
    name = ground.desk.environment.name
    return [spec.key for spec in service.secrets if spec.key not in held and not spec.required_in(name)]


def _derived(ground: Ground) -> Iterator[Row]:
    """Row 4: a derived key is not what follows from the others, computed anew in memory."""
    ring, desk = ground.ring, ground.desk
    for service in ground.services:
        count = sum(spec.kind == "derived" for spec in service.secrets)
        drifted, rewritten = ring.drifted.get(service.name, ()), ring.rewritten.get(service.name, ())
        late = [key for key in rewritten if key in ground.held(service.name)]
        command = desk.say(f"{service.name}.setup")
        if drifted:
            words = f"changed by another hand: {', '.join(drifted)}"
            yield Row(4, service.name, "fail", words, f"{command} --repair-derived")
        elif late:
            words = f"not what follows from the others now, setup rewrites it: {', '.join(late)}"
            yield Row(4, service.name, "fail", words, command)
        elif count:
            yield Row(4, service.name, "ok", "as computed")


def _rendered(ground: Ground) -> Iterator[Row]:
    """Row 5: the rendered file is missing, does not parse, lacks a key, or is behind for too long."""
    session = ground.session
    now = session.store_time().timestamp()
    for service in ground.services:
        required = [spec.key for spec in service.secrets if spec.required_in(session.environment.name)]
        file, user = Path(session.places.secrets_file(service.name)), session.places.user(service.name)
        seen = _file(file, user, ground.as_rendered(service.name))
        command = session.say(f"{service.name}.setup")
        _, changed = ground.newest(service.name)
        yield audit_rows.rendered_row(service.name, seen, required, changed, now, command)


def _file(file: Path, user: str, stored: Mapping[str, Secret]) -> Rendered:
    digest = secret_files.read_digest(file, user)
    if isinstance(digest, Absent):
        return Rendered("is not there")
    if isinstance(digest, Unknown):
        return Rendered(digest.cause)
    if digest == Found("not private"):
        return Rendered("is not private")
    try:
        keys = frozenset(dotenv.parse(file.read_bytes().decode()))
    except (BadInput, UnicodeDecodeError) as error:
        return Rendered(f"does not parse: {error}" if isinstance(error, BadInput) else "is no UTF-8 text")
    return Rendered("", keys, digest == Found(secret_files.digest(stored)))


def _mounts(ground: Ground) -> Iterator[Row]:
    """Row 9: nothing is mounted where processes run."""
    yield Row(9, "", "skipped", f"processes of {ground.session.environment.name} have no mounts")


def _consumers(ground: Ground) -> Iterator[Row]:
    """Row 10: a process runs on an older version than the store's newest."""
    session = ground.session
    for service in ground.services:
        current, changed = ground.newest(service.name)
        command = session.say(f"{service.name}.setup")
        found = readers_of(session, service, current)
        yield audit_rows.consumers_row(service.name, found, current, changed, command)


def _lone(ground: Ground) -> Iterator[Row]:
    """Row 13: a value is found where it does not belong."""
    session = ground.session
    plain = {spec.place for spec in session.keys.specs if spec.is_plain}
    held: dict[Place, Secret] = {
        (service, key): value
        for service, values in ground.ring.values.items()
        for key, value in values.items()
        if (service, key) not in plain
    }
    read_by = {place: readers(place, session.keys.specs, session.keys.addresses) for place in held}
    found = lone_secrets.findings(lone_secrets.spots(session), lone_secrets.needles(held, read_by))
    renewed = {spec.place for spec in session.keys.specs if spec.kind == "generated"}
    for needle, place in found:
        service, key = needle.place
        command = f"./inv vault.keys {session.commands.choice}"
        if needle.place in renewed:
            command = f"./inv vault.rotate {session.commands.choice} --service {service} --key {key}"
        yield Row(13, service, "fail", f"{key} in {place}", command)
    if not found:
        yield Row(13, "", "ok", f"{len(held)} values, found in none of the places that can be read here")


def _of_server(name: str) -> Callable[[Ground], Iterator[Row]]:
    """Give the reader of a row that the server answers."""

    def answer(ground: Ground) -> Iterator[Row]:
        from infra.vault.served_rows import ServerRows

        rows: Iterator[Row] = getattr(ServerRows(ground.desk), name)()
        return rows

    return answer


def _of_agents(name: str) -> Callable[[Ground], Iterator[Row]]:
    """Give the reader of a row that the agents answer."""

    def answer(ground: Ground) -> Iterator[Row]:
        from infra.vault.served_rows import AgentRows

        rows: Iterator[Row] = getattr(AgentRows(ground.session), name)()
        return rows

    return answer


_READERS: Mapping[int, Callable[[Ground], Iterator[Row]]] = {
    1: _of_server("policies"),
    2: _of_server("accessors"),
    3: _keys,
    4: _derived,
    5: _rendered,
    6: _of_agents("agents"),
    7: _of_agents("logs"),
    8: _of_agents("heartbeats"),
    9: _mounts,
    10: _consumers,
    11: _of_server("audit"),
    12: _of_agents("deliveries"),
    13: _lone,
}
