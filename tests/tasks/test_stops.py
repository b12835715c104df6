"""Commands that only stop, free or remove: where nothing is, and where nothing can be written."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.model.lease import Lease
from infra.model.secret import Secret
from infra.store import leases, owner
from infra.store.file_store import FileStore
from infra.store.proof_key import ProofKey
from tests.proven import marks_of, variables_of
from tests.real.conftest import Checkout, Done

LEASE = "finance_report/local/_state/lease"
READS = (
    ["finance_report.status"],
    ["finance_report.plan"],
    ["finance_report.app.logs"],
    ["finance_report.app.history"],
    ["lock.status"],
)
STOPS = (
    ["finance_report.down"],
    ["finance_report.destroy"],
    ["dev.down"],
    ["cleanup.dev", "--all"],
    ["lock.release", "--reason", "a test"],
)
SLEEPS = [sys.executable, "-I", "-c", "import time; time.sleep(600)"]


class Clone(Checkout):
    """A fresh clone with folders of its own, and marked processes that stand in for its units."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "states").mkdir()
        for one in (folder, folder / "states"):
            one.chmod(0o755)
        self.strangers: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "XDG_STATE_HOME": str(self.folder / "states")}

    @property
    def home_of_state(self) -> Path:
        return self.folder / "states/finance_report" / super().home_of_state.name

    @property
    def share(self) -> Path:
        return self.folder / "share/finance_report/secrets" / self.home_of_state.name

    @property
    def store(self) -> FileStore:
        return FileStore(self.share, "local", self.root)

    def listing(self) -> list[str]:
        """Give every path below the folders of state, data, cache and memory."""
        roots = [self.folder / name for name in ("states", "share", "cache")]
        return sorted(str(path) for root in [*roots, self.memory] for path in [root, *root.rglob("*")])

    @property
    def key(self) -> ProofKey:
        return ProofKey(self.folder / "share/finance_report/proof.key")

    def unit(
        self, name: str = "redis", checkout: str = "", env: str = "local", *, proves: bool = True
    ) -> subprocess.Popen[bytes]:
        """Start what stands in for a unit; its folder is not there."""
        mine = checkout or self.home_of_state.name
        marks = variables_of(marks_of(mine, env, self.key), name)
        marks |= {} if proves else {"INFRA_PROOF": "f" * 64}
        home = self.home_of_state.with_name(mine) / env
        child = subprocess.Popen(SLEEPS, env={**os.environ, **marks, "HOME": str(home)})
        self.strangers.append(child)
        return child

    def on_a_full_disk(self, *words: str) -> Done:
        """Run a command that can write no byte into any file."""
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def clone() -> Iterator[Clone]:
    made = Clone(Path(tempfile.mkdtemp(prefix="clone-")))
    yield made
    for one in made.strangers:
        one.kill()
        one.wait()
    made.remove()


def test_where_nothing_is_every_command_says_so_and_leaves_nothing_behind(clone: Clone) -> None:
    first = clone.run(*READS[0])
    assert first.code == 1, first.err
    before = clone.listing()
    assert not [path for path in map(Path, before) if path.is_dir() and not any(path.iterdir())][1:], before
    said = ""
    for words in (*READS, *STOPS):
        done = clone.run(*words)
        assert done.code == {"finance_report.status": 1, "finance_report.plan": 3}.get(words[0], 0), done.err
        assert clone.listing() == before, words
        said += done.err
    assert "fault of this tool" not in said
    assert "nothing was running" in said
    assert "there is nothing of local here" in said


def test_a_marked_unit_is_stopped_without_a_supervisor_and_without_a_state(clone: Clone) -> None:
    unit = clone.unit()
    done = clone.run("finance_report.down", "--json")
    assert (done.code, done.json["changes"]) == (0, ["stop redis"]), done.err
    assert unit.wait(5) is not None
    assert not clone.home_of_state.exists()


def test_what_lost_its_folder_is_shown_whosever_it_is_and_ended_with_all_alone(clone: Clone) -> None:
    others = clone.unit("postgres", checkout="0badcafe", env="staging")
    rehearsal = clone.unit("router", env="staging")
    leaking = clone.run("leaks.check", "--verbose", "--json")
    assert leaking.code == 1
    for one, name in ((others, "postgres"), (rehearsal, "router")):
        assert f"the lost {name} of staging (pid {one.pid})" in leaking.err
    assert "→ ./inv cleanup.dev --all --dry-run" in leaking.err
    kept = clone.run("cleanup.dev", "--json").json
    assert {one["why"] for one in kept["facts"]["items"]} == {"ended with --all"}
    assert (others.poll(), rehearsal.poll()) == (None, None)
    done = clone.run("cleanup.dev", "--all", "--yes", "--json")
    assert (done.code, done.json["facts"]["removed"]) == (0, 2), done.err
    assert None not in (others.wait(5), rehearsal.wait(5))
    assert clone.run("leaks.check").code == 0


def test_what_only_bears_our_marks_is_told_and_ended_by_who_asks_for_it_alone(clone: Clone) -> None:
    doubted = clone.unit(proves=False)
    line = f"redis (pid {doubted.pid}) with our marks and no proof"
    status = clone.run("finance_report.status")
    assert f"pid {doubted.pid} with our marks and no proof is not taken for it" in status.out
    assert "→ ./inv finance_report.down" in status.err
    plan = clone.run("finance_report.plan")
    assert (plan.code, f"left behind: {line}" in plan.err) == (3, True), plan.err
    assert "stop unit" not in plan.err
    assert f"(pid {doubted.pid}) with our marks and no proof" in clone.run("leaks.check", "--verbose").out
    assert "with our marks and no proof" in clone.run("doctor").out
    (kept,) = clone.run("cleanup.dev", "--json").json["facts"]["items"]
    assert (kept["verdict"], kept["why"]) == ("kept", "it has our marks and no proof: ended with --all")
    setup = clone.run("finance_report.redis.setup", "--json")
    (refused,) = setup.json["errors"]
    assert (setup.code, refused["kind"]) == (1, "refused")
    assert "may work on the data of redis: it is neither taken for ours nor ended" in refused["message"]
    assert refused["next"] == "./inv finance_report.down"
    assert clone.run("dev.down").code == 0
    assert doubted.poll() is None


ENDS = (["finance_report.down"], ["finance_report.destroy", "--yes"], ["cleanup.dev", "--all", "--yes"])


@pytest.mark.parametrize("words", ENDS, ids=lambda words: words[0])
def test_what_only_bears_our_marks_is_ended_where_a_person_ends_all(clone: Clone, words: list[str]) -> None:
    doubted = clone.unit(proves=False)
    done = clone.run(*words, "--json")
    assert doubted.wait(5) is not None
    assert done.code == 0, done.err
    assert f"redis (pid {doubted.pid})" in done.err
    assert [one for one in done.json["changes"] if f"redis (pid {doubted.pid})" in one], done.json["changes"]


def test_a_loss_of_the_key_is_no_dead_end(clone: Clone) -> None:
    unit = clone.unit()
    (clone.folder / "share/finance_report/proof.key").unlink()
    assert "with our marks and no proof" in clone.run("finance_report.plan").err
    assert unit.poll() is None
    assert clone.run("finance_report.down").code == 0
    assert unit.wait(5) is not None


def hold(clone: Clone, lease: Lease) -> None:
    leases.acquire(clone.store, LEASE, lease, lambda: datetime.now(UTC))


def dead() -> Lease:
    return replace(owner.this_process("somebody", "a-run", "setup"), pid=999_999_999)


@pytest.mark.parametrize("words", [["finance_report.down"], ["finance_report.destroy", "--yes"]])
def test_on_a_full_disk_what_runs_is_stopped_and_what_was_not_written_is_said(
    clone: Clone, words: list[str]
) -> None:
    hold(clone, dead())
    (clone.state / "data/redis").mkdir(parents=True)
    unit = clone.unit()
    done = clone.on_a_full_disk(*words, "--json")
    assert unit.wait(5) is not None
    assert done.code == 4, done.err
    assert done.json["outcome"] == ("stopped" if words[0].endswith("down") else "destroyed")
    (error,) = done.json["errors"]
    assert error["kind"] == "not_cleaned"
    assert error["evidence"][0].startswith("the lease, which nobody holds: the disk is full")
    assert clone.state.exists() == words[0].endswith("down")


def test_on_a_full_disk_a_lease_that_somebody_holds_is_still_respected(clone: Clone) -> None:
    hold(clone, owner.this_process("somebody", "a-run", "setup"))
    unit = clone.unit()
    for words in (["finance_report.down"], ["finance_report.destroy", "--yes"]):
        done = clone.on_a_full_disk(*words)
        assert (done.code, "is being deployed by somebody" in done.err) == (2, True), done.err
    assert unit.poll() is None


def test_on_a_full_disk_cleanup_ends_what_nobody_owns(clone: Clone) -> None:
    unit = clone.unit()
    done = clone.on_a_full_disk("cleanup.dev", "--json")
    assert unit.wait(5) is not None
    assert (done.code, done.json["changes"]) == (4, [f"remove redis (pid {unit.pid})"]), done.err
    assert "the lease, which nobody holds" in done.json["errors"][0]["evidence"][0]


@pytest.fixture
def full_share(clone: Clone) -> Iterator[Clone]:
    """A clone whose store lies on a disk without a byte left; it holds a living lease and a secret."""
    share = clone.folder / "share"
    share.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(share)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only who may mount a small disk can fill one: run the tests as root")
    share.chmod(0o700)
    try:
        clone.key.make()
        clone.store.put("finance_report/local/redis", {"PASSWORD": Secret("a-password-of-a-test")})
        hold(clone, owner.this_process("somebody", "a-run", "setup"))
        with (share / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(b"x" * 4096):
                pass
        yield clone
    finally:
        subprocess.run(["umount", str(share)], check=True)


def test_on_a_disk_that_is_really_full_a_lease_is_freed_and_secrets_go(full_share: Clone) -> None:
    freed = full_share.run("lock.release", "--reason", "a test")
    assert freed.code == 0, freed.err
    assert leases.standing(full_share.store, LEASE) is None
    unit = full_share.unit()
    done = full_share.run("finance_report.destroy", "--yes", "--json")
    assert unit.wait(5) is not None
    assert (done.code, done.json["outcome"]) == (4, "destroyed"), done.err
    assert [line.partition(":")[0] for line in done.json["errors"][0]["evidence"]] == [
        "the lease, which nobody holds"
    ]
    assert full_share.store.list("finance_report/local") == ("_state/",)
    assert "a-password-of-a-test" not in (full_share.share / "local.json").read_text(encoding="utf-8")
