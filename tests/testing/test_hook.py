"""The pre-push hook in real repositories, with real pushes: it never delays one, and keeps what was there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import finance_report
from infra import hooks
from infra.console import Console
from infra.invocation import Command
from infra.model.errors import CannotTell, InfraError, MissingProgram
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from tasks.root import ROOT
from tests.waiting import until

pytestmark = pytest.mark.needs("git")

SAID = "finance_report: test databases are cleaned up in the background"
FORMER = "pre-push.before-finance_report"


class Ground:
    """An application's repository with a remote, and a checkout of ours beside it whose inv is a stand-in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.app, self.root = folder, folder / "an app", folder / "our's"
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.git(folder, "init", "-q", "--bare", "remote")
        self.git(folder, "init", "-q", "-b", "main", str(self.app))
        self.git(self.app, "remote", "add", "origin", str(folder / "remote"))
        self.commit(self.app)
        self.place(self.root)

    def place(self, root: Path) -> None:
        root.mkdir()
        shutil.copytree(ROOT / "templates/hooks", root / "templates/hooks")
        (root / "invoke.yaml").write_text(f'app: {{source: "{self.app}"}}\n', encoding="utf-8")
        done = self.folder / "done"
        self.script(
            root / "inv", f'echo "$* in $PWD ${{GIT_DIR-}}"; while [ ! -e "{done}" ]; do sleep 0.02; done'
        )

    def git(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a"}
        return subprocess.run(
            ["git", "-C", str(folder), *words],
            env={**self.variables, **names, "GIT_COMMITTER_EMAIL": "a@b"},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    def commit(self, folder: Path) -> None:
        assert self.git(folder, "commit", "-q", "--allow-empty", "-m", "more").returncode == 0

    def push(self, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        self.commit(folder or self.app)
        return self.git(folder or self.app, "push", "origin", "HEAD:refs/heads/it")

    def script(self, file: Path, text: str, shebang: str = "#!/bin/sh") -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{shebang}\n{text}\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    def command(self, root: Path | None = None) -> Command:
        redactor = Redactor()
        outcome = Outcome("hooks.install", "")
        return Command(outcome, Console(redactor), redactor, root or self.root, dict(self.variables))

    def install(self, root: Path | None = None) -> Outcome:
        this = self.command(root)
        hooks.install(this, finance_report.PROJECT)
        return this.outcome

    def uninstall(self) -> Outcome:
        this = self.command()
        hooks.uninstall(this, finance_report.PROJECT)
        return this.outcome

    @property
    def hooks(self) -> Path:
        return self.app / ".git/hooks"

    @property
    def log(self) -> Path:
        return self.folder / "cache/finance_report/pre-push.log"

    def is_pushed(self) -> bool:
        heads = [self.git(place, "rev-parse", ref).stdout for place, ref in self.refs]
        return heads[0] == heads[1]

    @property
    def refs(self) -> tuple[tuple[Path, str], ...]:
        return (self.app, "HEAD"), (self.folder / "remote", "refs/heads/it")

    def until_started(self) -> str:
        until(lambda: self.log.exists() and self.log.read_text())
        return self.log.read_text()


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    yield made
    (tmp_path / "done").touch()


def test_a_push_starts_the_clean_up_and_does_not_wait_for_it(ground: Ground) -> None:
    ground.install()
    done = ground.push()
    assert done.returncode == 0, done.stderr
    assert ground.is_pushed(), "while the clean-up still runs"
    assert [line for line in done.stderr.splitlines() if line.startswith("finance_report")] == [
        f"{SAID}, see {ground.log}"
    ]
    assert ground.until_started().split(" in ")[0] == "cleanup.dbs"


def test_installing_twice_changes_nothing_and_uninstalling_restores_what_was_there(ground: Ground) -> None:
    former = ground.script(ground.hooks / "pre-push", "exit 0")
    before = {file.name: file.read_bytes() for file in ground.hooks.iterdir()}
    assert ground.install().changes
    after = {file.name: file.read_bytes() for file in ground.hooks.iterdir()}
    again = ground.install()
    assert (again.outcome, again.changes) == ("nothing to do", [])
    assert {file.name: file.read_bytes() for file in ground.hooks.iterdir()} == after
    ground.uninstall()
    assert {file.name: file.read_bytes() for file in ground.hooks.iterdir()} == before
    assert os.access(former, os.X_OK)
    assert ground.uninstall().outcome == "nothing to do"
    assert {file.name: file.read_bytes() for file in ground.hooks.iterdir()} == before


FORMERS = {
    "a shell script that looks at its name": (
        "#!/bin/sh",
        'cat > "{out}"; basename "$0" >> "{out}"; echo "$1" >> "{out}"',
    ),
    "one that env finds, with its helper beside it": (
        "#!/usr/bin/env sh",
        '. "${{0%/*}}/helper"; cat > "{out}"; basename "$0" >> "{out}"; echo "$1" >> "{out}"',
    ),
    "another program": (
        "#!/usr/bin/env python3",
        "import sys; open('{out}', 'w').write(sys.stdin.read() + 'pre-push\\n' + sys.argv[1] + '\\n')",
    ),
}


@pytest.mark.parametrize(("shebang", "text"), FORMERS.values(), ids=FORMERS)
def test_a_former_hook_runs_first_with_the_same_input_and_arguments(
    ground: Ground, shebang: str, text: str
) -> None:
    out = ground.folder / "out"
    ground.script(ground.hooks / "helper", "true")
    ground.script(ground.hooks / "pre-push", text.format(out=out), shebang)
    ground.install()
    done = ground.push()
    assert done.returncode == 0, done.stderr
    told = out.read_text().splitlines()
    head = ground.git(ground.app, "rev-parse", "HEAD").stdout.strip()
    assert told[0].split()[:2] == ["HEAD", head]
    assert told[1:] == ["pre-push", "origin"]


@pytest.mark.parametrize("shebang", ["#!/bin/sh", "#!/usr/bin/env python3"])
def test_a_former_hook_that_says_no_still_says_no(ground: Ground, shebang: str) -> None:
    ground.script(ground.hooks / "pre-push", "exit(7)" if "python" in shebang else "exit 7", shebang)
    ground.install()
    done = ground.push()
    assert done.returncode != 0
    assert SAID not in done.stderr
    assert not ground.is_pushed()


def test_a_former_hook_that_git_would_not_run_is_not_run(ground: Ground) -> None:
    ground.script(ground.hooks / "pre-push", "exit 7").chmod(0o644)
    ground.install()
    assert ground.push().returncode == 0
    assert not os.access(ground.hooks / FORMER, os.X_OK)


def test_a_clean_up_that_fails_or_is_not_there_fails_no_push(ground: Ground) -> None:
    ground.install()
    ground.script(ground.root / "inv", "exit 1")
    assert ground.push().returncode == 0
    (ground.root / "inv").unlink()
    done = ground.push()
    assert done.returncode == 0
    assert "are not cleaned up" in done.stderr


def test_the_hook_goes_where_git_looks_for_it(ground: Ground) -> None:
    ground.git(ground.app, "config", "core.hooksPath", ".own hooks")
    ground.script(ground.hooks / "pre-push", "exit 7")
    assert ground.install().facts["hook"] == str(ground.app / ".own hooks/pre-push")
    assert ground.push().returncode == 0
    ground.until_started()
    ground.uninstall()
    assert list((ground.app / ".own hooks").iterdir()) == []


def test_a_push_from_a_linked_work_tree_cleans_up_with_its_own_copy_of_us(ground: Ground) -> None:
    """Where our checkout lies inside the application's, as a submodule does."""
    linked = ground.folder / "linked"
    inside = ground.app / "repo"
    ground.place(inside)
    ground.git(ground.app, "worktree", "add", "-q", str(linked))
    ground.place(linked / "repo")
    ground.install(inside)
    done = ground.push(linked)
    assert done.returncode == 0, done.stderr
    assert ground.until_started() == f"cleanup.dbs in {linked} \n"


def test_two_foreign_hooks_are_refused_and_no_repository_is_said(ground: Ground) -> None:
    ground.script(ground.hooks / "pre-push", "exit 0")
    ground.script(ground.hooks / FORMER, "exit 0")
    with pytest.raises(InfraError, match="not ours"):
        ground.install()
    shutil.rmtree(ground.app / ".git")
    with pytest.raises(CannotTell, match="no git repository") as refused:
        ground.install()
    assert refused.value.next_step == f"git -C {ground.app} init"


def test_without_git_it_says_how_to_get_it(ground: Ground) -> None:
    ground.variables["PATH"] = str(ground.folder)
    with pytest.raises(MissingProgram, match="git is not on PATH") as missing:
        ground.install()
    assert "apt-get install git" in missing.value.next_step


def test_a_repository_of_somebody_else_is_refused_in_gits_own_words(ground: Ground) -> None:
    ground.variables["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1"
    refused = ground.git(ground.app, "rev-parse")
    stand_in = ground.script(ground.folder / "git", f"cat >&2 <<'END'\n{refused.stderr}END\nexit 128")
    ground.variables["PATH"] = f"{stand_in.parent}:{ground.variables['PATH']}"
    with pytest.raises(CannotTell, match="another user owns it") as untrusted:
        ground.install()
    assert untrusted.value.next_step == f"git config --global --add safe.directory {ground.app}"
    assert "dubious ownership" in untrusted.value.evidence[0]


@pytest.mark.parametrize("umask", [0o000, 0o077], ids="{:03o}".format)
def test_the_hook_is_a_program_that_nobody_else_can_write(ground: Ground, umask: int) -> None:
    before = os.umask(umask)
    try:
        ground.install()
        assert ground.push().returncode == 0
    finally:
        os.umask(before)
    ground.until_started()
    places = (ground.hooks / "pre-push", ground.log.parent, ground.log)
    assert [place.stat().st_mode & 0o777 for place in places] == [0o755, 0o700, 0o600]
