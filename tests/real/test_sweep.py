"""No secret leaves the store, the rendered files and the process that owns it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.real.conftest import Checkout, Done
from tests.real.watching import again_and_again

pytestmark = pytest.mark.real
COMMANDS = (
    "finance_report.status",
    "finance_report.app.plan",
    "finance_report.app.logs --tail 500",
    "finance_report.postgres.logs --tail 500",
    "finance_report.redis.logs",
    "finance_report.app.history",
    "finance_report.app.checkpoints",
    "lock.status",
    "doctor",
    "smoke --env local --extended",
)


class Sweep:
    """The secrets of a checkout in every form, and where they were seen."""

    def __init__(self, values: dict[str, str]) -> None:
        self.forms = {form: key for key, value in values.items() for form in _forms(value)}
        self.seen: set[str] = set()

    def look(self, where: str, text: str) -> None:
        """Note each secret that this text shows."""
        self.seen |= {f"{key} in {where}" for form, key in self.forms.items() if form in text}

    def files(self, folder: Path, owned: set[Path]) -> int:
        """Look into every file below a folder that owns no secrets; give how many were read."""
        count = 0
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path not in owned:
                self.look(str(path), path.read_bytes().decode("latin-1"))
                count += 1
        return count

    def arguments(self) -> None:
        """Look at the arguments of every process of the machine."""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.look(f"argv of {file.parent.name}", file.read_bytes().decode("latin-1"))
            except OSError:
                continue

    def environments(self, owners: set[int]) -> None:
        """Look at the environment of every process but those that own secrets."""
        for file in Path("/proc").glob("[0-9]*/environ"):
            try:
                if int(file.parent.name) not in owners:
                    self.look(f"environment of {file.parent.name}", file.read_bytes().decode("latin-1"))
            except OSError:
                continue


def _forms(value: str) -> set[str]:
    return {value, quote(value, safe=""), b64encode(value.encode()).decode().rstrip("=")[:-1]}


@contextmanager
def watching(sweep: Sweep) -> Iterator[None]:
    """Look at all arguments again and again while the body runs."""
    with again_and_again(sweep.arguments, 0.01):
        yield


RENDERED = {".env", "server.conf", "own.pem", "security.toml"}
NO_SECRETS = frozenset({"S3_ENDPOINT", "S3_BUCKET"})  # an address and a name, which travel with the secrets


def secrets_of(checkout: Checkout) -> dict[str, str]:
    """Give the plain values that the store holds, read without the code under test."""
    file = next((checkout.folder / "share").rglob("local.json"))
    found: dict[str, str] = {}

    def walk(node: object) -> None:
        for key, value in node.items() if isinstance(node, dict) else ():
            if isinstance(value, str) and key.isupper() and key not in NO_SECRETS:
                found[key] = value
            walk(value)
        for value in node if isinstance(node, list) else ():
            walk(value)

    walk(json.loads(file.read_text(encoding="utf-8")))
    return found


def rendered(checkout: Checkout) -> set[Path]:
    """Give the rendered files of the running stack, through the variable that names them."""
    named = {
        Path(process.environ().get(name, ""))
        for many in checkout.processes().values()
        for process in many
        for name in ("INFRA_SECRETS_FILE", "INFRA_CONFIG_FILE")
    }
    return {path for path in named if path.is_file()}


def _modes(path: Path) -> tuple[int, int]:
    return path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777


def hear(sweep: Sweep, name: str, done: Done) -> Done:
    sweep.look(f"stdout of {name}", done.out)
    sweep.look(f"stderr of {name}", done.err)
    return done


def test_no_secret_is_seen_anywhere_but_where_it_belongs(checkout: Checkout) -> None:
    checkout.settings("environments: {local: {deadline: 15}}\n")
    first = checkout.setup("--json")
    values = secrets_of(checkout)
    assert {"POSTGRES_PASSWORD", "APP_PASSWORD", "PASSWORD", "DATABASE_URL", "REDIS_URL"} <= set(values)
    sweep = Sweep(values)
    hear(sweep, "first setup", first)
    with watching(sweep):
        hear(sweep, "forced setup", checkout.run("finance_report.app.setup", "--force"))
        for line in COMMANDS:
            hear(sweep, line, checkout.run(*line.split()))
            hear(sweep, f"{line} --json", checkout.run(*line.split(), "--json"))
        hear(sweep, "psql", checkout.run("finance_report.postgres.shell", stdin="SELECT 1;\n"))
        checkout.misbehave(mode="unhealthy")
        failed = hear(sweep, "failing setup", checkout.run("finance_report.app.setup", "--json"))
        assert failed.json["outcome"] == "failed_rolled_back"
    files = rendered(checkout)
    assert {".env", "server.conf"} <= {path.name for path in files} <= RENDERED
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not any(path.parent.stat().st_mode & 0o066 for path in files), "nobody lists or writes there"
    backend = psutil.Process(checkout.pids()["backend"])
    sweep.environments({backend.pid, *(child.pid for child in backend.children(recursive=True))})
    store = next((checkout.folder / "share").rglob("local.json"))
    assert _modes(store) == (0o600, 0o700)
    assert sweep.files(checkout.folder, {store, *files}) > 100
    assert sweep.files(checkout.home_of_state, files) > 500
    assert sweep.seen == set()
    hear(sweep, "down", checkout.run("finance_report.down"))
    hear(sweep, "destroy", checkout.run("finance_report.destroy", "--yes"))
    assert sweep.seen == set()
    assert not any(path.exists() for path in files)


def test_the_backend_does_carry_its_secrets_so_the_sweep_can_see_environments(checkout: Checkout) -> None:
    checkout.setup()
    sweep = Sweep(secrets_of(checkout))
    sweep.environments(set())
    backend = checkout.pids()["backend"]
    assert f"DATABASE_URL in environment of {backend}" in sweep.seen
    assert {line.rpartition(" ")[2] for line in sweep.seen} == {str(backend)}


def test_the_sweep_sees_a_planted_secret(tmp_path: Path) -> None:
    sweep = Sweep({"KEY": "s3cret-value/with+signs"})
    (tmp_path / "log").write_text(f"x {quote('s3cret-value/with+signs', safe='')} y", encoding="utf-8")
    assert sweep.files(tmp_path, set()) == 1
    sweep.look("output", json.dumps({"a": b64encode(b"s3cret-value/with+signs").decode()}))
    assert sweep.seen == {f"KEY in {tmp_path / 'log'}", "KEY in output"}
