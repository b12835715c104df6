"""The embedded object store: files survive, a kill is mended, it can be off, or somebody else's."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.model import dotenv
from infra.model.errors import Denied
from infra.model.secret import Secret
from infra.store.file_store import FileStore
from infra.targets.object_store import ObjectStore, object_store
from tests.real.conftest import Checkout, kill

pytestmark = pytest.mark.real
FILE = "/api/statements/files/January.csv"
CONTENT = b"day;amount\n2026-01-31;12.50\n"
LOGIN = json.dumps({"name": "alice", "password": "correct horse battery"}).encode()


def ask(checkout: Checkout, path: str, body: bytes | None = None, cookie: str = "") -> tuple[int, bytes, str]:
    """Give status, body and the session's cookie."""
    kind = "application/json" if body == LOGIN else "application/octet-stream"
    headers = {"Content-Type": kind, "Origin": checkout.url, **({"Cookie": cookie} if cookie else {})}
    request = urllib.request.Request(checkout.url + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), (answer.headers["set-cookie"] or "").split(";")[0]
    except urllib.error.HTTPError as error:
        return error.code, error.read(), ""


def s3_of(checkout: Checkout) -> dict[str, Any]:
    dependencies: dict[str, Any] = json.loads(checkout.get("/api/health?full=1")[1])["dependencies"]
    return dict(dependencies["s3"])


def keys_of(checkout: Checkout, service: str, env: str = "local") -> dict[str, Secret]:
    """Give what the rendered file of a service holds."""
    text = (checkout.memory / env / service / ".env").read_text(encoding="utf-8")
    return {name: Secret(value) for name, value in dotenv.parse(text).items()}


def test_an_uploaded_statement_survives_a_restart_a_kill_and_goes_with_destroy(checkout: Checkout) -> None:
    checkout.setup()
    assert s3_of(checkout)["status"] == "ok"
    cookie = ask(checkout, "/api/register", LOGIN)[2]
    assert ask(checkout, FILE, CONTENT, cookie)[0] == 201
    assert checkout.run("finance_report.down").code == 0
    assert checkout.processes() == {}
    checkout.setup()
    cookie = ask(checkout, "/api/login", LOGIN)[2]
    assert ask(checkout, FILE, cookie=cookie)[:2] == (200, CONTENT)
    for supervisor in checkout.supervisors():
        kill(supervisor)
    kill(psutil.Process(checkout.pids()["minio"]))
    status = checkout.run("finance_report.minio.status")
    assert (status.code, "FAIL  minio" in status.out) == (1, True)
    mended = checkout.setup("--json").json
    assert [change for change in mended["changes"] if "unit" in change] == [
        "start unit minio: it does not run"
    ]
    assert ask(checkout, FILE, cookie=cookie)[:2] == (200, CONTENT)
    assert "minio | " in checkout.run("finance_report.minio.logs").out
    assert checkout.run("finance_report.destroy", "--yes").code == 0
    assert not checkout.state.exists()


def test_its_login_is_the_environments_own_and_stands_in_no_argument_and_no_variable(
    checkout: Checkout,
) -> None:
    assert checkout.run("finance_report.minio.setup").code == 0
    found = object_store(keys_of(checkout, "minio") | app_keys(checkout))
    assert found
    store, bucket = found
    assert (bucket, store.buckets()) == ("statements", ["statements"])
    process = psutil.Process(checkout.pids()["minio"])
    shown = " ".join([*process.cmdline(), *process.environ().values()])
    assert not any(key.reveal() in shown for key in keys_of(checkout, "minio").values())
    logins = checkout.memory / "local/minio/server/server.conf"
    assert (logins.stat().st_mode & 0o777, logins.stat().st_uid) == (0o600, process.uids().real)
    listening = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    assert {one.laddr[0] for one in listening} == {"127.0.0.1"}
    recorded = {port for name, port in checkout.ports.items() if name.startswith("minio")}
    assert {one.laddr[1] for one in listening} <= recorded
    marker = json.loads((checkout.state / "data/minio/.infra.json").read_text(encoding="utf-8"))
    assert (marker["service"], marker["environment"]) == ("minio", "local")


def app_keys(checkout: Checkout) -> dict[str, Secret]:
    """Give the application's keys as the store holds them: its file is rendered when it is set up."""
    folder = checkout.folder / "share/finance_report/secrets" / checkout.home_of_state.name
    held = FileStore(folder, "local", checkout.root).get("finance_report/local/app")
    return dict(held.values)


def test_the_applications_login_opens_its_bucket_and_nothing_else(checkout: Checkout) -> None:
    checkout.setup()
    keys, found = keys_of(checkout, "minio"), object_store(keys_of(checkout, "app"))
    assert found
    store, bucket = found
    assert (store.access_key, store.secret_key) == (keys["APP_USER"], keys["APP_PASSWORD"])
    root = ObjectStore(store.endpoint, keys["ROOT_USER"], keys["ROOT_PASSWORD"])
    other = f"{bucket}-other"  # an own one whose name begins as ours does
    root.make(other)
    root.put(other, "a", CONTENT)
    for act in (
        lambda: store.get(other, "a"),
        lambda: store.put(other, "a", b""),
        lambda: store.delete(other, "a"),
        lambda: list(store.objects(other)),
        lambda: store.make("another"),
        lambda: store.remove(bucket),
        lambda: store.put("nobodys", "a", b""),
    ):
        with pytest.raises(Denied):
            act()
    assert (store.buckets(), root.get(other, "a")) == ([bucket], CONTENT)
    assert s3_of(checkout)["status"] == "ok"


def test_none_switches_it_off_and_takes_its_keys_along(checkout: Checkout) -> None:
    checkout.setup()
    checkout.settings("object_store: none\n")
    off = checkout.setup("--json").json
    assert "stop unit minio: it runs twice, or nothing declares it" in off["changes"]
    assert "minio" not in checkout.pids()
    assert s3_of(checkout)["status"] == "skipped"
    refused = checkout.run("finance_report.minio.setup")
    assert (refused.code, "minio is not deployed in local" in refused.err) == (2, True)
    assert checkout.setup("--json").json["outcome"] == "nothing to do"


def test_somebody_elses_store_is_used_with_the_keys_that_a_person_gave(
    make_checkout: Callable[[], Checkout],
) -> None:
    owner, guest = make_checkout(), make_checkout()
    assert owner.run("finance_report.minio.setup", "--env", "pr_47", "--target", "process").code == 0
    ports = json.loads((owner.home_of_state / "pr_47/ports.json").read_text(encoding="utf-8"))
    guest.settings(f"object_store: http://127.0.0.1:{ports['minio']}\n")
    lacking = guest.run("finance_report.app.setup")
    assert lacking.code == 1
    assert "app/S3_ACCESS_KEY, app/S3_SECRET_KEY" in lacking.err
    login = keys_of(owner, "minio", "pr_47")
    folder = Path(guest.folder / "share/finance_report/secrets") / guest.home_of_state.name
    store = FileStore(folder, "local", guest.root)
    given = {"S3_ACCESS_KEY": login["ROOT_USER"], "S3_SECRET_KEY": login["ROOT_PASSWORD"]}
    store.put("finance_report/local/app", {**store.get("finance_report/local/app").values, **given})
    guest.setup()
    assert s3_of(guest)["status"] == "ok"
    assert "minio" not in guest.pids()
