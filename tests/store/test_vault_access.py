"""Which Vault is talked to, with whose token, and what a rehearsal is never led to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.console import Console
from infra.invocation import Command
from infra.model.environments import environment
from infra.model.errors import BadInput, CannotTell, Denied
from infra.model.redaction import Redactor
from infra.model.secret import MASK, Secret
from infra.model.settings import Settings, Vault
from infra.model.verdict import Outcome
from infra.store.owner import mark_of
from infra.vault.access import access_of, entry_place
from infra.vault.entry import Entry
from infra.workspace.folders import Folders
from tasks.root import ROOT

STAGING = environment("staging")
REAL = "https://vault.example.test:8200"


def command(tmp_path: Path, **variables: str) -> Command:
    redactor = Redactor()
    home = {"HOME": str(tmp_path), **variables}
    return Command(Outcome("vault.status", "staging"), Console(redactor), redactor, tmp_path, home)


def settings(address: str | None = None, allow_http: str | None = None) -> Settings:
    return replace(Settings(), vault=Vault(address=address, allow_http=allow_http))


def where(tmp_path: Path) -> Folders:
    return Folders(
        tmp_path / "state", tmp_path / "share", tmp_path / "memory", tmp_path, tmp_path / "proof.key"
    )


def entry(pid: int, mark: str) -> Entry:
    return Entry("https://127.0.0.1:8200", pid, mark, "cluster-1", "/opt/vault", "1.21.0", "its root in PEM")


def written(tmp_path: Path, pid: int | None = None, mark: str | None = None) -> None:
    """Write an entry of this very process, where nothing else is said, and its token."""
    place = entry_place(STAGING, where(tmp_path))
    for folder in (place.root, place.token_file.parent):
        folder.mkdir(parents=True, mode=0o700)
    own = os.getpid()
    place.write(entry(own if pid is None else pid, mark_of(own) if mark is None else mark))
    place.write_token(Secret("token-of-vault-dev"))


def test_a_rehearsal_takes_its_own_server_whatever_settings_and_variables_say(tmp_path: Path) -> None:
    written(tmp_path)
    this = command(tmp_path, VAULT_ADDR="https://other.example.test", VAULT_TOKEN="a person's own token")
    found = access_of(this, settings(REAL), STAGING, where(tmp_path), rehearsal=True)
    assert (found.address, found.cluster) == ("https://127.0.0.1:8200", "cluster-1")
    assert (found.root, "without TLS" in found.origin) == ("its root in PEM", False)
    assert found.token == Secret("token-of-vault-dev")
    assert this.redactor.redact("token-of-vault-dev") == MASK


def test_a_server_of_a_version_before_is_asked_as_it_was_and_told_to_have_no_tls(tmp_path: Path) -> None:
    written(tmp_path)
    file = entry_place(STAGING, where(tmp_path)).file
    before = json.loads(file.read_text("utf-8")) | {"address": "http://127.0.0.1:8200"}
    del before["certificate"]
    file.write_text(json.dumps(before), encoding="utf-8")
    found = access_of(command(tmp_path), settings(), STAGING, where(tmp_path), rehearsal=True)
    assert (found.address, found.root) == ("http://127.0.0.1:8200", "")
    assert "without TLS: end it and start it anew" in found.origin
    assert found.client().address == found.address


@pytest.mark.parametrize(
    ("pid", "mark"),
    [(4194304, None), (None, "another"), (None, "")],
    ids=["pid free", "pid reused", "no mark"],
)
def test_a_server_that_ended_is_named_and_no_other_is_asked(
    tmp_path: Path, pid: int | None, mark: str | None
) -> None:
    written(tmp_path, pid, mark)
    this = command(tmp_path, VAULT_ADDR=REAL, VAULT_TOKEN="token")
    with pytest.raises(CannotTell, match="does not run any more") as told:
        access_of(this, settings(REAL), STAGING, where(tmp_path), rehearsal=True)
    assert told.value.next_step == "./inv vault.dev --env staging"


def test_without_vault_dev_a_rehearsal_has_no_vault(tmp_path: Path) -> None:
    this = command(tmp_path, VAULT_ADDR=REAL, VAULT_TOKEN="token")
    with pytest.raises(CannotTell, match=r"no vault\.dev runs for staging"):
        access_of(this, settings(REAL), STAGING, where(tmp_path), rehearsal=True)


@pytest.mark.parametrize(
    ("written", "given", "expected"),
    [(REAL, "", REAL), (None, REAL, REAL), (REAL, f"{REAL}/", REAL)],
    ids=["settings", "variable", "both the same"],
)
def test_the_address_is_that_of_the_settings_or_the_variable(
    tmp_path: Path, written: str | None, given: str, expected: str
) -> None:
    this = command(tmp_path, VAULT_ADDR=given, VAULT_TOKEN="token")
    found = access_of(this, settings(written), STAGING, where(tmp_path), rehearsal=False)
    assert (found.address, found.origin) == (expected, "VAULT_TOKEN")


@pytest.mark.parametrize(
    ("written", "given", "words"),
    [
        (None, "", "no Vault is known here"),
        (REAL, "https://other.example.test", "and VAULT_ADDR is"),
        ("http://vault.example.test", "", "is not encrypted"),
    ],
)
def test_no_address_two_addresses_and_an_open_line_are_refused(
    tmp_path: Path, written: str | None, given: str, words: str
) -> None:
    this = command(tmp_path, VAULT_ADDR=given, VAULT_TOKEN="token")
    with pytest.raises(BadInput, match=words):
        access_of(this, settings(written), STAGING, where(tmp_path), rehearsal=False)


def test_http_is_spoken_with_the_host_that_the_settings_allow(tmp_path: Path) -> None:
    this = command(tmp_path, VAULT_TOKEN="token")
    found = access_of(
        this,
        settings("http://vault.example.test", "vault.example.test"),
        STAGING,
        where(tmp_path),
        rehearsal=False,
    )
    assert found.client().address == "http://vault.example.test"


def test_the_token_file_of_the_cli_counts_when_it_is_private(tmp_path: Path) -> None:
    file = tmp_path / ".vault-token"
    file.write_text("token-of-the-cli\n", encoding="utf-8")
    file.chmod(0o600)
    this = command(tmp_path)
    found = access_of(this, settings(REAL), STAGING, where(tmp_path), rehearsal=False)
    assert (found.token, found.origin) == (Secret("token-of-the-cli"), str(file))
    assert this.redactor.redact("token-of-the-cli") == MASK
    file.chmod(0o644)
    with pytest.raises(Denied):
        access_of(this, settings(REAL), STAGING, where(tmp_path), rehearsal=False)


def test_without_a_token_and_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(Denied, match="nobody can be asked here"):
        access_of(command(tmp_path), settings(REAL), STAGING, where(tmp_path), rehearsal=False)


def test_what_opens_an_environment_imports_no_client_of_vault() -> None:
    line = "import sys, infra.assembly; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert not loaded & {"hvac", "requests", "urllib3", "infra.store.vault.client", "infra.store.vault.kv"}


@pytest.mark.parametrize("token", ["\ufeffhvs.x", "hvs.\u200bx", "hvs.x\x1b[0m", "hvs.größe"], ids=ascii)
def test_a_token_with_what_no_token_has_is_refused_and_not_shown(tmp_path: Path, token: str) -> None:
    this = command(tmp_path, VAULT_TOKEN=token)
    with pytest.raises(BadInput, match="VAULT_TOKEN") as refused:
        access_of(this, settings(REAL), STAGING, where(tmp_path), rehearsal=False)
    assert "hvs" not in refused.value.message
    assert "holds" in refused.value.message
