"""Whose main processes are seen, while their children come and go."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.model.secret import Secret
from infra.targets.process import bearers, processes
from infra.targets.process.bearers import Marks
from infra.targets.process.proof import Handed
from tests.proven import marks_of, variables_of
from tests.waiting import until

BREEDING = "while :; do /bin/sleep 0.001; /bin/true; done"
LOOKS = 150


@pytest.fixture
def marks() -> Marks:
    """Give marks that nobody else bears."""
    return marks_of(f"breeder-{os.getpid()}")


@pytest.fixture
def breeder(marks: Marks) -> Iterator[subprocess.Popen[bytes]]:
    """Run a unit whose children live for about a millisecond each."""
    variables = {
        "PATH": os.environ["PATH"],
        **variables_of(marks, "breeder"),
    }
    unit = subprocess.Popen(["/bin/sh", "-c", BREEDING], env=variables, start_new_session=True)
    try:
        yield unit
    finally:
        os.killpg(unit.pid, signal.SIGKILL)
        unit.wait()


def test_a_child_that_ends_while_we_look_is_not_a_second_main_process(
    marks: Marks, breeder: subprocess.Popen[bytes]
) -> None:
    children = looks = 0

    def has_looked() -> bool:
        nonlocal children, looks
        children += len(processes.marked(marks)) > 1
        found = processes.mains(marks).get("breeder", [])
        assert [process.pid for process, _ in found] == [breeder.pid]
        looks += 1
        return looks >= LOOKS and children > 0  # without a child seen it would have shown nothing

    until(has_looked, every=0)


def test_an_orphan_of_a_unit_is_a_main_process_of_its_own(marks: Marks) -> None:
    variables = variables_of(marks, "orphan")
    leave = (
        "from subprocess import DEVNULL, Popen\n"
        "print(Popen(['/bin/sleep', '60'], stdout=DEVNULL, stderr=DEVNULL).pid)"
    )
    said = subprocess.run(
        [sys.executable, "-c", leave], env=variables, capture_output=True, text=True, check=True
    )
    orphan = int(said.stdout)
    try:
        assert [process.pid for process, _ in processes.mains(marks)["orphan"]] == [orphan]
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_proof_holds_for_its_own_unit_environment_checkout_and_key(
    marks: Marks, breeder: subprocess.Popen[bytes]
) -> None:
    assert bearers.is_proven(marks, breeder.pid, "breeder")
    assert not bearers.is_proven(marks, breeder.pid, "postgres")
    others = (
        marks_of(marks.checkout, "staging"),
        marks_of("another"),
        marks_of(marks.checkout, key=Handed(Secret("6" * 64))),
    )
    for other in others:
        assert not bearers.is_proven(other, breeder.pid, "breeder")
