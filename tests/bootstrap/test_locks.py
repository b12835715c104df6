"""The three locks: one resolution, hashes everywhere, no host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
NAMES = ("tool", "local", "dev")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
PIN = re.compile(r"([a-z0-9-]+)==([^ ;]+)(?: ; [^\\]+)?")
WISH = re.compile(r"([a-z0-9-]+)(\[[a-z,]+\])?(==.+)?")


def requirements(name: str) -> list[str]:
    """Give the requirements of one lock, each with its hashes in one line."""
    return (FOLDER / f"{name}.txt").read_text().replace("\\\n", "").splitlines()


def pins(name: str) -> dict[str, set[str]]:
    """Give the versions that one lock holds of each package; markers may choose between several."""
    found: dict[str, set[str]] = {}
    for line in requirements(name):
        pin = PIN.match(line)
        assert pin, line
        found.setdefault(pin[1], set()).add(pin[2])
    return found


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
    assert path.suffix == ".sh" or not re.search(r"^ *(-|/|\.)(?!-hash)", text, re.MULTILINE)


def test_a_package_has_the_same_version_in_every_lock() -> None:
    tool, local, dev = (pins(name) for name in NAMES)
    for one, other in ((tool, local), (tool, dev), (local, dev)):
        shared = one.keys() & other.keys()
        assert {name: one[name] for name in shared} == {name: other[name] for name in shared}


@pytest.mark.parametrize("name", NAMES)
def test_every_package_that_is_asked_for_is_locked_at_the_version_that_is_asked_for(name: str) -> None:
    locked = pins(name)
    for line in (FOLDER / f"{name}.in").read_text().splitlines():
        if line.startswith("#"):
            continue
        wish = WISH.fullmatch(line)
        assert wish, line
        assert wish[1] in locked, f"{wish[1]}: type requirements/compile.sh"
        assert wish[3] in {None, *(f"=={version}" for version in locked[wish[1]])}
