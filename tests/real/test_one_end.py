"""A deploy whose reader goes away, or whose terminal closes, goes back as after a bad verdict."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence

import pytest

from infra.model.interruption import ONE_PRESS
from tests.real.conftest import Checkout
from tests.waiting import until

pytestmark = pytest.mark.real
SETUP = "finance_report.app.setup"


@pytest.fixture(autouse=True)
def hang_ups() -> Iterator[None]:
    """What a test starts does not ignore SIGHUP, also where somebody started the tests with nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def read_until(running: subprocess.Popen[str], word: str) -> None:
    """Read what a command prints up to a line with this word."""
    assert running.stderr
    for line in running.stderr:
        if word in line:
            return
    pytest.fail(f"{word!r} was never printed")


def verdicts(checkout: Checkout) -> list[str]:
    records = checkout.run("finance_report.app.history", "--json").json["facts"]["records"]
    return [one["verdict"] for one in records]


def on_the_way(checkout: Checkout, words: Sequence[str] = (SETUP, "--json")) -> subprocess.Popen[str]:
    """Start a deploy of what never answers, and come back when it is applied and has to be proven."""
    running = checkout.popen(*words)
    read_until(running, " apply ")
    return running


def test_a_deploy_goes_back_whoever_stops_reading_or_asks_it_to_stop(checkout: Checkout) -> None:
    checkout.settings("environments: {local: {deadline: 6}}\n")
    checkout.setup()
    good = checkout.health["git_sha"]
    checkout.misbehave(mode="hang")

    unread = on_the_way(checkout, [SETUP])
    assert unread.stderr
    assert unread.stdout
    unread.stderr.close()
    unread.stdout.close()
    assert unread.wait(60) == 1
    assert checkout.health["git_sha"] == good
    assert verdicts(checkout)[:2] == ["ok", "failed"]

    for number, code in ((signal.SIGHUP, 129), (signal.SIGINT, 130)):
        asked = on_the_way(checkout)
        asked.send_signal(number)
        out, _ = asked.communicate(timeout=60)
        answer = json.loads(out)
        assert (asked.returncode, answer["exit_code"], answer["outcome"]) == (code, code, "interrupted")
        assert answer["facts"]["rolled_back"] is True
        assert checkout.health["git_sha"] == good
        assert verdicts(checkout)[:2] == ["ok", "interrupted"]
    assert "nobody deploys local" in checkout.run("lock.status").out

    checkout.misbehave()
    assert checkout.run("finance_report.app.rollback").code == 1, (
        "the release before the first one is not there"
    )
    assert checkout.health["git_sha"] == good


def test_a_second_signal_leaves_what_runs_and_the_next_command_tells_and_records_it(
    checkout: Checkout,
) -> None:
    checkout.setup()
    checkout.misbehave(mode="hang")
    asked = on_the_way(checkout)
    asked.send_signal(signal.SIGTERM)
    pressed = time.monotonic()
    read_until(asked, "rolling back")
    until(lambda: time.monotonic() - pressed > ONE_PRESS)
    asked.send_signal(signal.SIGINT)
    out, _ = asked.communicate(timeout=20)
    assert asked.returncode == 143
    assert "backend" in json.loads(out)["facts"]["running"]

    told = checkout.run("finance_report.app.plan")
    assert "left behind" in told.err, told.err
    checkout.misbehave()
    assert checkout.setup("--json").json["outcome"] in {"deployed", "nothing to do"}
    assert verdicts(checkout)[0] == "ok"
    assert "interrupted" in verdicts(checkout)
    assert "left behind" not in checkout.run("finance_report.app.plan").err
