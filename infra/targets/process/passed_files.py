"""The files that units take the caller's variables from: private, where secrets lie, one for each set.

A bundle names its file by the digest of what it holds. So a release that is put back gets the values that it
ran with, whoever's shell asks for it, and no record and no command line holds one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from infra.model.errors import CannotTell
from infra.model.passed import FILE, Passed
from infra.model.places import Places
from infra.model.unit import Bundle, Unit
from infra.targets.process import secret_files


def variables(unit: Unit) -> dict[str, str]:
    """Give the variables that a unit is started with; CannotTell where its file is not there any more."""
    own = dict(unit.environment)
    if FILE not in own:
        return own
    try:
        return {**_read(Path(own[FILE])), **own}
    except (OSError, ValueError) as error:
        raise CannotTell(f"{unit.name}: {own[FILE]} cannot be used: {error}") from error


def write(unit: Unit, passed: Passed) -> None:
    """Make sure of the file that a unit names; CannotTell where it is gone and other values are set now."""
    file = _file(unit)
    if file is None or file.exists():
        return
    if file.stem != passed.digest:
        raise CannotTell(f"{unit.name}: the variables that it ran with are not kept any more")
    secret_files.write_text(file, json.dumps(dict(passed.values)))


def are_kept(bundle: Bundle, passed: Passed) -> bool:
    """Tell whether the values that a bundle runs with are still here, or set now."""
    files = set(files_of(bundle))
    return all(file.exists() or file.stem == passed.digest for file in files)


def files_of(bundle: Bundle) -> Iterator[Path]:
    """Give the file of each unit of a bundle that names one."""
    yield from (file for unit in bundle.units if (file := _file(unit)) is not None)


def prune(places: Places, needed: Collection[Path]) -> None:
    """Remove the files that no release needs any more."""
    for file in _all(places):
        if file not in needed:
            file.unlink(missing_ok=True)


def known(places: Places) -> Iterable[Mapping[str, str]]:
    """Give what the kept files hold; one that cannot be read holds nothing."""
    for file in _all(places):
        try:
            yield _read(file)
        except (OSError, ValueError):
            continue


def _all(places: Places) -> list[Path]:
    return sorted(Path(places.passed_file("any")).parent.glob("*.json"))


def _file(unit: Unit) -> Path | None:
    name = dict(unit.environment).get(FILE)
    return Path(name) if name else None


def _read(file: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found
