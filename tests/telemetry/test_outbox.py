"""What a command sends arrives, and no receiver can make it wait for more than 2 s, or speak twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from infra import telemetry
from infra.plan.telemetry import Event, logs_url, request
from infra.telemetry import Outbox
from infra.verify.loopback import dripping, hanging, refusing
from tests.doubles.http_server import saying, self_signed
from tests.doubles.otlp_receiver import receiving
from tests.waiting import until

TEXT = json.dumps(request(Event("deploy.start", 1, "x"), [{"service.name": "x"}]))


def seconds_of(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


@contextmanager
def slow() -> Iterator[str]:
    with receiving() as receiver:
        receiver.delay = 60
        yield receiver.url


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "PATIENCE", 0.4)


def test_all_that_was_put_has_arrived_in_order_when_the_flush_ends() -> None:
    outbox = Outbox()
    with receiving() as receiver:
        for number in range(1, 6):
            event = Event("deploy.start", number, f"{number}")
            outbox.put(logs_url(receiver.url), json.dumps(request(event, [{"service.name": "x"}])))
        assert seconds_of(outbox.flush) < 2
        assert [one.message for one in receiver.records] == ["1", "2", "3", "4", "5"]
        assert receiver.faults == []
    assert outbox.complaint() == ""


def test_an_outbox_that_nothing_was_put_into_starts_nothing() -> None:
    outbox = Outbox()
    assert seconds_of(outbox.flush) < 0.05
    assert outbox.complaint() == ""


@pytest.mark.usefixtures("short_patience")
@pytest.mark.parametrize(
    ("receiver", "why"),
    [
        (refusing, "Connection refused"),
        (hanging, "in 0.4 s"),
        (slow, "in 0.4 s"),
        (lambda: dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"), "in 0.4 s"),
        (lambda: saying(b""), "closed connection without response"),
        (lambda: saying(b"gibberish\r\n\r\n"), "gibberish"),
    ],
)
def test_a_receiver_that_does_not_answer_costs_its_patience_once_and_is_named_once(
    receiver: Callable[[], AbstractContextManager[str]], why: str
) -> None:
    outbox = Outbox()
    with receiver() as base:
        waited = 0.0
        for _ in range(4):
            outbox.put(logs_url(base), TEXT)
            waited += seconds_of(outbox.flush)
        assert waited < 0.8
        assert why in outbox.complaint().replace("timed out", "in 0.4 s")
        outbox.put(logs_url(base), TEXT)
        outbox.flush()
        assert outbox.complaint() == ""


@pytest.mark.usefixtures("short_patience")
def test_a_receiver_that_is_slow_with_each_record_uses_up_one_patience_for_all() -> None:
    outbox, waited = Outbox(), 0.0
    with receiving() as receiver:
        receiver.delay = 0.25
        for _ in range(8):
            outbox.put(logs_url(receiver.url), TEXT)
            waited += seconds_of(outbox.flush)
        assert receiver.records
    assert 0.25 < waited < 1
    assert outbox.complaint() == "no answer in 0.4 s"


@pytest.mark.usefixtures("short_patience")
def test_a_receiver_that_was_silent_while_others_worked_costs_nothing_at_the_end() -> None:
    outbox = Outbox()
    with hanging() as base:
        outbox.put(logs_url(base), TEXT)
        assert until(outbox.complaint) == "timed out"
        outbox.put(logs_url(base), TEXT)
        assert seconds_of(outbox.flush) < 0.1


def test_a_receiver_that_says_no_once_still_gets_the_next_record() -> None:
    outbox = Outbox()
    with receiving() as receiver:
        receiver.status = 500
        outbox.put(logs_url(receiver.url), TEXT)
        outbox.flush()
        receiver.status = 200
        outbox.put(logs_url(receiver.url), TEXT)
        outbox.flush()
        assert len(receiver.records) == 1
    assert outbox.complaint() == "it answered 500"


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(tmp_path: Path) -> None:
    outbox = Outbox()
    with receiving(self_signed(tmp_path)) as receiver:
        outbox.put(logs_url(receiver.url), TEXT)
        outbox.flush()
        assert receiver.bodies == []
    assert "CERTIFICATE_VERIFY_FAILED" in outbox.complaint()


@pytest.mark.parametrize("host", ["nobody.invalid", "..", "a" * 70])
def test_a_host_that_cannot_be_found_is_a_fault_like_any_other(host: str) -> None:
    outbox = Outbox()
    outbox.put(logs_url(f"http://{host}"), TEXT)
    assert seconds_of(outbox.flush) < 2.2
    assert outbox.complaint()
