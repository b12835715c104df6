"""The way to a path: refused where somebody else could put another thing in the place of what is ours.

A folder counts from `/` on: who owns one, or can write one that is not sticky, can swap what lies below it
between a look and a use. A folder for all such as /tmp is good as a base, never as one of ours.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.model.errors import Denied
from infra.model.odd_names import quoted, shown
from infra.targets.process import modes, sharing

MOST_LINKS = 40


@dataclass(frozen=True, slots=True)
class Step:
    """One folder, file or link on the way; `is_ours` from the first that carries our name on."""

    path: Path
    status: os.stat_result
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """What else mends it: `elsewhere` is how to use another place, `again` how to be rid of what is there."""

    elsewhere: str = ""
    again: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """Give it as evidence of a refusal."""
        said = {"or take it away": self.again, "or use another place": self.elsewhere}
        return tuple(f"{words}: {line}" for words, line in said.items() if line)


def by_variable(name: str, variables: Mapping[str, str], again: str = "") -> Advice:
    """Give the advice for a folder that a variable can name."""
    return Advice(f"unset {name}" if variables.get(name) else f"export {name}=/a/folder/of/your/own", again)


def require(base: Path, *names: str, hints: Advice = Advice(), accounts: Collection[int] = ()) -> Path:
    """Give the path of these names below a base, where nobody else can write or swap it; it may be missing.

    Denied names what is wrong on the way, whose it is, and the line that mends it; `accounts` may own the
    last one beside us and root.
    """
    end = base.joinpath(*names)
    for step in steps(base, names):
        _require(step, end, hints, accounts if step.path == end else ())
    return end


def require_program(program: Path, elsewhere: str = "") -> Path:
    """Give a program that is about to run; Denied where it, or the way to it, is not ours or root's alone."""
    return require(program.parent, program.name, hints=Advice(elsewhere))


def require_all(paths: Iterable[Path], advice: Advice) -> None:
    """Refuse what somebody else owns or can write of these paths, whose way has been looked at."""
    for path in paths:
        with suppress(FileNotFoundError):
            _require(Step(path, path.lstat(), is_ours=True), path, advice, ())


def steps(base: Path, below: Sequence[str]) -> Iterator[Step]:
    """Give each folder and link from `/` on, each after the one that holds it, as far as there are any."""
    todo = [*((name, True) for name in reversed(below)), *((name, False) for name in names(base))]
    place, links = "/", 0
    yield Step(Path(place), os.lstat(place), is_ours=False)
    while todo:
        name, is_ours = todo.pop()
        here = os.path.normpath(os.path.join(place, name))  # what came before holds no links any more
        try:
            status = os.lstat(here)
        except OSError:  # there is none, or who wants to use it will hear that he may not
            return
        yield Step(Path(here), status, is_ours)
        if not stat.S_ISLNK(status.st_mode):
            place = here
            continue
        links += 1
        target = str(Path(here).readlink())
        if links > MOST_LINKS:
            raise Denied(f"{shown(here)}: too many links", next_step=f"ls -ld {quoted(here)}")
        todo += ((one, is_ours and not turn) for turn, one in enumerate(names(target)))
        place = "/" if target.startswith("/") else place


def names(path: str | Path) -> list[str]:
    """Give the names of a path, the last one first."""
    text = str(path.absolute()) if isinstance(path, Path) else path
    return [name for name in reversed(text.split("/")) if name not in {"", "."}]


def _require(step: Step, end: Path, advice: Advice, accounts: Collection[int]) -> None:
    mode, owner = step.status.st_mode, step.status.st_uid
    roots = {0} if step.is_ours else sharing.who_is_root()
    if owner not in {*roots, os.geteuid(), *accounts}:
        raise _foreign(step, end, advice)
    is_for_all = not step.is_ours and bool(mode & stat.S_ISVTX)
    if not is_for_all and modes.is_open_as(step.path, step.status):
        raise _open(step, end, advice)


def _foreign(step: Step, end: Path, advice: Advice) -> Denied:
    words = f"{shown(step.path)} belongs to {modes.whose(step.status.st_uid)}"
    place = quoted(step.path)
    if stat.S_ISLNK(step.status.st_mode):
        return Denied(f"{words} and is a link", next_step=f"rm {place}", evidence=advice.lines)
    mend = f"look at it, then {modes.SUDO}chown -R {os.geteuid()} {place}"
    if step.is_ours:
        words = f"{words}, and what lies there is used next"
        return Denied(words, next_step=mend, evidence=advice.lines)
    return Denied(f"{words}, who could swap {shown(end)}", next_step=advice.elsewhere or mend)


def _open(step: Step, end: Path, advice: Advice) -> Denied:
    words, place = f"others can write {shown(step.path)}", quoted(step.path)
    if step.is_ours:
        words, mend = f"{words}, and what lies there is used next", f"look at it, then chmod -R go-w {place}"
    else:
        sudo = "" if step.status.st_uid == os.geteuid() else modes.SUDO
        words, mend = f"{words}, and could swap {shown(end)}", f"{sudo}chmod go-w {place}"
    return Denied(words, next_step=mend, evidence=advice.lines)
