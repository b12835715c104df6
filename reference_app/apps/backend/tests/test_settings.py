"""Settings come from the environment, are checked whole, and show no value."""

from __future__ import annotations

import importlib
import logging

import pytest

from src.config import MOCKED, ConfigError, Settings

GOOD = {
    "ENV": "test",
    "DATABASE_URL": "postgresql+asyncpg://user:hidden-word@localhost/finance_report",
    "REDIS_URL": "redis://:hidden-word@localhost:6379/0",
    "GIT_COMMIT_SHA": "0" * 40,
}
BAD = [
    ({"ENV": "prod"}, "ENV: Input should be 'development'"),
    ({"GIT_COMMIT_SHA": "hidden-word"}, "GIT_COMMIT_SHA: String should match"),
    ({"DATABASE_URL": "mysql://hidden-word"}, "DATABASE_URL: must start with postgresql+asyncpg://"),
    ({"DATABASE_URL": "postgresql+asyncpg://u:hidden-word@h:70000/x"}, "DATABASE_URL: is no address"),
    ({"REDIS_URL": "redis://"}, "REDIS_URL: is no address"),
    ({"PUBLIC_URL": "ftp://hidden-word"}, "PUBLIC_URL: must start with http:// or https://"),
    ({"S3_ENDPOINT": "http://"}, "S3_ENDPOINT: is no address"),
    ({"S3_ENDPOINT": "http://h", "S3_BUCKET": "b"}, "S3_ACCESS_KEY and S3_SECRET_KEY must be set too"),
    ({"PROVIDERS": "hidden-word"}, "PROVIDERS: Input should be 'real' or 'mock'"),
    ({"PROVIDERS": "mock", "ENV": "staging"}, "PROVIDERS=mock is for ENV=development and ENV=test"),
]


@pytest.mark.parametrize(("changed", "said"), BAD)
def test_a_bad_setting_is_named_and_its_value_is_not_shown(changed: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as fault:
        Settings.read(GOOD | changed)
    assert said in str(fault.value)
    assert "hidden-word" not in str(fault.value)


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ConfigError) as fault:
        Settings.read({})
    assert str(fault.value).count("is not set") == 4


def test_secrets_are_masked_in_every_text_form() -> None:
    settings = Settings.read(GOOD)
    assert "hidden-word" not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_mock_providers_need_no_setting_and_keep_those_that_are_set() -> None:
    assert Settings.read({"PROVIDERS": "mock"}).git_sha == MOCKED["GIT_COMMIT_SHA"]
    assert Settings.read({"PROVIDERS": "mock", "GIT_COMMIT_SHA": "a" * 40}).git_sha == "a" * 40


def test_the_server_starts_from_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS", "mock")
    monkeypatch.setenv("ENV", "test")
    main = importlib.import_module("src.main")
    assert main.app.state.settings.is_mocked
    monkeypatch.setenv("ENV", "nowhere")
    with pytest.raises(SystemExit, match="configuration: ENV"):
        main._settings()


@pytest.mark.parametrize(
    ("path", "code", "is_kept"), [("/health", 200, False), ("/health", 503, True), ("/ping", 200, True)]
)
def test_good_answers_of_health_stay_out_of_the_log(
    monkeypatch: pytest.MonkeyPatch, path: str, code: int, is_kept: bool
) -> None:
    monkeypatch.setenv("PROVIDERS", "mock")
    main = importlib.import_module("src.main")
    arguments = ("127.0.0.1:1", "GET", path, "1.1", code)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "", arguments, None)
    assert main._quiet_health(record) is is_kept
