"""What keys there are, and how an operator's own one gets into the store."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from infra.model.hostile import HOSTILE
from tests.real.conftest import Checkout
from tests.real.kept import change, stored, version

pytestmark = pytest.mark.real
PUT = ("vault.put", "--service", "app", "--key", "OPENROUTER_API_KEY")
VALUE = "sk-or-v1-0123456789abcdef"
FIT = {
    "quotes": 'it\'s"x"',
    "a shell's signs": "$HOME`id`$(id)\\n#%!",
    "braces": "{{.x}}{%if%}",
    "not ASCII": "größe日本🔑",
}
UNFIT = {
    "nothing": "",
    "only a line end": "\n",
    "a blank inside": "two words",
    "a second line": "one\ntwo",
    "NUL": "a\0b",
    "an unrendered template": "x<no value>x",
    "too long": "x" * (64 * 1024 + 1),
}


def rows(checkout: Checkout) -> dict[str, dict[str, object]]:
    done = checkout.run("vault.keys", "--json")
    return {f"{row['service']} {row['key']}": row for row in done.json["facts"]["keys"]}


def test_keys_are_shown_with_kind_version_age_and_readers_and_no_value(checkout: Checkout) -> None:
    missing = checkout.run("vault.keys")
    assert missing.code == 1
    assert "postgres APP_PASSWORD" in missing.err
    checkout.setup()
    shown = checkout.run("vault.keys")
    assert shown.code == 0, shown.err
    found = rows(checkout)
    assert found["postgres APP_PASSWORD"]["read by"] == ["postgres", "app"]
    assert (found["app DATABASE_URL"]["kind"], found["app OPENROUTER_API_KEY"]["state"]) == (
        "derived",
        "unset",
    )
    assert {row["version"] for row in found.values()} == {1, None}
    change(checkout, "redis", "SURPRISE", "undeclared-value")
    assert rows(checkout)["redis SURPRISE"]["kind"] == "undeclared"
    values = [
        value for name in ("postgres", "redis", "app", "minio") for value in stored(checkout, name).values()
    ]
    secret = [value for value in values if "127.0.0.1" not in value and value != "statements"]
    assert [value for value in secret if value in shown.out + shown.err] == []


def test_who_runs_on_an_old_value_is_shown_until_it_is_redeployed(checkout: Checkout) -> None:
    checkout.setup()
    put = checkout.run(*PUT, stdin=VALUE)
    assert put.code == 0, put.err
    assert "→ ./inv finance_report.app.setup" in put.err
    old = rows(checkout)
    assert old["app OPENROUTER_API_KEY"]["on an old value"] == ["backend"]
    assert old["app DATABASE_URL"]["on an old value"] == []
    assert (old["app DATABASE_URL"]["version"], old["app OPENROUTER_API_KEY"]["version"]) == (1, 2)
    audit = checkout.run("vault.check")
    assert audit.code == 1
    assert "backend runs on old value version 1 of 2" in audit.out
    checkout.setup()
    assert rows(checkout)["app OPENROUTER_API_KEY"]["on an old value"] == []
    assert checkout.run("vault.check").code == 0


def test_a_value_arrives_byte_for_byte_and_the_same_one_again_is_no_new_version(checkout: Checkout) -> None:
    for name, value in FIT.items():
        assert checkout.run(*PUT, stdin=f"{value}\n").code == 0, name
        assert stored(checkout, "app")["OPENROUTER_API_KEY"] == value
    before = version(checkout, "app")
    again = checkout.run(*PUT, "--json", stdin=value)
    assert (again.code, again.json["outcome"]) == (0, "nothing to do")
    assert version(checkout, "app") == before


def test_values_that_cannot_be_right_are_refused_and_not_shown(checkout: Checkout) -> None:
    assert checkout.run(*PUT, stdin=VALUE).code == 0
    for name, value in UNFIT.items():
        done = checkout.run(*PUT, "--json", stdin=value)
        assert (done.code, done.json["errors"][0]["kind"]) == (2, "bad_input"), name
        assert value.strip() == "" or value not in done.out + done.err
    for name in ("blanks at both ends", "CRLF", "a tab", "8 KiB"):
        assert checkout.run(*PUT, stdin=HOSTILE[name]).code == 2, name
    assert (stored(checkout, "app")["OPENROUTER_API_KEY"], version(checkout, "app")) == (VALUE, 1)


def test_keys_that_no_operator_owns_are_refused_with_the_right_command(checkout: Checkout) -> None:
    refused = {
        ("postgres", "APP_PASSWORD"): "./inv vault.rotate --env local --service postgres --key APP_PASSWORD",
        ("app", "DATABASE_URL"): "./inv vault.check --env local",
        ("app", VALUE): "./inv vault.keys --env local",
        (VALUE, "APP_PASSWORD"): "./inv vault.keys --env local",
    }
    for (service, key), command in refused.items():
        done = checkout.run("vault.put", "--service", service, "--key", key, "--json", stdin=VALUE)
        assert (done.code, done.json["errors"][0]["next"]) == (2, command)
        assert VALUE not in done.out + done.err
    assert not (checkout.folder / "share").exists()


def test_production_needs_consent_which_a_pipe_cannot_give(checkout: Checkout) -> None:
    production = (*PUT, "--env", "production", "--target", "process")
    refused = checkout.run(*production, "--json", stdin=VALUE)
    assert refused.code == 2
    assert refused.json["errors"][0]["next"].endswith("--yes")
    assert checkout.run(*production, "--yes", stdin=VALUE).code == 0
    assert stored(checkout, "app", "production")["OPENROUTER_API_KEY"] == VALUE


def test_a_person_types_the_value_without_an_echo(checkout: Checkout) -> None:
    terminal, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "invoke", *PUT],
        cwd=checkout.root,
        env=checkout.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    said = b""
    while b"it is not shown" not in said:
        said += os.read(terminal, 4096)
    os.write(terminal, f"{VALUE}\n".encode())
    code = running.wait(30)
    said += os.read(terminal, 65536)
    for end in (terminal, theirs):
        os.close(end)
    assert (code, VALUE.encode() in said) == (0, False)
    assert stored(checkout, "app")["OPENROUTER_API_KEY"] == VALUE
