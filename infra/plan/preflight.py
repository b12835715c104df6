"""What has to hold before anything is changed; all faults are reported together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infra.model.command_line import CommandLine
from infra.model.errors import CannotTell, InfraError, Refused
from infra.model.observed import UNPROVEN, Absent, DataFolder, Found, Observed, Running, Unmarked
from infra.model.service import Service


@dataclass(frozen=True, slots=True)
class Ground:
    """What the checks look at beside the observation.

    `deployed` are services whose newest record says that they ran; `allow_empty` is the person's --init.
    `free_bytes` is what the state folder's disk has left, `total_bytes` its size. `without_credential` are
    services whose agent could not log in, `locked` those whose data need secrets that the store has lost.
    `doubted` is what could be using a service's data, or would start again what does, and has no proof.
    """

    commands: CommandLine
    checkout: str
    services: tuple[Service, ...]
    deployed: frozenset[str]
    allow_empty: bool
    free_bytes: int
    total_bytes: int
    places: Mapping[str, str]
    without_credential: tuple[str, ...] = ()
    locked: frozenset[str] = frozenset()
    doubted: Mapping[str, Running] = field(default_factory=dict)


SMALLEST_FREE = 200 * 1024 * 1024


def preflight(observed: Observed, ground: Ground) -> list[InfraError]:
    """Give every fault that forbids the change; none when it may go ahead."""
    found = [*_unknown(observed), *_folders(observed, ground), *_disk(ground), *_credentials(ground)]
    return [*_doubted(ground), *found]


def _unknown(observed: Observed) -> Iterator[InfraError]:
    for line in observed.unknowns():
        yield CannotTell(f"cannot be read: {line}", next_step="mend it, then repeat the command")


def _doubted(ground: Ground) -> Iterator[InfraError]:
    """Keep two servers from working on the same data: what bears our marks may be one of an earlier time."""
    for name, one in ground.doubted.items():
        yield Refused(
            f"{one} {UNPROVEN} may work on the data of {name}: it is neither taken for ours nor ended",
            next_step=ground.commands.say("down"),
        )


def _folders(observed: Observed, ground: Ground) -> Iterator[InfraError]:
    for service in ground.services:
        seen = observed.folders.get(service.name)
        if isinstance(seen, Found):
            yield from _foreign(seen.fact, service, ground)
            yield from _locked(seen.fact, service, ground)
        elif not ground.allow_empty:
            yield from _lost(seen, service, observed, ground)


def _lost(seen: object, service: Service, observed: Observed, ground: Ground) -> Iterator[InfraError]:
    """Ask before data that are gone are replaced by empty ones."""
    place = ground.places[service.name]
    has_run = service.name in ground.deployed or any(observed.running(one.name) for one in service.parts)
    words = ""
    if isinstance(seen, Absent) and has_run:
        words = f"{service.name} has run before, and its data folder {place} is empty"
    elif isinstance(seen, Unmarked):
        words = f"{place} holds files, and nothing in it says whose they are"
    if words:
        again = f"put the data back, or start empty: {ground.commands.say('setup')} --init"
        yield Refused(words, next_step=again)


def _locked(folder: DataFolder, service: Service, ground: Ground) -> Iterator[InfraError]:
    if folder.version and service.name in ground.locked:
        yield Refused(
            f"the store has lost the secrets that {ground.places[service.name]} was made with",
            next_step=f"put the store back, or start anew: {ground.commands.say('destroy')}",
        )


def _foreign(folder: DataFolder, service: Service, ground: Ground) -> Iterator[InfraError]:
    place = ground.places[service.name]
    mine = (ground.commands.project, ground.commands.environment, service.name, ground.checkout)
    owner = (folder.project, folder.environment, folder.service, folder.checkout)
    if owner != mine:
        yield Refused(f"{place} belongs to {' '.join(owner)}, not to {' '.join(mine)}", next_step=_DUMP)
    elif folder.version and folder.version != service.data_version:
        words = f"{place} has format {folder.version}, {service.name} needs {service.data_version}"
        yield Refused(words, next_step=_DUMP)


_DUMP = "dump it with the program that made it, move the folder away, set up, then restore the dump"


def _disk(ground: Ground) -> Iterator[InfraError]:
    if ground.free_bytes < SMALLEST_FREE:
        left = ground.free_bytes // 1024 // 1024
        yield CannotTell(
            f"only {left} MiB are free for the state folder", next_step="free some space, repeat"
        )


def _credentials(ground: Ground) -> Iterator[InfraError]:
    for name in ground.without_credential:
        yield CannotTell(
            f"{name}: its Vault agent has no credential to log in with",
            next_step=ground.commands.setup_tokens,
        )
