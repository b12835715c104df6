"""Each kind of place of ours with each kind of fault: refused by its name, with the line that mends it."""

from __future__ import annotations

import grp
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.model.errors import Denied
from infra.targets.process import modes, programs, sharing
from infra.targets.process.way import Advice, require
from infra.workspace import folders as module
from infra.workspace import vault_program
from infra.workspace.cache import cache_folder
from infra.workspace.folders import folders
from tasks.root import ROOT
from tests import neighbour
from tests.needs import SYSTEM_PYTHON
from tests.neighbour import NEIGHBOUR, needs_root

PROJECT, CHECKOUT = "finance_report", "0123abcd"
FIRST = Path("finance_report")


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder of ours that anybody can enter, in one that anybody can write and that is sticky."""
    place = Path(tempfile.mkdtemp(prefix="base-"))
    place.chmod(0o755)
    (place / "base").mkdir(mode=0o755)
    yield place / "base"
    shutil.rmtree(place)


@dataclass(frozen=True)
class Place:
    """One kind of place: what is ours below its base, and the look that a command takes before it uses it."""

    ours: Path
    look: Callable[[Path, pytest.MonkeyPatch], object]

    @property
    def first(self) -> str:
        """The first name of ours."""
        return self.ours.parts[0]


def folders_with(name: str) -> Callable[[Path, pytest.MonkeyPatch], object]:
    def look(base: Path, patch: pytest.MonkeyPatch) -> object:
        own = base.parent / "own"
        own.mkdir(exist_ok=True)
        patch.setattr(module, "_is_memory", lambda folder: folder == base)
        names = {key: str(own / key) for key in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")}
        return folders(PROJECT, CHECKOUT, {**names, name: str(base)}, own)

    return look


def cached(base: Path, _patch: pytest.MonkeyPatch) -> object:
    return cache_folder("templates", {"XDG_CACHE_HOME": str(base)})


def on_path(base: Path, _patch: pytest.MonkeyPatch) -> object:
    return vault_program.vault_program(base, {"PATH": str(base / "bin")})


def building(base: Path, patch: pytest.MonkeyPatch) -> object:
    (base.parent / "tools/vault").mkdir(parents=True, exist_ok=True)
    for name in vault_program.FILES:
        (base.parent / "tools/vault" / name).touch()
    patch.setenv("XDG_CACHE_HOME", str(base.parent / "cache"))
    patch.setattr(vault_program, "_build", lambda *_: None)
    return vault_program.vault_program(base.parent, {"PATH": str(base / "bin")})


def as_server(base: Path, _patch: pytest.MonkeyPatch) -> object:
    return programs.find("redis", str(base / "bin/vault"))


def interpreter(base: Path, _patch: pytest.MonkeyPatch) -> object:
    return programs.python_in(base)


PLACES = {
    "state": Place(FIRST / CHECKOUT, folders_with("XDG_STATE_HOME")),
    "what lies in the state": Place(FIRST / CHECKOUT / "local/run", folders_with("XDG_STATE_HOME")),
    "secrets": Place(FIRST / "secrets" / CHECKOUT, folders_with("XDG_DATA_HOME")),
    "memory": Place(FIRST / CHECKOUT / "local", folders_with("XDG_RUNTIME_DIR")),
    "cache": Place(FIRST / "templates", cached),
    "a Vault on PATH": Place(Path("bin/vault"), on_path),
    "a Go that builds Vault": Place(Path("bin/go"), building),
    "a server's program": Place(Path("bin/vault"), as_server),
    "an interpreter": Place(Path(".venv/bin/python"), interpreter),
}


def foreign(path: Path) -> None:
    os.chown(path, NEIGHBOUR, NEIGHBOUR, follow_symlinks=False)


def linked(path: Path) -> None:
    """Leave a link of the neighbour's in its place, to what was there."""
    real = path.rename(path.with_name("elsewhere"))
    path.symlink_to(real)
    foreign(path)


def mode(rights: int) -> Callable[[Path], None]:
    return lambda path: path.chmod(rights)


Fault = tuple[str, Callable[[Path], None]]  # where, and what is done there
FOREIGN: dict[str, Fault] = {
    "another's base": ("base", foreign),
    "another's first folder": ("first", foreign),
    "another's own": ("end", foreign),
    "another's link": ("end", linked),
    "another's link on the way": ("first", linked),
    "another's parent, who could swap the base": ("above", foreign),
}
OPEN: dict[str, Fault] = {
    "anybody writes the base": ("base", mode(0o777)),
    "anybody writes above": ("above", mode(0o777)),
    "anybody writes the first": ("first", mode(0o777)),
    "anybody writes ours": ("end", mode(0o777)),
    "a group writes ours": ("end", mode(0o775)),
    "a folder for all is none of ours": ("end", mode(0o1777)),
}
FINE = {
    ("memory", "another's base"),  # the next place is taken
    # A person put his application there.
    ("an interpreter", "another's parent, who could swap the base"),
    ("an interpreter", "anybody writes above"),
}


def made(base: Path, place: Place) -> Path:
    """Make what is ours there, and give it."""
    end = base / place.ours
    end.parent.mkdir(parents=True, exist_ok=True)
    if end.parent.name == "bin":
        end.write_text("#!/bin/sh\n", encoding="utf-8")
    else:
        end.mkdir()
    for one in (end, *end.parents):
        if one.is_relative_to(base):
            one.chmod(0o755)
    return end


@pytest.fixture(autouse=True)
def a_group_of_more_than_one(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our own group has a second member."""
    group = SimpleNamespace(gr_name="team", gr_mem=["colleague"])
    monkeypatch.setattr(grp, "getgrgid", lambda _gid: group)
    sharing.has_others.cache_clear()
    yield
    sharing.has_others.cache_clear()


def is_refused(place: Place, base: Path, patch: pytest.MonkeyPatch, fault: Fault) -> Denied:
    """Give the refusal, which begins with what is wrong and names it."""
    where, act = fault
    end = made(base, place)
    assert place.look(base, patch), "nothing is wrong yet"
    spot = {"base": base, "above": base.parent, "first": base / place.first, "end": end}[where]
    act(spot)
    with pytest.raises(Denied) as refused:
        place.look(base, patch)
    assert refused.value.message.startswith(
        (f"{spot} belongs to uid 64321", f"others can write {spot}, and ")
    )
    assert refused.value.next_step
    return refused.value


@needs_root
@pytest.mark.parametrize(("name", "fault"), sorted(set(product(PLACES, FOREIGN)) - FINE))
def test_what_a_neighbour_owns_or_could_swap_is_not_used(
    base: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    is_refused(PLACES[name], base, monkeypatch, FOREIGN[fault])


@pytest.mark.parametrize(("name", "fault"), sorted(set(product(PLACES, OPEN)) - FINE))
def test_what_others_can_write_or_swap_is_not_used_until_it_is_mended(
    base: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    place = PLACES[name]
    error = is_refused(place, base, monkeypatch, OPEN[fault])
    line = error.next_step.removeprefix("look at it, then ").removeprefix("sudo ")
    subprocess.run(shlex.split(line), check=True)
    assert place.look(base, monkeypatch)


def test_a_folder_for_all_is_good_as_a_base_alone(base: Path) -> None:
    base.chmod(0o1777)
    assert require(base, "ours") == base / "ours"
    (base / "ours").mkdir()
    assert require(base, "ours", "more") == base / "ours/more"
    (base / "ours").chmod(0o1777)
    with pytest.raises(Denied, match=f"others can write {base}/ours, "):
        require(base, "ours", "more")


def test_a_link_of_our_own_is_followed_and_its_end_is_looked_at(base: Path) -> None:
    (base / "big").mkdir(mode=0o755)
    (base / "ours").symlink_to("../base/./big")
    assert require(base, "ours", "more") == base / "ours/more"
    (base / "big").chmod(0o777)
    with pytest.raises(Denied, match=f"others can write {base}/big, and what lies there is used next"):
        require(base, "ours", "more")


def test_links_in_a_circle_are_refused(base: Path) -> None:
    (base / "ours").symlink_to("ours")
    with pytest.raises(Denied, match="too many links"):
        require(base, "ours")


@needs_root
def test_an_account_that_we_gave_it_may_own_the_last_folder_and_no_other(base: Path) -> None:
    (base / "ours/data").mkdir(parents=True)
    foreign(base / "ours/data")
    assert require(base, "ours", "data", accounts=(NEIGHBOUR,))
    foreign(base / "ours")
    with pytest.raises(Denied, match=f"{base}/ours belongs to uid {NEIGHBOUR}"):
        require(base, "ours", "data", accounts=(NEIGHBOUR,))


@needs_root
def test_advice_names_the_other_ways_out(base: Path) -> None:
    hints = Advice("unset XDG_CACHE_HOME", "rm -r it")
    (base / "ours").mkdir()
    foreign(base / "ours")
    with pytest.raises(Denied) as refused:
        require(base, "ours", hints=hints)
    assert refused.value.next_step == f"look at it, then chown -R 0 {base}/ours"
    assert refused.value.evidence == (
        "or take it away: rm -r it",
        "or use another place: unset XDG_CACHE_HOME",
    )
    foreign(base)
    with pytest.raises(Denied, match="who could swap") as refused:
        require(base, "ours", hints=hints)
    assert refused.value.next_step == "unset XDG_CACHE_HOME"


@needs_root
@pytest.mark.parametrize("make", [modes.walkable, modes.private_folder])
def test_a_neighbour_who_is_faster_than_our_mkdir_is_found_out(
    base: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    (base / "ours").mkdir()
    foreign(base / "ours")
    above = {path: path.stat().st_mode for path in base.parents}
    monkeypatch.setattr(Path, "exists", lambda _path: False)
    with pytest.raises(Denied, match=f"{base}/ours belongs to"):
        make(base / "ours/more")
    assert {path: path.stat().st_mode for path in base.parents} == above, (
        "what we did not make stays as it is"
    )


@needs_root
def test_a_neighbour_who_is_first_in_memory_is_passed_over(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can make a folder of our name there; ours is found again when theirs has gone."""
    base.chmod(0o1777)
    monkeypatch.setattr(module, "MEMORY", base)
    monkeypatch.setattr(module, "_is_memory", lambda folder: folder == base)
    own = base.parent / "own"
    own.mkdir()
    names = {key: str(own / key) for key in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")}

    def memory() -> Path:
        return folders(PROJECT, CHECKOUT, names, own).memory.parent

    theirs = base / f"{PROJECT}-0"
    assert memory() == theirs
    theirs.mkdir()
    foreign(theirs)
    assert memory() == base / f"{PROJECT}-0.1"
    assert module.passed_over(PROJECT) == [(theirs, NEIGHBOUR)]
    modes.private_folder(memory() / CHECKOUT)
    theirs.rmdir()
    assert memory() == base / f"{PROJECT}-0.1"
    for number in range(1, module.SPARE + 1):
        shutil.rmtree(base / f"{PROJECT}-0.{number}", ignore_errors=True)
        (base / f"{PROJECT}-0.{number}").mkdir()
        foreign(base / f"{PROJECT}-0.{number}")
    assert memory() == theirs
    theirs.mkdir()
    foreign(theirs)
    with pytest.raises(Denied, match=f"{theirs} belongs to uid {NEIGHBOUR}"):
        memory()


@needs_root
def test_in_a_namespace_that_does_not_know_root_his_folders_are_good_as_a_base(base: Path) -> None:
    """Who he is there is nobody; a folder of ours that is nobody's is still none."""
    base.chmod(0o1777)
    look = "from pathlib import Path; from infra.targets.process.way import require; import sys"
    look += "; require(Path(sys.argv[1]), 'ours', 'more')"
    words = ("unshare", "-U", "-r", SYSTEM_PYTHON, "-B", "-c", look, str(base))

    def ended() -> str:
        return neighbour.run(*words, cwd=ROOT).stderr

    if (said := ended()) and "infra.model.errors" not in said:
        pytest.skip(f"no namespace for a neighbour: {said.splitlines()[-1]}")
    assert said == ""
    (base / "ours").mkdir(mode=0o755)
    assert "belongs to uid 65534" in ended()
    foreign(base / "ours")
    assert ended() == ""
