"""A throw-away Vault server on loopback, and one of our agents running against it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests

from infra.model.unit import UnitFile
from infra.plan.agent import AgentPlaces
from tests.reference_app.servers import free_port
from tests.waiting import PATIENCE, until

ROOT_TOKEN = "root-of-the-tests"


@dataclass
class VaultServer:
    """A dev server: in memory, unsealed, gone at the end. Calls are made as root unless a token is given."""

    program: Path
    address: str
    session: requests.Session = field(default_factory=requests.Session)
    root: str = ROOT_TOKEN
    pid: int = 0
    certificate: str = ""

    def call(
        self, method: str, path: str, body: object = None, *, token: str = "", wrap: str = ""
    ) -> requests.Response:
        headers = {"X-Vault-Token": token or self.root} | ({"X-Vault-Wrap-TTL": wrap} if wrap else {})
        return self.session.request(
            method, f"{self.address}/v1/{path}", json=body, headers=headers, timeout=PATIENCE
        )

    def must(self, method: str, path: str, body: object = None, **more: str) -> dict[str, Any]:
        answer = self.call(method, path, body, **more)
        assert answer.ok, answer.text
        told: dict[str, Any] = answer.json() if answer.content else {}
        return told

    def put(self, path: str, values: Mapping[str, str]) -> None:
        self.must("POST", path, {"data": dict(values)})

    def allow(self, role: str, policy: str) -> None:
        """Make a policy and the AppRole role of the same name, as credentials of services have them."""
        self.must("PUT", f"sys/policies/acl/{role}", {"policy": policy})
        settings = {"token_policies": [role], "token_no_default_policy": True, "token_ttl": "24h"}
        self.must("POST", f"auth/approle/role/{role}", settings)

    def role_id(self, role: str) -> str:
        return str(self.must("GET", f"auth/approle/role/{role}/role-id")["data"]["role_id"])

    def wrapped(self, role: str, deploy: str = "d-1") -> dict[str, Any]:
        """Give the `wrap_info` of a new secret id that carries the deploy id."""
        body = {"metadata": json.dumps({"deploy_id": deploy})}
        made = self.must("POST", f"auth/approle/role/{role}/secret-id", body, wrap="900s")
        info: dict[str, Any] = made["wrap_info"]
        return info

    def login(self, role: str) -> str:
        """Give a token of a role, as an agent gets one."""
        secret = self.must("POST", f"auth/approle/role/{role}/secret-id")["data"]["secret_id"]
        answer = self.must("POST", "auth/approle/login", {"role_id": self.role_id(role), "secret_id": secret})
        return str(answer["auth"]["client_token"])


@dataclass
class SealableServer(VaultServer):
    """A server that can be sealed and unsealed: two of its three keys open it."""

    keys: tuple[str, ...] = ()

    def seal(self) -> None:
        self.must("PUT", "sys/seal")

    def unseal(self, keys: int = 2) -> None:
        """Give some of the keys; with two it is open at the end."""
        for key in self.keys[:keys]:
            self.must("PUT", "sys/unseal", {"key": key})
        if keys > 1:
            until(lambda: self.call("GET", "secret/config").ok)


@contextmanager
def running_server(program: Path, folder: Path, port: int = 0) -> Iterator[VaultServer]:
    """Run a dev server with AppRole until the block ends, on a free port where none is named."""
    address = f"127.0.0.1:{port or free_port()}"
    argv = ["-dev", "-dev-no-store-token", f"-dev-listen-address={address}"]
    with _serving(program, [*argv, f"-dev-root-token-id={ROOT_TOKEN}"], folder) as pid:
        server = VaultServer(program, f"http://{address}", pid=pid)
        until(lambda: _is_open(server))
        server.must("POST", "sys/auth/approle", {"type": "approle"})
        yield server


@contextmanager
def sealable_server(program: Path, folder: Path, *, initialise: bool = True) -> Iterator[SealableServer]:
    """Run a server in memory, initialised and unsealed, with `secret` and AppRole, until the block ends."""
    address = f"127.0.0.1:{free_port()}"
    config = folder / "server.hcl"
    listener = f'listener "tcp" {{\n  address = "{address}"\n  tls_disable = true\n}}\n'
    config.write_text(f'storage "inmem" {{}}\ndisable_mlock = true\n{listener}', encoding="ascii")
    with _serving(program, [f"-config={config}"], folder) as pid:
        server = SealableServer(program, f"http://{address}", pid=pid)
        until(lambda: _answers(server))
        if initialise:
            _open(server)
        yield server


@contextmanager
def _serving(program: Path, words: list[str], folder: Path) -> Iterator[int]:
    """Run the server and give its pid; killed at the end, also where a test has stopped it."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(program), "server", *words],
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait(PATIENCE)


def _open(server: SealableServer) -> None:
    made = server.must("PUT", "sys/init", {"secret_shares": 3, "secret_threshold": 2})
    server.keys, server.root = tuple(made["keys"]), made["root_token"]
    for key in server.keys[:2]:
        server.must("PUT", "sys/unseal", {"key": key})
    until(lambda: server.call("GET", "sys/health").ok)
    server.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.must("POST", "sys/auth/approle", {"type": "approle"})
    until(lambda: server.call("GET", "secret/config").ok)


def _answers(server: VaultServer) -> bool:
    try:
        return bool(server.call("GET", "sys/seal-status").content)
    except requests.ConnectionError:
        return False


def _is_open(server: VaultServer) -> bool:
    try:
        return server.call("GET", "sys/health").ok and server.call("GET", "secret/config").ok
    except requests.ConnectionError:
        return False


def agent_places(folder: Path) -> AgentPlaces:
    """Give places of an agent as a process of this user."""
    return AgentPlaces(
        secrets=str(folder / "secrets"),
        token=str(folder / "token"),
        credential=str(folder / "cred"),
        files=str(folder / "files"),
        owner=str(os.getuid()),
        group=str(os.getgid()),
    )


@dataclass
class Agent:
    """An agent as its entry point runs it; `settings` are variables that the platform would give."""

    server: VaultServer
    folder: Path
    role: str
    role_id: str
    wrapping: str
    deploy: str = "d-1"
    shell: tuple[str, ...] = ("sh",)
    process: subprocess.Popen[str] | None = None

    def write(self, files: tuple[UnitFile, ...], *, interval: str = "") -> None:
        """Write the files; an interval replaces the five minutes between two polls."""
        (self.folder / "files").mkdir(exist_ok=True)
        for file in files:
            text = file.text.replace('"5m"', f'"{interval}"') if interval else file.text
            (self.folder / "files" / file.name).write_text(text, encoding="utf-8", newline="")

    def again(self, **changes: Any) -> Agent:
        """Give the same agent, to be started anew."""
        return replace(self, process=None, **changes)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "VAULT_ADDR": self.server.address,
            "VAULT_ROLE_ID": self.role_id,
            "VAULT_WRAPPED_SECRET_ID": self.wrapping,
            "VAULT_TOKEN": "a token of somebody else",
            "INFRA_DEPLOY": self.deploy,
        }

    @contextmanager
    def running(self) -> Iterator[Agent]:
        """Run it until the block ends, then end it as a platform does."""
        config = f"-config={self.folder}/files/vault-agent.hcl"
        argv = [*self.shell, f"{self.folder}/files/entrypoint.sh", str(self.server.program), "agent", config]
        with (self.folder / "agent.log").open("a") as log:
            self.process = subprocess.Popen(
                argv, env=self.variables, stdout=log, stderr=log, text=True, start_new_session=True
            )
        try:
            yield self
        finally:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def ended(self) -> int:
        """Give the exit code of an agent that ends by itself."""
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def health(self, **more: str) -> tuple[int, str]:
        """Give the exit code and the line of one health check."""
        argv = [*self.shell, f"{self.folder}/files/health.sh"]
        variables = {**self.variables, **more}
        done = subprocess.run(
            argv, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode or not done.stderr, done.stderr
        return done.returncode, done.stdout.strip()

    def healthy(self, **more: str) -> bool:
        return self.health(**more)[0] == 0

    @property
    def log(self) -> str:
        return (self.folder / "agent.log").read_text(encoding="utf-8")

    def rendered(self, name: str = ".env") -> str:
        file = self.folder / "secrets" / name
        return file.read_bytes().decode() if file.exists() else ""

    def heartbeat(self) -> dict[str, str]:
        lines = self.rendered(".heartbeat").splitlines()
        return dict(line.split("=", 1) for line in lines)
