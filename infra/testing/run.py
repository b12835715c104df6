"""The runbook of a test run.

names ─▶ list, servers ─▶ layers ─▶ databases ─▶ pytest ─▶ databases gone ─▶ list, servers
                                                   └── whatever happens ──────────┘
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.embedded_store import UNIT
from infra.model.errors import InfraError, NotCleaned
from infra.model.pytest_code import require_passed
from infra.model.secret import Secret
from infra.signals import Signals
from infra.testing import attendance, suite, template
from infra.testing.bucket import Bucket
from infra.testing.command import Line, Wishes, line, summary, variables
from infra.testing.databases import Databases
from infra.testing.door import Door
from infra.testing.ground import Ground, ground
from infra.testing.names import show

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.runner import Runner
    from infra.model.service import Project

SHOWN = 10


@dataclass(slots=True)
class Ended:
    """How pytest ended: its exit code, what the plug-in told, and seconds; `left` is what stayed behind."""

    code: int | None = None
    report: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    left: list[str] = field(default_factory=list)


def run(this: Command, project: Project, wishes: Wishes) -> None:
    """Run the application's tests in databases of their own; whatever happens, nothing of them stays."""
    wishes.require_valid()
    place = ground(this, project, wishes.env, claim=True)
    words = line(place.application(), project.name, wishes)
    show(place)
    ended = Ended()
    signals = Signals()
    try:
        with signals, ExitStack() as at_the_end:
            _run(place, words, ended, signals, _Steps(at_the_end, signals, ended), wishes)
    except KeyboardInterrupt:
        if not signals.arrived:
            raise
    finally:
        _tell(this, words, ended)
    signals.give_back()
    _judge(ended)


@dataclass(frozen=True, slots=True)
class _Steps:
    """What is done at the end, the last step first. A step that fails is noted, and the others go on."""

    stack: ExitStack
    signals: Signals
    ended: Ended

    def later(self, step: Callable[[], list[str]]) -> None:
        """Do this at the end; it gives what it left behind."""
        self.stack.callback(self._take, step)

    def _take(self, step: Callable[[], list[str]]) -> None:
        self.signals.hold()
        try:
            self.ended.left += step()
        except Exception as error:  # noqa: BLE001  # one step's fault must not keep the others from cleaning up
            self.ended.left.append(f"{type(error).__name__}: {error}")


def _run(place: Ground, words: Line, ended: Ended, signals: Signals, steps: _Steps, wishes: Wishes) -> None:
    steps.later(lambda: attendance.leave(place, keep=wishes.keep))
    with place.this.console.stage("servers"):
        mine = attendance.enter(place)
    with place.this.console.stage("databases") as stage:
        databases = _databases(place, steps)
        steps.later(lambda: _emptied(place, mine))
        own = variables(place, place.application(), mine.index)
        is_new = template.ensure(databases, place.application(), own)
        url = databases.make_main()
        place.this.outcome.facts["migrated"] = is_new
        stage.say("migrated" if is_new else "copied; no migration has changed")
    bucket = Bucket(place, lambda: attendance.start(place, UNIT))
    steps.later(bucket.remove)
    if wishes.wants_object_store:
        with place.this.console.stage("objects"):
            own |= bucket.open()
    with _opened(place, databases, bucket, ended) as door:
        own |= {"DATABASE_URL": url.reveal(), "INFRA_TEST_DOOR": door.address}
        began = time.monotonic()
        steps.later(lambda: _ended(place))
        ended.code = suite.run(
            words.argv, place.application().folder, own, signals, place.this.console.passage
        )
        ended.seconds = round(time.monotonic() - began, 3)


def _databases(place: Ground, steps: _Steps) -> Databases:
    """Give the run's databases, after all safety layers and without leftovers of an earlier run."""
    server = place.servers.database()
    server.wait()
    permit = place.leave(server)
    databases = Databases(place, server, place.servers.application_password(server), permit)
    steps.later(databases.drop_all)
    databases.clear_leftovers()
    return databases


@contextmanager
def _opened(place: Ground, databases: Databases, bucket: Bucket, ended: Ended) -> Iterator[Door]:
    door = Door(databases.worker, bucket.open)
    place.this.redactor.learn(Secret(door.address))
    door.start()
    try:
        yield door
    finally:
        door.close()
        ended.report = {**door.report, **({"faults": door.faults} if door.faults else {})}


def _ended(place: Ground) -> list[str]:
    return [f"process {pid} does not end" for pid in suite.end_all(place.run)]


def _emptied(place: Ground, mine: Runner) -> list[str]:
    try:
        place.servers.cache().empty(mine.index)
    except InfraError as error:
        return [f"the cache: {error.message}"]
    return []


def _tell(this: Command, words: Line, ended: Ended) -> None:
    """Print what the run cost, and note it for programs."""
    facts = {
        "pytest_exit_code": ended.code,
        "seconds": ended.seconds,
        "workers": words.workers,
        "tests": ended.report.get("tests", {}),
        "slowest": ended.report.get("slowest", []),
        "left": ended.left,
    }
    this.outcome.facts |= facts
    for fault in ended.report.get("faults", ()):
        this.console.line(f"! the tests did not get what they asked for: {fault}")
    for name, seconds in ended.report.get("slowest", [])[:SHOWN]:
        this.console.line(f"{seconds:8.2f} s  {name}")
    if ended.code is not None:
        hands = "one worker" if words.workers == 1 else f"{words.workers} workers"
        said = f"{summary(facts['tests'])} in {ended.seconds:.1f} s with {hands}"
        this.console.line(f"{said}; pytest exit code {ended.code}")
    for line_left in ended.left:
        this.console.line(f"! left behind: {line_left}")


def _judge(ended: Ended) -> None:
    """Give pytest's code its meaning; clean-up that failed after green tests is an answer of its own."""
    require_passed(ended.code or 0, './inv test.run --args "..."', "./inv test.run --workers 1 --args -x")
    if ended.left:
        raise NotCleaned(
            f"the tests passed, {len(ended.left)} things stayed behind",
            next_step="./inv cleanup.dbs --grace 0",
            evidence=tuple(ended.left),
        )
