"""No secret is seen in the first setup, in a release that talks too much, or after destroy."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from infra.model.secret import Secret
from infra.targets.process import secret_files
from tests.real.conftest import Checkout, kill
from tests.real.test_sweep import RENDERED, Sweep, hear, secrets_of
from tests.real.watching import again_and_again
from tests.waiting import until

pytestmark = pytest.mark.real
QUESTIONS = (
    "finance_report.status",
    "finance_report.plan",
    "finance_report.app.logs --tail 500",
    "finance_report.app.history",
    "finance_report.app.checkpoints",
    "lock.status",
    "doctor",
)


class Census:
    """The arguments and environments of every process that was seen, searched once secrets are known."""

    def __init__(self) -> None:
        self.arguments: set[bytes] = set()
        self.environments: set[tuple[bytes, bytes]] = set()

    def count(self) -> None:
        """Note what runs at this moment."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                argv = (folder / "cmdline").read_bytes()
                self.arguments.add(argv)
                self.environments.add((argv, (folder / "environ").read_bytes()))
            except OSError:
                continue

    def running(self) -> AbstractContextManager[None]:
        """Count again and again while the body runs."""
        return again_and_again(self.count, 0.02)

    def tell(self, sweep: Sweep) -> None:
        """Show the sweep all arguments, and the environments of those that own no secrets."""
        for argv in self.arguments:
            sweep.look(f"arguments of {_words(argv)[:60]}", argv.decode("latin-1"))
        for argv, environment in self.environments:
            if not _owns_secrets(argv, environment):
                sweep.look(f"environment of {_words(argv)[:60]}", environment.decode("latin-1"))


def _words(argv: bytes) -> str:
    return argv.replace(b"\0", b" ").decode("latin-1")


def _owns_secrets(argv: bytes, environment: bytes) -> bool:
    """Tell whether it is the backend, its migration, or the session that a person asked for."""
    is_backend = b"INFRA_UNIT=backend" in environment.split(b"\0")
    return is_backend or argv.split(b"\0")[0].endswith(b"/psql")


def rendered_folder(checkout: Checkout) -> Path:
    """Give the folder of all rendered files, found through the variable that names one of them."""
    backend = psutil.Process(checkout.pids()["backend"])
    return Path(backend.environ()["INFRA_SECRETS_FILE"]).parent.parent


def ask(sweep: Sweep, checkout: Checkout, *lines: str) -> None:
    """Run each command for people and for programs, and look at what it says."""
    for line in lines:
        for form in (line, f"{line} --json"):
            hear(sweep, form, checkout.run(*form.split()))


def test_from_the_first_setup_to_destroy_no_process_or_file_shows_a_secret(checkout: Checkout) -> None:
    census = Census()
    scratch = checkout.folder / "scratch"
    scratch.mkdir()
    with census.running():
        first = checkout.run("finance_report.app.setup", TMPDIR=str(scratch))
        sweep = Sweep(secrets_of(checkout))
        hear(sweep, "first setup", first)
        rendered = rendered_folder(checkout)
        files = {path for path in rendered.rglob("*") if path.is_file()}
        assert {".env", "server.conf"} <= {path.name for path in files} <= RENDERED
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert not any(path.parent.stat().st_mode & 0o066 for path in files), "nobody lists or writes there"
        for process in (*checkout.supervisors(), psutil.Process(checkout.pids()["postgres"])):
            kill(process)
        ask(sweep, checkout, "finance_report.status", "finance_report.app.setup")
        asked = checkout.run("finance_report.redis.shell", stdin="CONFIG GET requirepass\n")
        assert "***" in hear(sweep, "redis.shell", asked).out
        shell = checkout.run("finance_report.postgres.shell", stdin="SELECT pg_sleep(0.2);\n")
        assert hear(sweep, "postgres.shell", shell).code == 0
        ask(sweep, checkout, "finance_report.down", "finance_report.destroy --yes")
    census.tell(sweep)
    assert any(argv.split(b"\0")[0].endswith(b"/initdb") for argv in census.arguments)
    assert any(_owns_secrets(*one) and b"DATABASE_URL=" in one[1] for one in census.environments)
    assert not rendered.exists()
    for folder in (checkout.folder, checkout.home_of_state):
        sweep.files(folder, set())
    assert sweep.seen == set()


def test_a_release_that_tells_its_secrets_shows_them_in_its_own_log_alone(checkout: Checkout) -> None:
    checkout.settings("environments: {local: {deadline: 15}}\n")
    checkout.setup()
    sweep = Sweep(secrets_of(checkout))
    make_talkative(checkout)
    failed = hear(sweep, "failing setup", checkout.run("finance_report.app.setup"))
    assert failed.code == 1
    assert "***" in failed.err, "the release was never heard"
    ask(sweep, checkout, *QUESTIONS)
    said = sweep.seen
    sweep.seen = set()
    store = next((checkout.folder / "share").rglob("local.json"))
    logs = {path for path in checkout.state.rglob("*.log*") if path.is_file()}
    sweep.files(checkout.folder, {store})
    sweep.files(checkout.home_of_state, logs)
    kept = sweep.seen
    assert checkout.run("finance_report.destroy", "--yes").code == 0
    assert (said, kept) == (set(), set())


def make_talkative(checkout: Checkout) -> None:
    """Make the next release say its database's address in its log and in its health answer."""
    source = checkout.root / "reference_app/apps/backend/src/health.py"
    text = source.read_text(encoding="utf-8")
    honest = '"status": "healthy" if is_healthy else "unhealthy",'
    assert honest in text
    says = '"status": "unhealthy", "why": settings.database_url.get_secret_value(),'
    source.write_text(
        text.replace(honest, says) + '\nimport os\nprint(os.environ["DATABASE_URL"], flush=True)\n',
        encoding="utf-8",
    )


def test_a_secret_planted_in_a_log_an_argument_or_a_variable_is_found(tmp_path: Path) -> None:
    """The sweep can fail: what is planted is found, and a log that holds nothing is not accused."""
    sweep = Sweep({"KEY": "s3cret-value/with+signs"})
    (tmp_path / "clean.log").write_text("nothing here", encoding="utf-8")
    sweep.files(tmp_path, set())
    assert sweep.seen == set()
    (tmp_path / "backend.log").write_text("password=s3cret-value/with+signs", encoding="utf-8")
    sweep.files(tmp_path, set())
    census = Census()
    with census.running():
        argv = [sys.executable, "-c", "input()", "s3cret-value%2Fwith%2Bsigns"]
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, env={"TOKEN": "s3cret-value/with+signs"})
        until(lambda: any(b"s3cret" in environment for _, environment in tuple(census.environments)))
        child.communicate(b"\n")
    census.tell(sweep)
    assert {line.partition(" of ")[0] for line in sweep.seen} == {
        f"KEY in {tmp_path / 'backend.log'}",
        "KEY in arguments",
        "KEY in environment",
    }


def test_every_folder_on_the_way_to_a_rendered_file_is_private(tmp_path: Path) -> None:
    file = tmp_path / "user/checkout/local/app/.env"
    secret_files.write(file, {"KEY": Secret("made up")})
    made = [folder for folder in file.parents if folder.is_relative_to(tmp_path) and folder != tmp_path]
    assert {folder.stat().st_mode & 0o777 for folder in made} == {0o700}
