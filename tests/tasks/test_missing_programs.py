"""This repository's own tests where a program is missing: a person's are skipped and told, CI's fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from infra import e2e
from infra.targets import compose_cli
from tests import needs
from tests.needs import PROGRAMS, ROOT, line, require

# What each program is called on PATH; Vault is built where there is Go.
ON_PATH = {
    **{name: (name,) for name in ("bash", "busybox", "dash", "git", "openssl", "unshare")},
    "docker compose": ("docker", "docker-compose"),
    "vault": ("vault", "bao", "go"),
    "bao": ("bao",),
}
ALONG = {"vault": ("bao",), "git": ("history",)}
HIDE = """
from pathlib import Path
from infra import e2e
from infra.targets import compose_cli
from tests import needs

e2e.BROWSER = Path("/nowhere/chromium")
compose_cli.PLUGINS = ()
needs.SYSTEM_PYTHON = "/bin/false"
"""
# One of the real tests for each program: none of them starts anything where its program is missing.
REAL = {
    "bash": "tests/completion/test_completion.py::test_flags_of_a_task_are_completed",
    "busybox": "tests/bootstrap/test_first_use.py::test_every_posix_shell_runs_it[busybox]",
    "dash": "tests/model/test_dotenv.py::test_a_shell_reads_the_same_bytes_as_the_parser[dash]",
    "git": "tests/testing/test_hook.py::test_the_hook_goes_where_git_looks_for_it",
    "history": "tests/real/test_before.py"
    "::test_what_the_version_before_left_is_adopted_and_can_be_taken_back_and_ended",
    "openssl": "tests/verify/test_http.py::test_a_self_signed_certificate_is_tls",
    "chromium": "tests/real/test_ci_check.py"
    "::test_the_browser_tests_run_against_an_address_and_say_what_is_missing",
    "docker compose": "tests/real/test_compose_program.py"
    "::test_the_compose_program_tells_what_is_wrong_with_a_text",
    "unshare": "tests/real/test_loopback.py"
    "::test_a_neighbour_on_ipv6_hears_nothing_where_localhost_means_them_first",
    "vault": "tests/real/test_vault_store.py::test_listing_the_data_path_is_a_clear_error",
    "bao": "tests/store/test_contract.py::TestStore::test_what_is_written_is_read_by_every_client[openbao]",
}
ANOTHER = "tests/accept/test_accept_checks.py::test_a_commit_beside_the_branch_is_not_attached"  # of git


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder on PATH, on a machine that has a stand-in for every program and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for names in ON_PATH.values():
        for name in names:
            (folder / name).write_text("#!/bin/sh\necho 2.40.3\n", encoding="utf-8")
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(e2e, "BROWSER", Path("/bin/sh"))
    monkeypatch.setattr(e2e, "_has_own_browser", lambda *_: False)
    monkeypatch.setattr(compose_cli, "PLUGINS", ())
    monkeypatch.setattr(needs, "SYSTEM_PYTHON", "/bin/true")
    monkeypatch.setattr(needs, "is_here", lambda name: bool(PROGRAMS[name].is_here()))
    return folder


def hide(name: str, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ON_PATH.get(name, ()):
        (machine / program).unlink()
    if name == "chromium":
        monkeypatch.setattr(e2e, "BROWSER", machine / "chromium")
    if name == "history":
        (machine / "git").write_text("#!/bin/sh\nexit 128\n", encoding="utf-8")
    if name == "python3-venv":
        monkeypatch.setattr(os, "getuid", lambda: 0)
        monkeypatch.setattr(needs, "SYSTEM_PYTHON", "/bin/false")


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_that_is_missing_is_told_in_a_line_and_tests_of_others_go_on(
    machine: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for each in PROGRAMS:
        require(each)
    hide(name, machine, monkeypatch)
    ends = {"": pytest.skip.Exception, "true": pytest.fail.Exception}
    for ci, end in ends.items():
        monkeypatch.setenv("CI", ci)
        with pytest.raises(tuple(ends.values())) as ended:
            require(name)
        assert ended.type is (ends[""] if PROGRAMS[name].optional else end)
        assert str(ended.value).splitlines() == [line(name)]
    for each in PROGRAMS.keys() - {name, *ALONG.get(name, ())}:
        require(each)


@pytest.mark.parametrize("ci", ["", "true"])
def test_where_all_are_missing_a_persons_run_is_green_and_sums_them_up_and_that_of_ci_is_red(
    tmp_path: Path, ci: str
) -> None:
    (tmp_path / "hide.py").write_text(HIDE, encoding="utf-8")
    nothing = {
        "PATH": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
        "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "hide",
            "-p",
            "no:cacheprovider",
            "-q",
            *REAL.values(),
            ANOTHER,
        ],
        cwd=ROOT,
        env={**nothing, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path), "CI": ci, "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    summed = re.findall(r"^(\d+) skipped: (.*)$", done.stdout, re.MULTILINE)
    failed = Counter(re.findall(r"^(?:FAILED|ERROR) .* - Failed: (.*)$", done.stdout, re.MULTILINE))
    wanted = Counter(map(line, (*REAL, "git")))
    optional = {line(name) for name in REAL if PROGRAMS[name].optional}
    if ci:
        assert (done.returncode, {text for _, text in summed}) == (1, optional), done.stdout
        assert failed == {text: count for text, count in wanted.items() if text not in optional}
    else:
        assert (done.returncode, failed) == (0, {}), done.stdout
        assert summed == [(str(count), text) for text, count in sorted(wanted.items())], done.stdout
