"""A rehearsal with a throw-away Vault beside it, as a person has it in two windows."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

import finance_report
from infra.model.environments import environment
from infra.model.places import Places
from infra.model.secret import Secret
from infra.plan.agent import policy_text, role_name, secret_path
from infra.targets.process import credentials
from infra.workspace import templates
from tests.real.conftest import ROOT, Checkout, Done
from tests.real.vault_program import vault_program
from tests.real.vault_server import VaultServer
from tests.waiting import until

PROJECT = finance_report.PROJECT
TEMPLATES = templates.load(ROOT)
WITH_SECRETS = ("postgres", "redis", "app")
ENDS_WITHIN = 30


class Rehearsal:
    """An environment of a checkout as processes, and its `vault.dev` while one runs."""

    def __init__(self, checkout: Checkout, env: str = "staging") -> None:
        self.checkout, self.env = checkout, env
        self.window: subprocess.Popen[bytes] | None = None
        self.log = checkout.folder / "vault-dev.log"
        folder = checkout.folder / "bin"
        folder.mkdir(exist_ok=True)
        if not (folder / "vault").exists():
            (folder / "vault").symlink_to(vault_program())
            watch_for_a_second(checkout)
        self.path = f"{folder}:{checkout.environment['PATH']}"

    def start(self) -> VaultServer:
        """Run `vault.dev` and give its server once it is written down."""
        with self.log.open("wb") as output:
            self.window = subprocess.Popen(
                [sys.executable, "-m", "invoke", "vault.dev", "--env", self.env],
                cwd=self.checkout.root,
                env={**self.checkout.environment, "PATH": self.path},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        until(lambda: "setup-tokens" in self.said or self.window is None or self.window.poll() is not None)
        assert self.window.poll() is None, self.said
        return self.server

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def entry(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "vault-dev.json").read_text(encoding="utf-8"))
        return found

    @property
    def token_file(self) -> Path:
        return self.checkout.memory / self.env / "vault-dev/token"

    @property
    def server(self) -> VaultServer:
        entry, session = self.entry, requests.Session()
        session.trust_env, session.verify = False, str(self.token_file.with_name("vault-ca.pem"))
        root = self.token_file.read_text(encoding="utf-8")
        return VaultServer(vault_program(), entry["address"], session, root, certificate=entry["certificate"])

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Give the exit code of `vault.dev` after this signal; 0 when none runs."""
        if self.window is None:
            return 0
        self.window.send_signal(number)
        code = self.window.wait(ENDS_WITHIN)
        self.window = None
        return code

    @property
    def root(self) -> Path:
        return self.checkout.home_of_state / self.env

    @property
    def places(self) -> Places:
        """Where this rehearsal keeps things; ports and programs do not matter here."""
        memory = str(self.checkout.memory / self.env)
        return Places(str(self.root), memory, "", "127.0.0.1", {}, {}, (), "", {})

    def path_of(self, service: str) -> str:
        return secret_path(PROJECT.name, environment(self.env), service, "secret")

    def deliver(self, *services: str, deploy: str = "d-1") -> None:
        """Make policy, role and a wrapped secret id of services, and put it where their agents take it."""
        server, found = self.server, environment(self.env)
        for name in services or WITH_SECRETS:
            role = role_name(PROJECT.name, found, name)
            server.allow(role, policy_text(name, found, PROJECT.name, "secret", TEMPLATES))
            wrapped = Secret(server.wrapped(role, deploy)["token"])
            role_id = server.role_id(role)
            where = {"address": server.address, "root": server.certificate}
            credentials.deliver(self.places, name, role_id=role_id, wrapped=wrapped, **where)

    def run(self, task: str, *words: str, **more: str) -> Done:
        """Run a task of the project for this rehearsal."""
        return self.checkout.run(
            f"finance_report.{task}", "--env", self.env, "--target", "process", *words, **more
        )

    def setup(self, *words: str) -> Done:
        done = self.run("app.setup", *words)
        assert done.code == 0, done.err
        return done

    def rendered(self, service: str) -> Path:
        return self.checkout.memory / self.env / service / ".env"

    def kept_on_file(self) -> list[Path]:
        """Give the files of the file store."""
        return sorted((self.checkout.folder / "share").rglob(f"{self.env}*.json"))


def watch_for_a_second(checkout: Checkout) -> None:
    """Have each deploy watched as long as one of local: `test_rehearsal` waits for the whole 10 s."""
    table = checkout.root / "infra/model/environments.py"
    text = table.read_text(encoding="utf-8")
    assert "watch_seconds=10.0" in text
    table.write_text(text.replace("watch_seconds=10.0", "watch_seconds=1.0"), encoding="utf-8")
