"""The file store: private, whole at any moment, and safe with many writers."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.model.errors import Denied, NotFound, StoreError, Unwritable
from infra.model.secret import Secret
from infra.store import private_file
from infra.store.file_store import FileStore

ROOT = Path(__file__).parents[2]
PATH = "finance_report/local/app"
WRITER = """
import sys
from pathlib import Path
from infra.model.errors import CasLost, NotFound
from infra.model.secret import Secret
from infra.store.file_store import FileStore

store = FileStore(Path(sys.argv[1]), "local", Path("/checkout"))
path = "finance_report/local/app"
"""
COUNT_ALONE = """
for round in range(1_000_000):
    text = str(round) * 20_000
    print(store.put(path, {"A": Secret(text), "B": Secret(text)}), flush=True)
"""
COUNT_TOGETHER = """
done = 0
while done < 25:
    try:
        held = store.get(path)
        total, version = int(held.values["TOTAL"].reveal()), held.version
    except NotFound:
        total, version = 0, 0
    try:
        store.put(path, {"TOTAL": Secret(str(total + 1))}, cas=version)
        done += 1
    except CasLost:
        pass
"""
FILL_UP = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
store.put(path, {"A": Secret("x" * 50_000)})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "share/secrets"


@pytest.fixture
def store(folder: Path) -> FileStore:
    made = FileStore(folder, "local", folder.parents[1] / "checkout")
    made.put(PATH, {"A": Secret("kept")})
    return made


def start(script: str, folder: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", WRITER + script, str(folder)]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_reading_writes_nothing_not_even_a_folder(folder: Path) -> None:
    store = FileStore(folder, "local", folder.parent / "checkout")
    with pytest.raises(NotFound):
        store.get(PATH)
    assert store.list("finance_report") == ()
    assert not folder.parent.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folders_and_files_are_private_whatever_the_umask(folder: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = FileStore(folder, "local", folder.parents[1] / "checkout")
        store.put(PATH, {"A": Secret("1")})
        store.put("finance_report/local/_state/lease", {"A": Secret("1")})
    finally:
        os.umask(before)
    assert {one.name: one.stat().st_mode & 0o777 for one in (folder.parent, folder, *folder.iterdir())} == {
        "share": 0o700,
        "secrets": 0o700,
        "local.json": 0o600,
        "local.json.lock": 0o600,
        "local.state.json": 0o600,
        "local.state.json.lock": 0o600,
    }


def test_state_lies_beside_the_secrets_so_that_these_are_rarely_written(
    store: FileStore, folder: Path
) -> None:
    before = (folder / "local.json").stat()
    store.put("finance_report/local/_state/lease", {"A": Secret("1")})
    after = (folder / "local.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def open_to_all(folder: Path) -> None:
    folder.chmod(0o755)


def open_file(folder: Path) -> None:
    (folder / "local.json").chmod(0o640)


def link_file(folder: Path) -> None:
    shutil.move(folder / "local.json", folder / "else where")
    (folder / "local.json").symlink_to(folder / "else where")


def link_folder(folder: Path) -> None:
    shutil.move(folder, folder.parent / "it's elsewhere")
    folder.symlink_to(folder.parent / "it's elsewhere")


EXPOSURES = {
    "an open folder": open_to_all,
    "an open file": open_file,
    "a link": link_file,
    "a linked folder": link_folder,
}


@pytest.mark.parametrize("expose", EXPOSURES.values(), ids=EXPOSURES)
def test_what_others_may_reach_is_refused_until_the_printed_command_was_run(
    store: FileStore, folder: Path, expose: Callable[[Path], None]
) -> None:
    expose(folder)
    for act in (lambda: store.get(PATH), lambda: store.put(PATH, {"A": Secret("new")})):
        with pytest.raises(Denied) as refusal:
            act()
    subprocess.run(["/bin/sh", "-c", refusal.value.next_step], check=True)
    assert store.get(PATH).values["A"].reveal() == "kept"
    assert store.put(PATH, {"A": Secret("new")}) == 2


def test_another_owner_is_refused_with_the_command_that_mends_it(
    store: FileStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    with pytest.raises(Denied) as refusal:
        store.get(PATH)
    assert refusal.value.next_step == f"sudo chown {somebody} {folder}"


@pytest.mark.parametrize("way", ["straight", "through a link above"])
def test_a_folder_inside_the_checkout_is_refused(tmp_path: Path, way: str) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (tmp_path / "link").symlink_to(checkout)
    folder = (checkout if way == "straight" else tmp_path / "link") / "secrets"
    store = FileStore(folder, "local", checkout)
    for act in (lambda: store.get(PATH), lambda: store.put(PATH, {"A": Secret("1")})):
        with pytest.raises(Denied, match="checkout") as refusal:
            act()
    assert refusal.value.next_step.startswith("export XDG_DATA_HOME=")
    assert not folder.exists()


def a_repository(top: Path) -> None:
    (top / ".git").mkdir()


def a_linked_work_tree(top: Path) -> None:
    (top / ".git").write_text("gitdir: /somewhere/else/.git/worktrees/top\n", encoding="utf-8")


def a_repository_kept_elsewhere(top: Path) -> None:
    (top / ".git").symlink_to("/somewhere/else")


@pytest.mark.parametrize("make", [a_repository, a_linked_work_tree, a_repository_kept_elsewhere])
@pytest.mark.parametrize("way", ["straight", "through a link above"])
def test_a_folder_inside_any_work_tree_is_refused(
    tmp_path: Path, make: Callable[[Path], None], way: str
) -> None:
    top = tmp_path / "top"
    top.mkdir()
    make(top)
    (tmp_path / "link").symlink_to(top / "below")
    folder = top / "a/b/c" if way == "straight" else tmp_path / "link/b/c"
    store = FileStore(folder, "local", tmp_path / "ours")
    for act in (lambda: store.get(PATH), lambda: store.put(PATH, {"A": Secret("1")})):
        with pytest.raises(Denied, match=f"never kept inside of a checkout: {folder} lies in {top}"):
            act()
    assert not (top / "a").exists()


def test_a_store_that_lies_in_a_work_tree_already_is_moved_by_the_line(tmp_path: Path) -> None:
    folder = tmp_path / "top/share/project/secrets"
    store = FileStore(folder / "0123abcd", "local", tmp_path / "ours")
    store.put(PATH, {"A": Secret("1")})
    a_repository(tmp_path / "top")
    with pytest.raises(Denied) as refusal:
        store.get(PATH)
    subprocess.run(
        ["sh", "-c", refusal.value.next_step],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    moved = FileStore(tmp_path / ".local/share/project/secrets/0123abcd", "local", tmp_path / "ours")
    assert moved.get(PATH).values["A"].reveal() == "1"


def test_a_home_that_is_a_work_tree_hears_how_it_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its repository stays as it is under another name: nothing that git looks for by itself."""
    monkeypatch.setenv("HOME", str(tmp_path))
    a_repository(tmp_path)
    store = FileStore(tmp_path / ".local/share/p/secrets/c", "local", tmp_path / "ours")
    with pytest.raises(Denied, match="your home, which is a git work tree") as refusal:
        store.get(PATH)
    line = refusal.value.next_step
    subprocess.run(["sh", "-c", line], env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True)
    assert store.list("a") == ()
    assert (tmp_path / ".home.git").is_dir()


DAMAGED = {
    "empty": "",
    "half": '{"format": 1, "entries": {"finance_report/local/app": {"current": 1, "ver',
    "a list": "[]",
    "a newer format": '{"format": 2, "entries": {}}',
    "no versions": '{"format": 1, "entries": {"finance_report/local/app": {"current": 1}}}',
    "no entry": '{"format": 1, "entries": {"finance_report/local/app": "kept"}}',
    "a version without values": json.dumps(
        {
            "format": 1,
            "entries": {PATH: {"current": 1, "versions": {"1": {"created": "2026-01-02T03:04:05+00:00"}}}},
        }
    ),
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_an_error_and_is_never_written_over(
    store: FileStore, folder: Path, content: str | bytes
) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / "local.json").write_bytes(raw)
    for act in (lambda: store.get(PATH), lambda: store.put(PATH, {"A": Secret("new")})):
        with pytest.raises(StoreError) as raised:
            act()
        assert not isinstance(raised.value, LookupError)
        assert raised.value.__cause__ is None
    assert (folder / "local.json").read_bytes() == raw


@pytest.mark.parametrize("kind", ["folder", "named pipe"])
def test_something_else_in_the_place_of_the_file_is_an_error(
    store: FileStore, folder: Path, kind: str
) -> None:
    (folder / "local.json").unlink()
    (folder / "local.json").mkdir(0o700) if kind == "folder" else os.mkfifo(folder / "local.json", 0o600)
    with pytest.raises((Denied, StoreError)) as raised:
        store.get(PATH)
    assert not isinstance(raised.value, LookupError)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_or_read_only_disk_is_said_and_the_old_file_stays(
    store: FileStore, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match=r"full|read-only") as raised:
        store.put(PATH, {"A": Secret("new")})
    assert raised.value.next_step.startswith("df -h")
    assert store.get(PATH).values["A"].reveal() == "kept"
    assert not (folder / "local.json.new").exists()


def test_a_write_that_the_system_cuts_off_leaves_the_old_file(store: FileStore, folder: Path) -> None:
    _, said = start(FILL_UP, folder).communicate(timeout=30)
    assert "Unwritable: the disk is full" in said
    assert store.get(PATH).values["A"].reveal() == "kept"
    assert not (folder / "local.json.new").exists()


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_file(store: FileStore, folder: Path) -> None:
    for _ in range(12):
        with start(COUNT_ALONE, folder) as writer:
            assert writer.stdout is not None
            confirmed = int(writer.stdout.readline())
            end = time.monotonic() + random.uniform(0, 0.03)  # noqa: S311 - a moment, no secret
            while time.monotonic() < end:
                pass
            os.kill(writer.pid, signal.SIGKILL)
            confirmed = max(confirmed, *map(int, writer.stdout.read().split()), 0)
        held = store.get(PATH)
        assert held.version in {confirmed, confirmed + 1}
        assert held.values["A"] == held.values["B"]
        assert store.put(PATH, {"A": Secret("next")}) == held.version + 1


def test_many_processes_with_check_and_set_lose_no_update(folder: Path) -> None:
    writers = [start(COUNT_TOGETHER, folder) for _ in range(4)]
    assert [writer.communicate(timeout=60)[1] for writer in writers] == [""] * 4
    store = FileStore(folder, "local", folder.parent / "checkout")
    assert store.get(PATH).values["TOTAL"].reveal() == "100"
    assert store.get(PATH).version == 100


def test_the_store_imports_nothing_heavy() -> None:
    script = """
import sys
import infra.store.file_store, infra.store.keys, infra.store.ledger, infra.store.leases, infra.model.redaction
print(*sorted({"psutil", "pydantic", "yaml", "hvac", "invoke", "rich"} & set(sys.modules)))
"""
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == []


def test_on_a_full_disk_what_gets_shorter_is_written_over_and_what_grows_is_refused(
    store: FileStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "local.json.new")

    store.put("finance_report/local/redis", {"A": Secret("another")})
    monkeypatch.setattr(private_file, "_write_through", full)
    before = (folder / "local.json").read_bytes()
    with pytest.raises(Unwritable, match="the disk is full"):
        store.put(PATH, {"A": Secret("kept"), "B": Secret("more")})
    assert (folder / "local.json").read_bytes() == before
    store.purge("finance_report/local/redis")
    after = (folder / "local.json").read_bytes()
    assert (len(after), b"another" in after) == (len(before), False)
    assert store.get(PATH).values["A"] == Secret("kept")
    assert store.list("finance_report/local") == ("app",)
