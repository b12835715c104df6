"""The gate against a target that tells it anything: the first final fact decides, and time does the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.model.answer import Answer, Category, NoAnswer
from infra.verify import gate as module
from infra.verify.gate import Aim, Gate

SHA = "a" * 40
LINE = '[CHECKPOINT-{0}] state={1} name={2} deploy={3} t=0.10{4} msg="words"'
SERVED = LINE.format(3, "ok", "server", "d1", "")
AIM = Aim(
    units=("backend", "frontend"),
    deploy="d1",
    release=SHA,
    answers=("http://direct/health",),
    pages=("http://router/",),
    reporter="backend",
    deadline=0.6,
    interval=0.02,
    command="./inv logs",
)


@dataclass
class Target:
    """What the supervisor and the logs say; `units` may change between looks."""

    units: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=lambda: [SERVED])

    def states(self) -> dict[str, dict[str, Any]]:
        ready = {"state": "ready", "why": "", "exits": 0, "last_exit": ""}
        return {name: {**ready, **self.units.get(name, {})} for name in AIM.units}

    def log(self, _unit: str, lines: int = 200) -> list[str]:
        return self.lines[-lines:]


def answer(code: int, /, **body: Any) -> Answer:
    return Answer(code, {"content-type": "application/json"}, json.dumps(body).encode(), 1.0, "http://x/")


HEALTHY = answer(200, status="healthy", git_sha=SHA)


def passed(monkeypatch: pytest.MonkeyPatch, *answers: Answer | NoAnswer, target: Target | None = None) -> Any:
    """Run the gate on these answers of the health address; the last one goes on for ever."""
    left = list(answers)

    def ask(url: str) -> Answer | NoAnswer:
        if url == "http://router/":
            return answer(200)
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(module, "ask", ask)
    gate = Gate(target or Target(), AIM)
    return gate.wait()


def test_two_good_answers_in_a_row_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    assert passed(monkeypatch, HEALTHY).ok


def test_one_good_answer_between_bad_ones_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = answer(503, status="unhealthy")
    verdict = passed(monkeypatch, HEALTHY, bad, HEALTHY, bad)
    assert (verdict.ok, verdict.category) == (False, "unhealthy")


@pytest.mark.parametrize(
    ("said", "category"),
    [
        (answer(503, status="unhealthy"), "unhealthy"),
        (answer(200, status="unhealthy"), "unhealthy"),
        (answer(200, status="healthy", git_sha="b" * 40), "wrong_version"),
        (answer(404), "http_404"),
        (answer(502), "http_5xx"),
        (NoAnswer(Category.CONNECT, "refused", 1.0, "http://x/"), "connect"),
    ],
)
def test_the_deadline_tells_the_category_that_was_last_seen(
    monkeypatch: pytest.MonkeyPatch, said: Answer | NoAnswer, category: str
) -> None:
    verdict = passed(monkeypatch, said)
    assert (verdict.ok, verdict.category) == (False, category)
    assert verdict.cause.startswith(f"{category} after")
    assert verdict.next_step == "./inv logs"


def test_a_unit_that_ended_stops_the_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Target({"backend": {"state": "restarting", "exits": 1, "last_exit": "code 3"}})
    verdict = passed(monkeypatch, HEALTHY, target=dead)
    assert (verdict.category, verdict.cause) == ("exited", "backend ended with code 3")


def test_an_end_that_happened_before_this_deploy_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ask", lambda url: answer(200) if url == "http://router/" else HEALTHY)
    target = Target({"frontend": {"exits": 2}})
    from dataclasses import replace

    assert not Gate(target, AIM).wait().ok
    assert Gate(target, replace(AIM, exits={"frontend": 2})).wait().ok


def test_a_failed_checkpoint_is_the_cause_and_names_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [LINE.format(2, "fail", "migrations", "d1", " reason=migration_error")]
    verdict = passed(monkeypatch, HEALTHY, target=Target(lines=lines))
    assert (verdict.ok, verdict.category) == (False, "migration_error")


def test_checkpoints_of_another_deploy_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    old = [LINE.format(2, "fail", "migrations", "d0", " reason=migration_error"), SERVED]
    assert passed(monkeypatch, HEALTHY, target=Target(lines=old)).ok
    only_old = [LINE.format(3, "ok", "server", "d0", "")]
    assert "checkpoint 3 is not reported" in passed(monkeypatch, HEALTHY, target=Target(lines=only_old)).cause


def test_a_unit_that_is_not_ready_is_waited_for_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    late = Target({"frontend": {"state": "waiting", "why": "needs backend"}})
    assert "frontend is waiting (needs backend)" in passed(monkeypatch, HEALTHY, target=late).cause
