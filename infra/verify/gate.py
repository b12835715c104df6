"""The health gate: does the new release really serve? Asked directly and through the router."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from infra.model.answer import Category
from infra.model.checkpoint import Checkpoint, checkpoints_of, furthest
from infra.model.verdict import Verdict
from infra.plan.health import classify
from infra.verify.http import ask


class Watched(Protocol):
    """What the gate looks at beside HTTP: the supervisor's states and the units' output."""

    def states(self) -> dict[str, dict[str, Any]]:
        """Give each unit's state, why, pid, exits and last_exit."""

    def log(self, unit: str, lines: int = 200) -> list[str]:
        """Give the last lines of a unit's output."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What has to be true. `answers` are health addresses in the order in which they are asked.

    `pages` have to answer 200 once `answers` do; `reporter` is the unit whose checkpoints count, if any.
    `in_a_row` is how many good answers must follow each other. `exits` are the ends of units that
    happened before and do not count here. Units `beside` have to be started, and nobody waits for more.
    """

    units: tuple[str, ...]
    deploy: str
    beside: tuple[str, ...] = ()
    release: str = ""
    answers: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    reporter: str = ""
    in_a_row: int = 2
    deadline: float = 60.0
    interval: float = 0.1
    command: str = ""
    exits: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Gate:
    """One pass of the gate; `seen` says in a few words what it waits for."""

    target: Watched
    aim: Aim
    on_progress: Callable[[str], None] = lambda _: None
    seen: str = "nothing yet"
    category: str = Category.TIMEOUT
    streak: int = 0
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def wait(self) -> Verdict:
        """Give the verdict: ok, the first final fact against it, or what was last seen at the deadline."""
        deadline = time.monotonic() + self.aim.deadline
        while time.monotonic() < deadline:
            asked = time.monotonic()
            final = self._final_fact()
            if final:
                return self._bad(final)
            if self._is_good():
                return Verdict(ok=True, checkpoints=self._lines())
            self.on_progress(self._progress())
            time.sleep(max(0.0, self.aim.interval - (time.monotonic() - asked)))
        return self._bad(f"{self.category} after {self.aim.deadline:.0f} s; last seen: {self.seen}")

    def _progress(self) -> str:
        """Give the last checkpoint and what was last seen, as a person follows it."""
        last = self.checkpoints[-1] if self.checkpoints else None
        return f"{last.name} {last.state}, {self.seen}" if last else self.seen

    def _final_fact(self) -> str:
        states = self.target.states()
        for unit in self.aim.units:
            state = states.get(unit, {})
            if state.get("exits", 0) > self.aim.exits.get(unit, 0):
                self.category = "exited"
                return self._failed_checkpoint() or f"{unit} ended with {state['last_exit']}"
        return self._failed_checkpoint()

    def _failed_checkpoint(self) -> str:
        if not self.aim.reporter:
            return ""
        self.checkpoints = checkpoints_of(self.target.log(self.aim.reporter), self.aim.deploy)
        failed = next((one for one in self.checkpoints if one.state == "fail"), None)
        if failed is None:
            return ""
        self.category = failed.reason.partition(":")[0]
        return f"checkpoint {failed}"

    def _is_good(self) -> bool:
        """Count good answers also while other units still start; look at the rest once there are enough."""
        self.streak = self.streak + 1 if self._answers_good() else 0
        is_enough = self.streak >= self.aim.in_a_row or not self.aim.answers
        return is_enough and self._units_ready() and self._pages_good() and self._server_reported()

    def _units_ready(self) -> bool:
        states = self.target.states()
        first = self.aim.reporter if self.aim.answers else ""
        for unit in self.aim.units:
            state = states.get(unit, {"state": "unknown", "why": "the supervisor does not know it"})
            if state["state"] != "ready" and unit != first:
                self.seen = f"{unit} is {state['state']}" + (f" ({state['why']})" if state["why"] else "")
                return False
        waiting = [unit for unit in self.aim.beside if states.get(unit, {}).get("state") in {None, "waiting"}]
        if waiting:
            self.seen = f"{waiting[0]} is not started yet"
        return not waiting

    def _answers_good(self) -> bool:
        for url in self.aim.answers:
            answer = ask(url)
            category = classify(answer, self.aim.release or None)
            if category is not Category.OK:
                self.category, self.seen = category, f"{url}: {answer}"
                return False
        return True

    def _pages_good(self) -> bool:
        for url in self.aim.pages:
            answer = ask(url)
            if getattr(answer, "status", None) != 200:
                self.category, self.seen = Category.HTTP_OTHER, f"{url}: {answer}"
                return False
        return True

    def _server_reported(self) -> bool:
        if not self.aim.reporter:
            return True
        server = furthest(self.checkpoints).get("server")
        self.seen = "checkpoint 3 is not reported yet"
        return server is not None and server.state == "ok"

    def _bad(self, cause: str) -> Verdict:
        suspect = self._suspect()
        return Verdict(
            ok=False,
            category=self.category,
            cause=cause,
            evidence=(*self._lines()[-3:], *self.target.log(suspect, 20)),
            next_step=self.aim.command,
            checkpoints=self._lines(),
        )

    def _suspect(self) -> str:
        """Give the unit whose output tells most: the first one that is not ready."""
        states: Mapping[str, Mapping[str, Any]] = self.target.states()
        bad = [unit for unit in self.aim.units if states.get(unit, {}).get("state") != "ready"]
        return next(filter(None, (*bad, self.aim.reporter, *self.aim.units, *self.aim.beside)))

    def _lines(self) -> tuple[str, ...]:
        return tuple(str(one) for one in furthest(self.checkpoints).values())
