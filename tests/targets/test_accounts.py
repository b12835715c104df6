"""Servers that root starts have accounts of their own; what is theirs is given to them whole."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from finance_report import PROJECT
from infra.model.errors import BadInput, CannotTell
from infra.model.naming import Names
from infra.targets.process import accounts, data_folders
from tests.neighbour import NEIGHBOUR, needs_root

SERVERS = ("postgres", "redis", "minio", "router")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose accounts are files of a folder beside its programs, as root sees it."""
    programs, made = tmp_path / "bin", tmp_path / "made"
    programs.mkdir()
    made.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(os, "access", lambda _path, _mode: True)
    monkeypatch.setattr(accounts, "_PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(accounts, "is_missing", lambda name: not (made / name).exists())
    return programs


def useradd(machine: Path, *lines: str) -> None:
    program = machine / "useradd"
    program.write_text("\n".join(("#!/bin/sh", f"cd {machine.parent}", "for name; do :; done", *lines, "")))
    program.chmod(0o755)


def test_each_server_has_an_account_of_its_own_and_the_application_none_yet(machine: Path) -> None:
    useradd(machine, 'touch "made/$name"')
    found = accounts.choose(PROJECT.name, PROJECT.services, {})
    assert found == accounts.Accounts({name: f"finance_report_{name}" for name in SERVERS})
    assert accounts.choose("p", PROJECT.services, {}).users["redis"] == "p_redis"


def test_an_ordinary_user_is_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert accounts.choose(PROJECT.name, PROJECT.services, {}) == accounts.Accounts({})


def test_without_a_way_to_make_them_postgres_runs_as_nobody_and_it_is_said(machine: Path) -> None:
    found = accounts.choose(PROJECT.name, PROJECT.services, {})
    assert found == accounts.Accounts({"postgres": "nobody"}, "this machine has neither useradd nor adduser")
    (machine.parent / "made/finance_report_redis").touch()
    assert accounts.choose(PROJECT.name, PROJECT.services, {}).users == {
        "postgres": "nobody",
        "redis": "finance_report_redis",
    }


@pytest.mark.parametrize("name", ["root", "not-a-user-of-this-machine"])
def test_a_wish_that_is_no_ordinary_user_is_refused_by_its_setting(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(BadInput, match=r"process/users/redis: .* is no ordinary user"):
        accounts.choose(PROJECT.name, PROJECT.services, {"redis": name})


@pytest.mark.parametrize("service", ["redsi", "app"])
def test_a_wish_for_what_is_no_server_is_refused_and_not_passed_over(service: str, machine: Path) -> None:
    useradd(machine, 'touch "made/$name"')
    with pytest.raises(BadInput, match=f"process/users/{service}: no server") as raised:
        accounts.choose(PROJECT.name, PROJECT.services, {service: "nobody"})
    assert "minio, postgres, redis, router" in raised.value.next_step


def test_accounts_that_lie_in_a_file_that_is_read_only_cannot_be_made(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    useradd(machine, "exit 1")
    monkeypatch.setattr(os, "access", lambda path, _mode: str(path) != "/etc/passwd")
    found = accounts.choose(PROJECT.name, PROJECT.services, {})
    assert found == accounts.Accounts({"postgres": "nobody"}, "/etc/passwd cannot be written")


def test_a_name_fits_a_machine_s_limit_and_stays_one_s_own() -> None:
    names = [Names(f"a_project_with_a_name_{end}").account("postgres") for end in ("one", "two")]
    assert all(len(name) <= 32 for name in names)
    assert names[0] != names[1]
    assert Names("shop").account("postgres") == "shop_postgres"


def test_who_else_is_making_accounts_is_waited_for(machine: Path) -> None:
    useradd(
        machine,
        "[ -e once ] || { touch once; echo 'cannot lock /etc/passwd' >&2; exit 1; }",
        'touch "made/$name"',
    )
    accounts.make("p_store")
    assert (machine.parent / "made/p_store").exists()
    accounts.make("p_store")


def test_an_account_that_another_command_was_faster_to_make_is_taken(machine: Path) -> None:
    useradd(machine, 'touch "made/$name"', "exit 9")
    accounts.make("p_store")


def test_what_makes_no_account_and_says_that_it_did_is_told(machine: Path) -> None:
    useradd(machine, "echo done")
    with pytest.raises(CannotTell, match="the account p_store could not be made") as raised:
        accounts.make("p_store")
    assert raised.value.evidence == ("done",)


def test_a_lock_that_stays_ends_in_words(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MADE_WITHIN", 0.0)
    useradd(machine, "echo 'cannot lock /etc/passwd' >&2; exit 1")
    with pytest.raises(CannotTell) as raised:
        accounts.make("p_store")
    assert raised.value.evidence == ("cannot lock /etc/passwd",)


@needs_root
def test_data_are_given_whole_but_for_their_marker_and_nothing_behind_a_link(tmp_path: Path) -> None:
    folder, outside = tmp_path / "data", tmp_path / "outside"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "deep/er/file").touch()
    (folder / data_folders.MARKER).touch()
    outside.touch()
    (folder / "deep/link").symlink_to(outside)
    nobody = pwd.getpwnam("nobody")
    accounts.give(folder, "nobody")
    theirs = [folder, folder / "deep", folder / "deep/er", folder / "deep/er/file", folder / "deep/link"]
    assert {path.lstat().st_uid for path in theirs} == {nobody.pw_uid}
    assert {path.lstat().st_uid for path in (folder / data_folders.MARKER, outside)} == {0}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert accounts.owner_of(folder) == "nobody"
    accounts.give(folder, "")
    assert {path.lstat().st_uid for path in theirs} == {0}


@needs_root
def test_data_that_were_given_half_way_do_not_look_as_if_they_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "file").touch()
    os.chown(folder, NEIGHBOUR, NEIGHBOUR)

    def killed(*_words: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "chown", killed)
        with pytest.raises(KeyboardInterrupt):
            accounts.give(folder, "nobody")
    assert accounts.owner_of(folder) == ""
    assert folder.stat().st_mode & 0o777 == 0o700
    accounts.give(folder, "nobody")
    assert accounts.owner_of(folder) == "nobody"
