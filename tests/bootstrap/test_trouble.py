"""What ./inv says when the machine lacks something: exit 2, the reason, and the next thing to type."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.bootstrap.clone import Clone

FAILURES = yaml.safe_load((Path(__file__).parent / "failures.yaml").read_text())
SYSTEMS = ("Debian", "Fedora", "macOS")


def test_no_python_names_the_package_of_each_system(clone: Clone) -> None:
    (clone.bin / "python3").unlink()
    answer = clone.inv("smoke")
    assert answer.code == 2
    assert "no Python 3.11 or newer" in answer.err
    assert all(re.search(rf"{system}.* install python", answer.err) for system in SYSTEMS)
    assert answer.out == ""


def test_a_python_that_is_too_old_is_passed_over_for_a_newer_one(clone: Clone) -> None:
    (clone.bin / "python3").rename(clone.bin / "python3.13")
    clone.program("python3", "#!/bin/sh\n")
    assert clone.inv("smoke").code == 0


@pytest.mark.parametrize(("others", "taken"), [(["python3.12"], "3.12"), ([], "3.99")])
def test_a_python_newer_than_the_wheels_is_taken_only_when_there_is_no_other(
    clone: Clone, others: list[str], taken: str
) -> None:
    real = (clone.bin / "python3").rename(clone.world / "python")
    for name in others:
        (clone.bin / name).symlink_to(real)
    clone.program("python3", f'#!/bin/sh\n[ "$1 $4" != "-I 99" ] || echo "3.99 {real}"\n')
    assert f"with Python {taken} " in clone.inv().err


def test_the_shims_of_pyenv_are_passed_over(clone: Clone) -> None:
    (clone.bin / "python3").rename(clone.bin / "python3.12")
    clone.program("python3", "#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n")
    answer = clone.inv("smoke")
    assert (answer.code, "command not found" in answer.err) == (0, False)


def test_no_venv_module_names_the_package_of_each_system_and_leaves_nothing(clone: Clone) -> None:
    clone.happens("no-venv")
    answer = clone.inv("smoke")
    assert answer.code == 2
    assert "apt-get install python3.12-venv" in answer.err
    assert all(re.search(rf"{system}.* install python", answer.err) for system in SYSTEMS)
    assert {path.name for path in clone.root.iterdir()} == {"inv", "requirements"}


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure["package"])
def test_a_package_that_cannot_be_fetched_is_named(clone: Clone, failure: dict[str, str]) -> None:
    clone.happens("while-pip-runs", f"cat <<'END'\n{failure['says']}END\nexit 1\n")
    answer = clone.inv("smoke")
    assert answer.code == 2
    assert f"✗ {failure['package']} cannot be installed (tried pip)" in answer.err


def test_what_was_tried_is_said(clone: Clone) -> None:
    clone.add_uv(works=False)
    clone.happens("while-pip-runs", "exit 1\n")
    answer = clone.inv("smoke")
    assert "✗ rich cannot be installed (tried uv, then pip)" in answer.err


def test_what_was_installed_before_a_failure_is_kept(clone: Clone) -> None:
    clone.happens("while-pip-runs", 'case $lock in local*) echo "Collecting redis==8"; exit 1 ;; esac\n')
    assert clone.inv("smoke").code == 2
    clone.mends("while-pip-runs")
    clone.calls()
    assert clone.inv("smoke").code == 0
    assert clone.calls() == ["pip local"]


@pytest.mark.parametrize("program", ["mkdir", "cp"])
@pytest.mark.parametrize("reason", ["Read-only file system", "No space left on device", "Permission denied"])
def test_a_folder_that_cannot_be_written_is_named_with_the_reason(
    clone: Clone, program: str, reason: str
) -> None:
    clone.program(program, f"#!/bin/sh\necho '{program}: cannot create: {reason}' >&2\nexit 1\n")
    clone.happens("while-pip-runs", "exit 1\n")
    (clone.root / ".venv" / "bin").mkdir(parents=True)
    (clone.root / ".venv" / "bin" / "python").symlink_to("/bin/true")
    (clone.root / ".venv" / "installed").mkdir()
    answer = clone.inv("smoke")
    assert answer.code == 2
    assert f"✗ cannot write in {clone.root}" in answer.err
    assert reason in answer.err


def test_what_a_full_disk_cut_off_is_not_kept(clone: Clone) -> None:
    clone.happens("while-pip-runs", "echo 'ERROR: OSError: [Errno 28] No space left on device'\nexit 1\n")
    answer = clone.inv("smoke")
    assert answer.code == 2
    assert "✗ the disk is full" in answer.err
    assert {path.name for path in clone.root.iterdir()} == {"inv", "requirements"}


def test_an_environment_whose_python_is_gone_is_made_anew(clone: Clone) -> None:
    clone.inv()
    clone.calls()
    python = clone.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/removed/by/an/upgrade/python3.11")
    assert clone.inv("smoke").words == ["smoke"]
    assert clone.calls() == ["venv", "pip tool", "pip local"]
