"""A stand-in for the program of Vault, and our scripts run with it: it fails when a test asks for it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import finance_report
from infra.model.environments import environment
from infra.plan.agent import AgentPlaces, agent_files
from infra.workspace import templates
from tests.shells import each
from tests.waiting import PATIENCE, until

TEMPLATES = templates.load(Path(__file__).parents[2])
PROJECT = finance_report.PROJECT
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
EACH_SHELL = each(*SHELLS)
CREATION_PATH = "auth/approle/role/finance_report-staging-redis/secret-id"
WHOLE = "PASSWORD='secret'\n"
UNWRAPPED = """Key                   Value
---                   -----
secret_id             the-secret-id
secret_id_accessor    the-accessor
secret_id_num_uses    0
secret_id_ttl         768h
"""
LOOKED_UP = """Key                 Value
---                 -----
accessor            token-accessor
creation_time       1763719200
expire_time         2025-11-22T10:00:00.5Z
meta                map[deploy_id:d-1 role_name:finance_report-staging-redis]
ttl                 24h
"""
# It notes the token, the words and what it was told on stdin; then it says what `answers` holds for the call.
PROGRAM = r"""#!/bin/sh
case "$1 $2" in
  write*) name=wrapping heard=$(cat) ;;
  unwrap*) name=unwrap ;;
  'token lookup') name=lookup ;;
  'token revoke') name=revoke ;;
  *) name=agent ;;
esac
printf '%s|%s|%s|%s\n' "$name" "${VAULT_TOKEN-unset}" "$*" "${heard-}" >>"$STAND_IN/calls"
if [ "$name" = agent ]; then
  env >"$STAND_IN/environment"
  printf token-of-the-agent >"$STAND_IN/token/.token"
  trap 'exit 0' TERM
  while :; do sleep 0.05; done
fi
for said in "$STAND_IN/$name.once" "$STAND_IN/$name.failure"; do
  if [ -e "$said" ]; then
    cat "$said" >&2
    rm -f "$STAND_IN/$name.once"
    exit 2
  fi
done
cat "$STAND_IN/$name" 2>/dev/null || :
"""


def refusal(code: int) -> str:
    """Give what the program says when the server answers with this code."""
    return f"Error making API request.\n\nURL: PUT http://127.0.0.1/v1/x\nCode: {code}. Errors:\n\n* said\n"


@dataclass
class StandIn:
    """The scripts of redis' agent in staging, their places, and what the stand-in answers."""

    shell: list[str]
    folder: Path

    def __post_init__(self) -> None:
        places = AgentPlaces(
            secrets=f"{self.folder}/secrets",
            token=f"{self.folder}/token",
            credential=f"{self.folder}/cred",
            files=f"{self.folder}/files",
        )
        service, staging = PROJECT.service("redis"), environment("staging")
        for name in ("bin", "files", "secrets", "token", "cred"):
            (self.folder / name).mkdir()
        for file in agent_files(service, staging, PROJECT.name, "secret", TEMPLATES, places):
            self.write(f"files/{file.name}", file.text)
        self.write("bin/bao", PROGRAM).chmod(0o755)
        self.write("wrapping", CREATION_PATH)
        self.write("unwrap", UNWRAPPED)
        self.write("lookup", LOOKED_UP)

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.unlink(missing_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
        return file

    def read(self, name: str) -> str:
        file = self.folder / name
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def fails(self, name: str, how: str, *, once: bool = False) -> None:
        """Let a call fail with these words, or only the next one."""
        self.write(f"{name}.once" if once else f"{name}.failure", how)

    def calls(self, name: str) -> list[str]:
        """Give the calls of one kind as `token|words|stdin`."""
        lines = self.read("calls").splitlines()
        return [line.partition("|")[2] for line in lines if line.startswith(f"{name}|")]

    def variables(self, **more: str) -> dict[str, str]:
        return {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "STAND_IN": str(self.folder),
            "VAULT_ADDR": "http://127.0.0.1:1",
            "VAULT_ROLE_ID": "the-role-id",
            "VAULT_WRAPPED_SECRET_ID": "wrapping-token",
            "VAULT_TOKEN": "token-of-somebody",
            "BAO_TOKEN": "token-of-somebody",
            "INFRA_DEPLOY": "d-1",
            **more,
        }

    @contextmanager
    def starting(self, **more: str) -> Iterator[subprocess.Popen[str]]:
        """Run the entry point until the block ends; its lines are in the file `log`."""
        argv = [*self.shell, f"{self.folder}/files/entrypoint.sh", "bao", "agent", "-config=x"]
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(argv, env=self.variables(**more), stdout=log, stderr=log, text=True)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)

    def start(self, **more: str) -> int:
        """Give the exit code of a start: that of the script where it ends, else of its orderly end."""
        before = len(self.calls("agent"))
        with self.starting(**more) as process:
            until(lambda: process.poll() is not None or len(self.calls("agent")) > before)
            if process.poll() is None:
                until(lambda: self.read("token/.token"))
        return int(process.returncode)

    def health(self, **more: str) -> tuple[int, str]:
        """Give exit code and words of one health check."""
        done = subprocess.run(
            [*self.shell, f"{self.folder}/files/health.sh"],
            env=self.variables(**more),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout.strip()
