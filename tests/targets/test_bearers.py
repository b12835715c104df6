"""Which processes are ours: the proof and the user decide, and not the marks that anybody can set."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.model.secret import Secret
from infra.targets.process import bearers, ports, processes
from infra.targets.process.bearers import Marks, survey
from infra.targets.process.proof import Handed
from infra.targets.process.units_file import write_handed
from tests import neighbour
from tests.needs import SYSTEM_PYTHON
from tests.proven import marks_of, variables_of

SLEEPS = ("/bin/sleep", "600")
Start = Callable[..., int]


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    """Give marks that nobody else bears; as root, PostgreSQL runs as nobody."""
    users = {"postgres": "nobody"} if os.getuid() == 0 else {}
    return replace(marks_of(uuid4().hex[:8]), users=users, run=str(tmp_path))


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process with these variables, and with these options of a subprocess."""
    children: list[subprocess.Popen[str]] = []

    def started(variables: dict[str, str], **options: object) -> int:
        child = subprocess.Popen(SLEEPS, **{"env": variables, "cwd": "/", **options})  # type: ignore[call-overload]
        children.append(child)
        return int(child.pid)

    yield started
    for child in children:
        child.kill()
        child.wait()


def seen(marks: Marks) -> tuple[list[int], list[int]]:
    """Give the pids that are ours, and those that only could be."""
    found = survey(marks)
    return [one.pid for one in found.proven], [one.pid for one in found.unproven]


def test_who_proves_it_is_ours(marks: Marks, start: Start) -> None:
    pid = start(variables_of(marks, "redis"))
    assert seen(marks) == ([pid], [])
    assert bearers.is_proven(marks, pid, "redis")
    assert not bearers.is_proven(marks, pid, "postgres")


def without_proof(marks: Marks) -> dict[str, str]:
    return {name: text for name, text in variables_of(marks, "redis").items() if name != "INFRA_PROOF"}


NO_PROOFS: dict[str, Callable[[Marks], dict[str, str]]] = {
    "none": lambda _: {},
    "an empty one": lambda _: {"INFRA_PROOF": ""},
    "a wrong one": lambda _: {"INFRA_PROOF": "0" * 64},
    "another unit's": lambda mine: mine.proven("backend"),
    "a supervisor's": lambda mine: mine.proven(),
    "another environment's": lambda mine: marks_of(mine.checkout, "staging").proven("redis"),
    "another checkout's": lambda _: marks_of("0badcafe").proven("redis"),
    "one of another key": lambda mine: marks_of(mine.checkout, key=Handed(Secret("6" * 64))).proven("redis"),
}


@pytest.mark.parametrize("proof", NO_PROOFS)
def test_marks_and_our_user_without_the_right_proof_make_nothing_ours(
    marks: Marks, start: Start, proof: str
) -> None:
    pid = start({**without_proof(marks), **NO_PROOFS[proof](marks)})
    assert seen(marks) == ([], [pid])
    assert not bearers.is_proven(marks, pid, "redis")
    assert (processes.mains(marks), processes.marked(marks)) == ({}, [])


def test_a_key_that_nobody_has_proves_nothing(marks: Marks, start: Start) -> None:
    class Nowhere:
        def read(self) -> None:
            return None

        make = marks.key.make

    pid = start(variables_of(marks, "redis"))
    assert seen(replace(marks, key=Nowhere())) == ([], [pid])


@neighbour.needs_root
def test_a_neighbour_is_a_stranger_whatever_it_bears_even_a_proof_of_ours(marks: Marks, start: Start) -> None:
    for variables in (without_proof(marks), variables_of(marks, "redis"), variables_of(marks, "postgres")):
        start(variables, **neighbour.identity())
    assert seen(marks) == ([], [])


@neighbour.needs_root
def test_the_account_of_a_unit_is_ours_for_that_unit_alone(marks: Marks, start: Start) -> None:
    nobody = pwd.getpwnam("nobody")
    as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    bare = {**variables_of(marks, "postgres"), "INFRA_PROOF": ""}
    proven = start({**bare, **marks.proven("postgres", "nobody")}, **as_nobody)
    doubted = start({**bare, **marks.proven("postgres")}, **as_nobody)
    start({**variables_of(marks, "redis")}, **as_nobody)
    assert seen(marks) == ([proven], [doubted])


@neighbour.needs_root
@pytest.mark.parametrize("account", ["daemon", "an-account-to-be-made"])
def test_what_ran_as_nobody_before_it_had_an_account_is_no_dead_end(
    marks: Marks, start: Start, account: str
) -> None:
    nobody = pwd.getpwnam("nobody")
    bare = {**variables_of(marks, "postgres"), "INFRA_PROOF": ""}
    pid = start(bare, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    assert seen(replace(marks, users={"postgres": account})) == ([], [pid])


def test_a_watcher_is_proven_by_its_unit(marks: Marks, start: Start) -> None:
    pid = start({**variables_of(marks, "backend"), "INFRA_UNIT": "backend.watcher"})
    assert seen(marks) == ([pid], [])


def test_what_a_supervisor_handed_over_is_ours_and_nothing_that_only_has_its_number(
    marks: Marks, start: Start, tmp_path: Path
) -> None:
    pid = start(without_proof(marks))
    (one,) = survey(marks).unproven
    write_handed(tmp_path, [one.identity.replace("@", "@1")])
    assert seen(marks) == ([], [pid])
    write_handed(tmp_path, [one.identity])
    assert seen(marks) == ([pid], [])
    assert bearers.is_proven(marks, pid, "redis")


def test_ending_what_is_doubted_leaves_what_is_ours(marks: Marks, start: Start) -> None:
    ours, doubted = start(variables_of(marks, "redis")), start(without_proof(marks))
    assert processes.end_unproven(marks, 5.0, {}) == []
    assert seen(marks) == ([ours], [])
    assert doubted not in {one.pid for one in processes.marked(marks)}


def test_ending_a_unit_leaves_what_is_doubted(marks: Marks, start: Start) -> None:
    doubted = start(without_proof(marks))
    start(variables_of(marks, "redis"))
    assert processes.end_unit(marks, "redis", 5.0) == []
    assert seen(marks) == ([], [doubted])


ANSWERS = """
import os, socket, subprocess, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind("supervisor.sock")
unit = {**os.environ, "INFRA_UNIT": "redis"}
print(subprocess.Popen(["/bin/sleep", "600"], env=unit, stdout=subprocess.DEVNULL).pid, flush=True)
listener.listen()
print("listens", flush=True)
sys.stdin.read()
"""


@contextmanager
def supervisor_of_before(
    marks: Marks, folder: Path, python: str = sys.executable, **options: Any
) -> Iterator[tuple[int, int]]:
    """Run what answers in a run folder and started a unit, both without a proof; give their pids."""
    variables = {name: text for name, text in without_proof(marks).items() if name != "INFRA_UNIT"}
    words = [python, "-I", "-c", ANSWERS, bearers.KEEPER]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=folder, env=variables, **pipes, **options) as keeper:
        assert keeper.stdout
        unit = int(keeper.stdout.readline())
        try:
            assert keeper.stdout.readline() == "listens\n"
            yield keeper.pid, unit
        finally:
            keeper.kill()
            os.kill(unit, signal.SIGKILL)


def test_what_answers_in_our_folder_is_our_supervisor_and_what_it_started_is_ours(
    marks: Marks, tmp_path: Path
) -> None:
    with supervisor_of_before(marks, tmp_path) as (keeper, unit):
        assert seen(marks) == ([keeper, unit], [])
        assert bearers.is_proven(marks, unit, "redis")
        assert seen(replace(marks, run="")) == ([], [keeper, unit])
        os.kill(keeper, signal.SIGKILL)
        os.waitpid(keeper, 0)
        assert seen(marks) == ([], [unit])


@neighbour.needs_root
def test_a_neighbour_in_our_folder_is_no_supervisor_of_ours(marks: Marks, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    neighbour.owned_folder(tmp_path)
    with supervisor_of_before(marks, tmp_path, SYSTEM_PYTHON, **neighbour.identity()):
        assert seen(marks) == ([], [])


LISTENS = """
import socket
ear = socket.create_server(("127.0.0.1", 0))
print(ear.getsockname()[1], flush=True)
input()
"""


@pytest.mark.parametrize("proves", [True, False])
def test_a_port_that_only_bears_our_marks_is_held_by_a_stranger_who_is_named(
    marks: Marks, proves: bool
) -> None:
    variables = variables_of(marks, "redis") if proves else without_proof(marks)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-I", "-c", LISTENS], env=variables, **pipes) as child:
        assert child.stdout
        port = int(child.stdout.readline())
        held = ports.holders([port], lambda: survey(marks).by_pid)
        child.kill()
    assert list(held) == ([] if proves else [port])
    assert all(words.endswith(f"(pid {child.pid}) with our marks and no proof") for words in held.values())
