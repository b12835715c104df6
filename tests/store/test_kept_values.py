"""What the store still keeps of older versions is masked where it may be shown, and read only there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

import finance_report
from infra.console import Console
from infra.model.command_line import CommandLine
from infra.model.errors import KnownBad
from infra.model.redaction import Redactor
from infra.model.secret import MASK, Secret
from infra.store.interface import Store
from infra.store.kept_values import older_values
from infra.store.session_keys import Keys
from tests.store.sites import AT, Site

SPECS = tuple(spec for service in finance_report.PROJECT.services for spec in service.secrets)
POSTGRES, REDIS = "finance_report/local/postgres", "finance_report/local/redis"
OLD, OLDER, NEW = "old-password-22", "older-password-1", "new-password-333"


@dataclass
class Ground:
    """A store in which a password was renewed twice, and the console of a command that works with it."""

    site: Site

    def __post_init__(self) -> None:
        for value in (OLDER, OLD, NEW):
            self.site.store.put(
                POSTGRES, {"APP_PASSWORD": Secret(value), "POSTGRES_PASSWORD": Secret("p" * 20)}
            )
        self.site.store.put(REDIS, {"PASSWORD": Secret("cache-password-1")})
        self.open()

    def open(self) -> None:
        """Begin another command."""
        redactor, commands = Redactor(), CommandLine("finance_report", "local")
        redactor.later(Keys(self.site.again(), commands, "local", SPECS, lambda: AT, redactor).older)
        redactor.learn(Secret(NEW))
        self.console = Console(redactor)


@pytest.fixture
def ground(site: Site) -> Ground:
    return Ground(site)


def test_the_values_of_all_versions_but_the_newest_are_given(ground: Ground) -> None:
    paths = [("postgres", POSTGRES), ("redis", REDIS), ("app", "finance_report/local/app")]
    found = list(older_values(ground.site.store, paths))
    assert [value.reveal() for place, value in found if place == ("postgres", "APP_PASSWORD")] == [OLDER, OLD]
    assert {service for (service, _), _ in found} == {"postgres"}


def test_versions_that_were_deleted_or_destroyed_are_left_out(ground: Ground) -> None:
    ground.site.store.destroy(POSTGRES, (1,))
    ground.site.store.delete(POSTGRES, (2,))
    assert list(older_values(ground.site.store, [("postgres", POSTGRES)])) == []


WAYS: dict[str, Callable[[Console, str], object]] = {
    "a log": lambda console, text: console.log("postgres", [text]),
    "evidence": lambda console, text: console.error(KnownBad("x", evidence=(text,))),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_old_value_is_masked_in_logs_and_evidence(
    ground: Ground, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    WAYS[way](ground.console, f"tried {OLD}, then {OLDER}, then {NEW}")
    told = "".join(capsys.readouterr())
    assert f"tried {MASK}, then {MASK}, then {MASK}" in told


def test_a_command_that_prints_none_of_it_reads_none_of_it(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(_store: Store, path: str) -> None:
        raise AssertionError(path)

    monkeypatch.setattr(type(ground.site.store), "metadata", asked)
    ground.console.line("ok")
    ground.console.error(KnownBad("it does not work", next_step="./inv doctor"))
    assert "it does not work" in capsys.readouterr().err


def test_what_cannot_be_read_is_said_once_and_the_rest_is_told(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.site.refuse()
    ground.open()
    ground.console.log("postgres", ["one"])
    ground.console.log("postgres", ["two"])
    told = capsys.readouterr()
    assert told.out == "postgres | one\npostgres | two\n"
    assert told.err.count("values of older versions cannot be read, and are not masked") == 1
