"""The entry points' shell, rendered and run in every shell that a container may have."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infra.model import dotenv
from infra.model.checkpoint import checkpoints_of
from infra.workspace import templates
from tests.shells import SHELLS, each

TEMPLATES = templates.load(Path(__file__).parents[2])


@pytest.fixture(params=each(*SHELLS))
def shell(request: pytest.FixtureRequest) -> list[str]:
    return SHELLS[request.param]


def run(
    shell: list[str], folder: Path, text: str | None, *, limit: float = 0.3
) -> subprocess.CompletedProcess[str]:
    """Run the cache's entry point on a secrets file with this text; it becomes `env` at its end."""
    script = folder / "entrypoint.sh"
    rendered = TEMPLATES.render(
        "entrypoint/redis.sh.j2",
        required_keys=["PASSWORD"],
        secrets_limit=limit,
        poll_seconds=0.05,
    )
    script.write_text(rendered.replace(str(limit * 100), str(int(limit * 100))), encoding="utf-8")
    if text is not None:
        (folder / ".env").write_text(text, encoding="utf-8", newline="")
    variables = {
        "PATH": os.environ["PATH"],
        "INFRA_SECRETS_FILE": str(folder / ".env"),
        "INFRA_CONFIG_FILE": str(folder / "server.conf"),
        "INFRA_DEPLOY": "deploy-1",
    }
    argv = [*shell, str(script), "env"]
    return subprocess.run(argv, env=variables, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "file_missing"),
        ("", "empty"),
        ("PASSWORD='<no value>'\n", "no_value"),
        ("OTHER='x'\n", "missing_key:PASSWORD"),
        ("PASSWORD=''\n", "missing_key:PASSWORD"),
        ("PASSWORD='half", "unreadable"),
    ],
)
def test_a_file_that_cannot_be_used_is_waited_for_and_then_named(
    shell: list[str], tmp_path: Path, text: str | None, reason: str
) -> None:
    done = run(shell, tmp_path, text)
    found = checkpoints_of(done.stdout.splitlines(), "deploy-1")
    assert done.returncode == 1
    assert [(one.state, one.reason) for one in (found[0], found[-1])] == [("start", ""), ("fail", reason)]
    assert found[-1].seconds >= 0.3
    assert not (tmp_path / "server.conf").exists()


@pytest.mark.parametrize("password", ["plain", 'quo"te', "back\\slash", "$HOME", "`id`", "a'b", "<x>", "#%!"])
def test_the_password_reaches_the_configuration_and_no_environment(
    shell: list[str], tmp_path: Path, password: str
) -> None:
    done = run(shell, tmp_path, dotenv.encode({"PASSWORD": password}))
    assert done.returncode == 0, done.stderr
    assert [one.state for one in checkpoints_of(done.stdout.splitlines(), "deploy-1")] == ["start", "ok"]
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    assert (tmp_path / "server.conf").read_text(encoding="utf-8") == f'requirepass "{escaped}"\n'
    assert (tmp_path / "server.conf").stat().st_mode & 0o777 == 0o600
    assert "PASSWORD" not in done.stdout


def test_a_file_that_arrives_late_is_taken(shell: list[str], tmp_path: Path) -> None:
    script = f"sleep 0.3; printf \"PASSWORD='x'\\n\" >{tmp_path}/.new; mv {tmp_path}/.new {tmp_path}/.env"
    writer = subprocess.Popen(["sh", "-c", script])
    done = run(shell, tmp_path, None, limit=9.0)
    writer.wait(10)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_template_renders_without_an_undefined_variable() -> None:
    from infra.model.errors import BadInput

    with pytest.raises(BadInput, match="required_keys"):
        TEMPLATES.render("entrypoint/redis.sh.j2", secrets_limit=1, poll_seconds=1)
