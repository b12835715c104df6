"""`python -m src.boot`: what the application needs to start, each of it broken once."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from doubles import ObjectStore

from src import boot, cache, secrets_file

MOCK = {"PROVIDERS": "mock"}
REDIS = cache.opened  # memory stands in for it where the run has no Redis
HIDDEN = "hidden-word"
S3 = {"S3_ACCESS_KEY": "access", "S3_SECRET_KEY": HIDDEN, "S3_BUCKET": "statements"}


def asked(
    capsys: pytest.CaptureFixture[str], mode: str, environment: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """The exit code and each row by its name."""
    code = boot.main(["--mode", mode, "--json"], environment)
    said = json.loads(capsys.readouterr().out)
    assert (said["mode"], said["exit_code"]) == (mode, code)
    assert HIDDEN not in json.dumps(said)
    return code, {row["name"]: row for row in said["rows"]}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A rendered secrets file with a fresh heartbeat."""
    file = tmp_path / ".env"
    file.write_text(f"KEY={HIDDEN}\n")
    file.with_name(".heartbeat").touch()
    return file


@pytest.fixture
def whole(variables: dict[str, str], secrets: Path, store: ObjectStore) -> dict[str, str]:
    """An environment in which everything is well."""
    ai = {"OPENROUTER_API_KEY": HIDDEN, "OPENROUTER_URL": store.address}
    return variables | S3 | ai | {"S3_ENDPOINT": store.address, "INFRA_SECRETS_FILE": str(secrets)}


@pytest.mark.parametrize(
    ("mode", "names"),
    [
        ("dry-run", ["settings"]),
        ("critical", ["settings", "postgres"]),
        ("full", ["settings", "postgres", "redis", "s3", "secrets"]),
    ],
)
def test_each_mode_asks_a_little_more(
    capsys: pytest.CaptureFixture[str], whole: dict[str, str], mode: str, names: list[str]
) -> None:
    del whole["OPENROUTER_API_KEY"]
    code, rows = asked(capsys, mode, whole)
    assert code == 0
    assert [name for name, row in rows.items() if row["status"] == "ok"] == names


def test_what_is_not_set_is_skipped(capsys: pytest.CaptureFixture[str], whole: dict[str, str]) -> None:
    code, rows = asked(capsys, "full", whole | {"S3_ENDPOINT": "", "OPENROUTER_API_KEY": ""})
    assert (code, rows["s3"]["status"], rows["ai"]["status"]) == (0, "skipped", "skipped")


NOWHERE = "127.0.0.1:1"
BROKEN = {
    "postgres": {"DATABASE_URL": f"postgresql+asyncpg://user:{HIDDEN}@{NOWHERE}/x"},
    "s3": {"S3_ENDPOINT": f"http://{NOWHERE}"},
    "ai": {"OPENROUTER_URL": f"http://{NOWHERE}"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_dependency_that_does_not_answer_is_the_only_error(
    capsys: pytest.CaptureFixture[str], whole: dict[str, str], name: str
) -> None:
    whole["OPENROUTER_URL"] += "/statements"
    code, rows = asked(capsys, "full", whole | BROKEN[name])
    errors = {row["name"] for row in rows.values() if row["status"] == "error"}
    assert (code, errors) == (1, {name} | ({"ai"} if name == "ai" else errors & {"ai"}))


def test_redis_that_does_not_answer_is_an_error(
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    secrets: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cache, "opened", REDIS)
    broken = {"REDIS_URL": f"redis://:{HIDDEN}@{NOWHERE}/0", "INFRA_SECRETS_FILE": str(secrets)}
    code, rows = asked(capsys, "full", variables | broken)
    assert (code, rows["redis"]["status"]) == (1, "error")
    assert rows["redis"]["message"] == "ConnectionError"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": f"postgresql+asyncpg://u:{HIDDEN}@host:port/x"}, "DATABASE_URL: is no address"),
        ({"PROVIDERS": "mock", "ENV": "production"}, "PROVIDERS=mock is for"),
    ],
)
def test_settings_that_cannot_be_loaded_are_exit_2_in_every_mode(
    capsys: pytest.CaptureFixture[str], variables: dict[str, str], changed: dict[str, str], said: str
) -> None:
    for mode in boot.DEPTHS:
        code, rows = asked(capsys, mode, variables | changed)
        assert (code, rows["settings"]["status"], list(rows)) == (2, "error", ["settings"])
        assert said in rows["settings"]["message"]


@pytest.mark.parametrize("arguments", [["--mode", "deep"], ["--mode"], ["extra"]])
def test_bad_arguments_are_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        boot.main(arguments, MOCK)
    assert end.value.code == 2


def test_ctrl_c_is_exit_130(monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(boot, "_asked", interrupted)
    assert boot.main([], MOCK) == 130


def test_without_json_there_is_a_line_for_each_row_and_the_next_step_below(
    capsys: pytest.CaptureFixture[str], whole: dict[str, str], tmp_path: Path
) -> None:
    assert (
        boot.main([], whole | {"INFRA_SECRETS_FILE": str(tmp_path / "none"), "OPENROUTER_API_KEY": ""}) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["ok", "settings"],
        ["ok", "postgres"],
        ["ok", "redis"],
        ["ok", "s3"],
        ["skipped", "ai"],
        ["warning", "secrets"],
    ]
    assert lines[-1].strip() == secrets_file.RENEW
    assert HIDDEN not in "\n".join(lines)


def test_mock_providers_need_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = asked(capsys, "full", MOCK)
    assert (code, rows["secrets"]["status"]) == (0, "skipped")


HOUR = 3600
AGES = [
    # age of the heartbeat and of the file, then what is said
    (0, 0, "ok", "heartbeat 0 s ago"),
    (5, 9 * HOUR, "ok", "heartbeat 5 s ago"),
    (HOUR - 60, 0, "ok", "heartbeat 59 min ago"),
    (HOUR + 60, 0, "warning", "heartbeat 1 h ago, the agent may have stopped"),
    (50 * HOUR, 0, "warning", "heartbeat 2 d ago, the agent may have stopped"),
    (-90, 0, "ok", "heartbeat 0 s ago"),
    (None, 9 * HOUR, "ok", "rendered 9 h ago (information: there is no heartbeat)"),
]


@pytest.mark.parametrize(("heartbeat", "age", "status", "said"), AGES)
def test_freshness_is_measured_on_the_heartbeat(
    secrets: Path, heartbeat: float | None, age: float, status: str, said: str
) -> None:
    now = time.time()
    os.utime(secrets, (now - age, now - age))
    beat = secrets.with_name(".heartbeat")
    if heartbeat is None:
        beat.unlink()
    else:
        os.utime(beat, (now - heartbeat, now - heartbeat))
    found = secrets_file.freshness(secrets, now)
    assert (found.status, found.message) == (status, said)
    assert found.next_step == (secrets_file.RENEW if status == "warning" else "")


def test_a_secrets_file_that_is_missing_is_a_warning_with_the_command(tmp_path: Path) -> None:
    found = secrets_file.freshness(tmp_path / ".env", time.time())
    assert (found.status, found.next_step) == ("warning", secrets_file.RENEW)


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is empty"), (" \n", "is empty"), (f"KEY={HIDDEN}\nX=<no value>", "holds <no value>")],
)
def test_a_secrets_file_that_holds_nothing_is_an_error(secrets: Path, content: str, said: str) -> None:
    secrets.write_text(content)
    found = secrets_file.freshness(secrets, time.time())
    assert (found.status, found.message) == ("error", f"{secrets} {said}")


def test_a_secrets_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    found = secrets_file.freshness(tmp_path, time.time())
    assert (found.status, found.message) == ("error", f"{tmp_path} cannot be read: Is a directory")
