"""The three locks: one resolution, hashes everywhere, no host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
NAMES = ("tool", "local", "dev")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
PIN = re.compile(r"([a-z0-9-]+)(?:\[([a-z,]+)\])?==([^ ;]+)(?: ; [^\\]+)?")
INCLUDED = re.compile(r"-r (\.\./reference_app/apps/[a-z]+/requirements\.in)")
WISH = re.compile(r"([a-z0-9-]+)(?:\[([a-z,]+)\])?(==.+)?")


def requirements(name: str) -> list[str]:
    """Give the requirements of one lock, each with its hashes in one line."""
    return (FOLDER / f"{name}.txt").read_text().replace("\\\n", "").splitlines()


def pins(name: str) -> dict[str, set[str]]:
    """Give the versions that one lock holds of each package; markers may choose between several."""
    found: dict[str, set[str]] = {}
    for line in requirements(name):
        pin = PIN.match(line)
        assert pin, line
        found.setdefault(pin[1], set()).add(pin[3])
    return found


def pins_with_extras(name: str) -> Iterator[tuple[str, str]]:
    """Give the packages that one lock holds with an extra, and that extra."""
    yield from ((pin[1], pin[2]) for line in requirements(name) if (pin := PIN.match(line)) and pin[2])


def wishes(file: Path) -> Iterator[str]:
    """Give the lines that ask for a package, also those of the application's own files."""
    for line in file.read_text().splitlines():
        included = INCLUDED.fullmatch(line)
        if included:
            yield from wishes(FOLDER / included[1])
        elif not line.startswith("#"):
            yield line


@pytest.mark.parametrize("part", ["backend", "frontend"])
def test_the_applications_own_locks_hold_the_same_versions(part: str) -> None:
    own = Path(f"../reference_app/apps/{part}/requirements")
    locked = pins("local")
    mine = pins(str(own))
    assert mine
    assert mine.items() <= locked.items()


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_nothing_but_pinned_packages_with_their_hashes(name: str) -> None:
    for line in requirements(name):
        pin, *hashes = re.split(r" +(?=--)", line.strip())
        assert PIN.fullmatch(pin.strip()), line
        assert hashes, f"{pin} has no hash"
        assert all(HASH.fullmatch(each) for each in hashes), line


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_file_of_requirements_names_a_host_or_a_folder(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    lines = [line for line in text.splitlines() if path.suffix != ".sh" and not INCLUDED.fullmatch(line)]
    assert not [line for line in lines if re.match(r" *(-|/|\.)(?!-hash)", line)]


def test_a_package_has_the_same_version_in_every_lock() -> None:
    tool, local, dev = (pins(name) for name in NAMES)
    for one, other in ((tool, local), (tool, dev), (local, dev)):
        shared = one.keys() & other.keys()
        assert {name: one[name] for name in shared} == {name: other[name] for name in shared}


@pytest.mark.parametrize("name", NAMES)
def test_every_package_that_is_asked_for_is_locked_at_the_version_that_is_asked_for(name: str) -> None:
    locked = pins(name)
    extras = dict(pins_with_extras(name))
    for line in wishes(FOLDER / f"{name}.in"):
        wish = WISH.fullmatch(line)
        assert wish, line
        assert wish[1] in locked, f"{wish[1]}: type requirements/compile.sh"
        assert wish[2] in {None, extras.get(wish[1])}
        assert wish[3] in {None, *(f"=={version}" for version in locked[wish[1]])}


@pytest.mark.parametrize("name", [*NAMES, "../reference_app/apps/backend/requirements"])
def test_what_is_locked_with_an_extra_is_locked_without_it_too(name: str) -> None:
    """Where another package asks for it so, the pips of Python 3.11 take no other line for it."""
    plain = {re.split(r"[=\[]", line)[0] for line in requirements(name) if re.match(r"[a-z0-9-]+==", line)}
    found = {package for package, _ in pins_with_extras(name)}
    assert found
    assert found <= plain
