"""Looks for secret values where none belongs: texts of units, logs, records, arguments and environments.

Values stay in memory; what is found is told by its place and its key.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.model.places import Places
from infra.model.redaction import forms_of
from infra.model.secret import Place, Secret
from infra.session import Session
from infra.targets.process import processes

LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Needle:
    """One key's value in every form, and the services whose processes may hold it."""

    place: Place
    forms: frozenset[bytes]
    readers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place, what stands there, and the service that it belongs to, if it is the environment of one."""

    name: str
    content: bytes
    service: str = ""


def needles(values: Mapping[Place, Secret], readers: Mapping[Place, Iterable[str]]) -> list[Needle]:
    """Give what to look for; values that are too short to be told from a word are left out."""
    found = (
        Needle(place, frozenset(_bytes(forms_of(value))), frozenset(readers[place]))
        for place, value in values.items()
    )
    return [needle for needle in found if needle.forms]


def findings(spots: Iterable[Spot], wanted: list[Needle]) -> list[tuple[Needle, str]]:
    """Give each key that is found where it does not belong, with the name of that place."""
    return [
        (needle, spot.name)
        for spot in spots
        for needle in wanted
        if spot.service not in needle.readers and any(form in spot.content for form in needle.forms)
    ]


def spots(session: Session) -> Iterator[Spot]:
    """Give every place of this environment and machine that can be read here."""
    yield from _files(session.places)
    for service in session.service_names:
        for record in session.records.all(service):
            yield Spot(f"the record {record.deploy} of {service}", json.dumps(record.as_json()).encode())
    yield from _processes({one.pid for one in processes.marked(session.target.marks)})


def _files(places: Places) -> Iterator[Spot]:
    for folder in (places.run, places.logs):
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    yield Spot(str(path), file.read(LARGEST))


def _processes(ours: Collection[int]) -> Iterator[Spot]:
    """Give arguments and environment of each process; those of other users show their arguments alone."""
    for process in psutil.process_iter():
        try:
            name = f"{process.name()} (pid {process.pid})"
            yield Spot(
                f"the arguments of {name}", "\0".join(process.cmdline()).encode(errors="surrogateescape")
            )
            variables = process.environ()
        except (psutil.Error, OSError):
            continue
        text = "\0".join(f"{key}={value}" for key, value in variables.items())
        service = variables.get("INFRA_SERVICE", "") if process.pid in ours else ""
        yield Spot(f"the environment of {name}", text.encode(errors="surrogateescape"), service)


def _bytes(forms: Iterable[str]) -> Iterator[bytes]:
    return (form.encode(errors="surrogatepass") for form in forms)
