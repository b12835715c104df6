"""The keys of an environment as a store holds them, with the marks that tell our own derived values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from infra.model.addresses import Addresses
from infra.model.secret import Place, Secret, SecretSpec
from infra.store import records
from infra.store.interface import Store, Versioned
from infra.store.keyring import Keyring, by_service
from infra.store.paths import derived_path, secrets_path
from infra.store.settle import Settled, is_ahead, mark, settle

Rendered = Callable[[str], Mapping[str, Secret]]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Look:
    """What the store held at one moment, and what follows from it; versions are by path.

    `ahead` are the values that are held of keys which follow from one that is not written yet.
    """

    held: Mapping[Place, Secret]
    marks: Mapping[Place, frozenset[str]]
    versions: Mapping[str, int]
    settled: Settled
    ahead: Mapping[Place, Secret]


@dataclass(frozen=True, slots=True)
class Write:
    """One put to a store; `places` are the keys that it makes or changes, none when it only marks."""

    path: str
    values: Mapping[str, Secret]
    cas: int
    places: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class EnvironmentKeys:
    """The declared keys of one environment in a store, looked at together.

    `rendered` gives what lies rendered of a service, and is asked only where the store never held its keys:
    a store that was lost while the stack ran.
    """

    store: Store
    project: str
    env: str
    specs: tuple[SecretSpec, ...]
    generate: Callable[[SecretSpec], Secret]
    rendered: Rendered = lambda _service: {}

    @property
    def services(self) -> tuple[str, ...]:
        """The services that declare keys."""
        return tuple(dict.fromkeys(spec.service for spec in self.specs))

    def look(self, addresses: Addresses, *, repair: bool = False) -> Look:
        """Read everything and decide what should be; nothing is written.

        Paths are read side by side, and another run may write between two of them. It writes marks before
        values: a value that seems foreign is judged again by marks that were read after it.
        """
        marks = [self._marks_path(service) for service in self.services]
        found = dict(self.store.read_all([*map(self._path, self.services), *marks]))
        look = self._look(found, addresses, repair=repair)
        if not look.settled.drifted:
            return look
        return self._look({**found, **self.store.read_all(marks)}, addresses, repair=repair)

    def writes(self, look: Look) -> Iterator[Write]:
        """Give what has to be put, in order: nothing when all is as it should be.

        Marks come before their values, so that a crash never makes our own value foreign; services without
        derived keys come first, so that runs at once agree on the inputs before they derive.
        """
        for service in sorted(
            self.services, key=lambda name: any(one[0] == name for one in look.settled.derived)
        ):
            yield from self._marks(service, look)
            places = frozenset(place for place in look.settled.unwritten if place[0] == service)
            if places:
                path = self._path(service)
                yield Write(path, _of_service(service, look.settled.values), look.versions[path], places)

    def keyring(self, look: Look, generated: Collection[Place], rewritten: Collection[Place]) -> Keyring:
        """Give what was seen as values and findings; `generated` and `rewritten` are the caller's."""
        settled, declared = look.settled, {spec.place for spec in self.specs}
        working = {**settled.values, **look.ahead}
        stored = {
            place: look.settled.values[place] for place in declared - settled.unwritten if place in look.held
        }
        changing = {service for service, _ in settled.unwritten}
        return Keyring(
            values={name: _of_service(name, stored) for name in self.services},
            versions={name: look.versions[self._path(name)] + (name in changing) for name in self.services},
            generated=by_service(generated),
            restored=by_service(settled.restored),
            rewritten=by_service(rewritten),
            reasons=_nested(settled.reasons),
            following=_nested({one: working[one] for one in settled.reasons if one in working}),
            missing=by_service(settled.missing),
            drifted=by_service(settled.drifted),
            undeclared=by_service(look.held.keys() - declared),
            unfit=tuple(self._unfit(look)),
        )

    def _look(self, found: Mapping[str, Versioned], addresses: Addresses, *, repair: bool) -> Look:
        held: dict[Place, Secret] = {}
        marks: dict[Place, frozenset[str]] = {}
        for service in self.services:
            if values := found.get(self._path(service)):
                held |= {(service, key): value for key, value in values.values.items()}
            if record := found.get(self._marks_path(service)):
                digests = records.parsed(record)
                marks |= {(service, key): frozenset(known) for key, known in digests.items()}
        paths = (path(service) for service in self.services for path in (self._path, self._marks_path))
        versions = {path: found[path].version if path in found else 0 for path in paths}
        name = self.env.rpartition("/")[2]
        known = {
            (service, key): value
            for service in self.services
            if not versions[self._path(service)]
            for key, value in self.rendered(service).items()
        }
        settled = settle(
            self.specs, held, marks, name, addresses, self.generate, repair=repair, rendered=known
        )
        rewritten = (spec for spec in self.specs if spec.place in settled.reasons)
        ahead = {one.place: held[one.place] for one in rewritten if is_ahead(one, held, addresses)}
        return Look(held, marks, versions, settled, ahead)

    def _unfit(self, look: Look) -> Iterable[str]:
        for spec in self.specs:
            value = look.settled.values.get(spec.place)
            fault = spec.fault(value) if value and spec.place not in look.settled.missing else ""
            if fault:
                yield f"{spec.service} {spec.key} {fault}"

    def _marks(self, service: str, look: Look) -> Iterator[Write]:
        """Give the digest of what will be written beside that of what stands: both are ours."""
        path = self._marks_path(service)
        known = {key: digests for (owner, key), digests in look.marks.items() if owner == service}
        fresh = {place[1]: _marks_of(place, look) for place in look.settled.derived if place[0] == service}
        if any(not digests <= known.get(key, frozenset()) for key, digests in fresh.items()):
            record = {key: sorted(digests) for key, digests in {**known, **fresh}.items()}
            yield Write(path, records.as_values(record), look.versions[path])

    def _path(self, service: str) -> str:
        return secrets_path(self.project, self.env, service)

    def _marks_path(self, service: str) -> str:
        return derived_path(self.project, self.env, service)


def _nested(found: Mapping[Place, Value]) -> dict[str, dict[str, Value]]:
    return {name: {key: found[name, key] for key in keys} for name, keys in by_service(found).items()}


def _of_service(service: str, values: Mapping[Place, Secret]) -> dict[str, Secret]:
    return {key: values[service, key] for owner, key in sorted(values) if owner == service}


def _marks_of(place: Place, look: Look) -> frozenset[str]:
    digests = {mark(place, look.settled.values[place])}
    if place in look.held:
        digests |= {mark(place, look.held[place])} & look.marks.get(place, frozenset())
    return frozenset(digests)
