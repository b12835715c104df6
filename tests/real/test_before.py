"""What the version before left is adopted: units, data, secrets and records, and what it left half done."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.needs import THE_VERSION_BEFORE
from tests.real.conftest import PARTS, ROOT, Checkout, Done, kill
from tests.real.kept import change, stored
from tests.real.test_kill import kill_at
from tests.real.test_object_store import CONTENT, FILE, LOGIN, ask
from tests.real.vault_rehearsal import watch_for_a_second
from tests.waiting import until

pytestmark = [pytest.mark.real, pytest.mark.needs("history")]
LOCAL: tuple[str, ...] = ()
REHEARSAL = ("--env", "staging", "--target", "process")
SQL = ("finance_report.postgres.shell",)
SERVICES = ("postgres", "redis", "app")
ADDRESSES = {"DATABASE_URL", "REDIS_URL", "S3_ENDPOINT"}  # the version before calls loopback localhost
LOGIN_KEYS = {"S3_ACCESS_KEY": "APP_USER", "S3_SECRET_KEY": "APP_PASSWORD"}  # it had the object store's own
# The first Pythons 3.11 know no filter.
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
NEVER_SAID = ("a fault of this tool", "Traceback", "another hand")


@dataclass(frozen=True, slots=True)
class Before:
    """What the version before left: ids of deploys, values in the store, the pid of each unit."""

    deploys: dict[tuple[str, ...], str]
    values: dict[str, dict[str, str]]
    pids: dict[str, int]


def test_what_the_version_before_left_is_adopted_and_can_be_taken_back_and_ended(checkout: Checkout) -> None:
    old = _tree_of(THE_VERSION_BEFORE)
    for part in PARTS:
        (checkout.root / part).rename(checkout.folder / part)
    old.extractall(checkout.root, **SAFELY)  # noqa: S202  # of our own history
    watch_for_a_second(checkout)
    before = _left_by_the_version_before(checkout)
    for part in PARTS:  # in its place, as a `git pull` does
        _remove(checkout.root / part)
        (checkout.folder / part).rename(checkout.root / part)
    watch_for_a_second(checkout)
    _it_is_told_as_it_is(checkout)
    _setup_adopts_it(checkout, before)
    _its_records_are_known_and_one_can_be_gone_back_to(checkout, before)
    _its_rehearsal_without_a_supervisor_is_ended_with_a_word(checkout, before)
    _all_of_it_ends(checkout)


def _left_by_the_version_before(checkout: Checkout) -> Before:
    """Two environments that run, a command that was killed with the lease, and a rehearsal's supervisor."""
    deploys = {words: checkout.setup("--json", *words).json["deploy_id"] for words in (LOCAL, REHEARSAL)}
    _run(checkout, *SQL, stdin="CREATE TABLE kept AS SELECT 42 AS answer;\n")
    cookie = ask(checkout, "/api/register", LOGIN)[2]
    assert ask(checkout, FILE, CONTENT, cookie)[0] == 201
    kill_at(checkout.popen("finance_report.app.setup", "--force"), " apply ")
    until(lambda: (checkout.get("/api/health")[0], checkout.get("/")[0]) == (200, 200))
    _kill_supervisor(checkout, "staging")
    values = _values(checkout, "local")
    port = checkout.ports["postgres"]
    change(checkout, "app", "DATABASE_URL", values["app"]["DATABASE_URL"].replace(f":{port}/", ":5999/"))
    return Before(deploys, values, _pids(checkout, "local"))


def _it_is_told_as_it_is(checkout: Checkout) -> None:
    status = _run(checkout, "finance_report.status")
    assert {line.split()[0] for line in status.out.splitlines()} == {"OK"}, status.out
    assert "was killed" in status.err
    audit = _run(checkout, "vault.check", "--json", code=1).json["facts"]["rows"]
    rewritten = ", ".join(sorted(ADDRESSES | LOGIN_KEYS.keys()))
    assert [row["detail"] for row in audit if row["number"] == 4 and row["state"] == "fail"] == [
        f"not what follows from the others now, setup rewrites it: {rewritten}"
    ]
    plan = _run(checkout, "finance_report.app.plan", code=3).err
    host, port = "its host is 127.0.0.1", checkout.ports["postgres"]
    assert f"rewrite derived app DATABASE_URL: {host} and its port is {port} now" in plan
    assert f"rewrite derived app REDIS_URL: {host} now" in plan
    assert "start supervisor supervisor: it runs an older version of this code" in plan


def _setup_adopts_it(checkout: Checkout, before: Before) -> None:
    done = _run(checkout, "finance_report.setup", "--json").json
    restarted = _restarted(done["changes"])
    after = _pids(checkout, "local")
    assert {name for name in after if after[name] != before.pids[name]} == restarted
    assert set(after) == set(before.pids)
    assert _values(checkout, "local") == _as_now(checkout, "local", before.values)
    assert _run(checkout, "finance_report.setup", "--json").json["outcome"] == "nothing to do"
    cookie = ask(checkout, "/api/login", LOGIN)[2]
    assert ask(checkout, FILE, cookie=cookie)[:2] == (200, CONTENT)


def _its_records_are_known_and_one_can_be_gone_back_to(checkout: Checkout, before: Before) -> None:
    records = _run(checkout, "finance_report.app.history", "--json").json["facts"]["records"]
    verdicts = {one["deploy"]: one["verdict"] for one in records}
    first = before.deploys[LOCAL]
    assert verdicts[first] == "ok"
    assert sorted(verdicts.values()) == ["interrupted", "ok", "ok"]
    _run(checkout, "finance_report.app.rollback", "--to", first)
    assert checkout.health["status"] == "healthy"
    backend = psutil.Process(_pids(checkout, "local")["backend"])
    assert backend.environ()["PUBLIC_URL"] == checkout.url
    assert "42" in _run(checkout, *SQL, stdin="SELECT answer FROM kept;\n").out


def _its_rehearsal_without_a_supervisor_is_ended_with_a_word(checkout: Checkout, before: Before) -> None:
    """The version before proved nothing: who started its units can be told while their supervisor lives."""
    pids, values = _pids(checkout, "staging"), _values(checkout, "staging")
    status = _run(checkout, "finance_report.status", *REHEARSAL, code=1)
    assert f"pid {pids['postgres']} with our marks and no proof is not taken for it" in status.out
    (refused,) = _run(checkout, "finance_report.setup", "--json", *REHEARSAL, code=1).json["errors"]
    assert _pids(checkout, "staging") == pids
    assert refused["next"] == "./inv finance_report.down --env staging --target process"
    _run(checkout, *refused["next"].split()[1:])
    assert _pids(checkout, "staging") == {}
    _run(checkout, "finance_report.setup", *REHEARSAL)
    assert _values(checkout, "staging") == _as_now(checkout, "staging", values)
    records = _run(checkout, "finance_report.app.history", "--json", *REHEARSAL).json["facts"]["records"]
    assert before.deploys[REHEARSAL] in {one["deploy"] for one in records if one["rehearsal"]}


def _all_of_it_ends(checkout: Checkout) -> None:
    _run(checkout, "finance_report.destroy", "--yes", *REHEARSAL)
    _run(checkout, "finance_report.down")
    assert (checkout.processes(), checkout.supervisors()) == ({}, [])
    _run(checkout, "finance_report.destroy", "--yes")
    assert not checkout.state.exists()


def _run(checkout: Checkout, *words: str, code: int = 0, stdin: str = "") -> Done:
    done = checkout.run(*words, stdin=stdin)
    assert done.code == code, done.err
    assert [words for words in NEVER_SAID if words in done.out + done.err] == []
    return done


def _restarted(changes: list[str]) -> set[str]:
    """Give the units that a plan restarts, or stops for a while and starts; each line says why."""
    lines = [line.partition(": ") for line in changes]
    assert [what for what, _, reason in lines if not reason] == []
    started = (what for what, *_ in lines if what.startswith(("restart unit ", "start unit ")))
    return {what.rpartition(" ")[2] for what in started}


def _pids(checkout: Checkout, env: str) -> dict[str, int]:
    found = {name: many for name, many in checkout.processes().items() if not name.endswith(".watcher")}
    return {
        name: one.pid for name, many in found.items() for one in many if one.environ()["INFRA_ENV"] == env
    }


def _values(checkout: Checkout, env: str) -> dict[str, dict[str, str]]:
    return {service: stored(checkout, service, env) for service in SERVICES}


def _as_now(checkout: Checkout, env: str, values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Give what was stored with the host and the login that the plan writes; everything else of it stays."""
    here = {key: text.replace("localhost:", "127.0.0.1:") for key, text in values["app"].items()}
    assert {key for key, text in here.items() if text != values["app"][key]} <= ADDRESSES
    logins = stored(checkout, "minio", env) if "S3_ACCESS_KEY" in here and env == "local" else {}
    return values | {"app": here | {key: logins[name] for key, name in LOGIN_KEYS.items() if logins}}


def _kill_supervisor(checkout: Checkout, env: str) -> None:
    place = str(checkout.home_of_state / env)
    (found,) = [one for one in checkout.supervisors() if any(place in word for word in one.cmdline())]
    kill(found)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _tree_of(commit: str) -> tarfile.TarFile:
    archive = subprocess.run(
        ["git", "-c", "tar.umask=0022", "archive", commit, *PARTS], cwd=ROOT, capture_output=True, check=True
    )
    return tarfile.open(fileobj=io.BytesIO(archive.stdout))
