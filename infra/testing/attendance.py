"""Coming and going of runs: who is entered in the list, what a dead one left, who turns off the lights."""

from __future__ import annotations

from collections.abc import Mapping

from infra.model.database_mark import read_mark
from infra.model.errors import CannotTell, InfraError
from infra.model.observed import Unknown
from infra.model.runner import Runner, RunnerList
from infra.model.safety import Permit, databases_of
from infra.plan.turns import are_alone, free_index, require_free
from infra.testing import bucket, suite
from infra.testing.ground import Ground
from infra.testing.register import is_gone, living, this_runner


def enter(ground: Ground) -> Runner:
    """Start the servers where need be and enter this run; CannotTell when another one has its namespace.

    A list that cannot be read stays as it is: this run then touches nothing but what is its own.
    """
    with ground.register.locked():
        seen = ground.register.read()
        if isinstance(seen, Unknown):
            return _enter_blindly(ground, seen)
        runners = seen.fact
        alive = living(runners.runners)
        require_free(ground.namespace or "", ground.identity.key, alive)
        mine = _runner(ground, free_index(alive))
        dead = [one for one in runners.runners if one not in alive]
        runners = runners.without(*(one.run for one in dead)).having(mine)
        ground.register.write(runners)
        ground.servers.start(lambda started: _note(ground, runners, started))
        for one in dead:
            _clear_after(ground, one, alive)
        ground.servers.cache().empty(mine.index)
        return mine


def start(ground: Ground, name: str) -> None:
    """Start one more server for this run, and note that it was started for tests."""
    with ground.register.locked():
        seen = ground.register.read()

        def note(started: Mapping[str, str]) -> None:
            if not isinstance(seen, Unknown):
                _note(ground, seen.fact, started)

        ground.servers.start(note, (name,))


def leave(ground: Ground, *, keep: bool) -> list[str]:
    """Take this run off the list, the last one stops what was started for it; give what went wrong."""
    try:
        with ground.register.locked():
            seen = ground.register.read()
            if isinstance(seen, Unknown):
                return []
            runners = seen.fact.without(ground.run)
            name = ground.servers.name
            started = runners.started.get(name, {})
            is_last = are_alone(name, ground.run, living(runners.runners))
            if is_last or keep:
                runners = runners.with_started(name, {})
            ground.register.write(runners)
            if started and is_last and not keep:
                ground.servers.stop(started)
    except InfraError as error:
        return [f"the servers: {error.message}"]
    return []


def _note(ground: Ground, runners: RunnerList, started: Mapping[str, str]) -> None:
    name = ground.servers.name
    if started:
        ground.register.write(runners.with_started(name, {**runners.started.get(name, {}), **started}))


def _runner(ground: Ground, index: int) -> Runner:
    return this_runner(ground.run, ground.namespace or "", ground.identity, ground.servers.name, index)


def _enter_blindly(ground: Ground, seen: Unknown) -> Runner:
    """Go on without the list: only where nobody uses our own databases, and with an empty cache database."""
    console = ground.this.console
    console.line(f"! the runner list cannot be read: {seen.cause}")
    console.line(f"! nothing of others is dropped or stopped; mend it: {ground.register.mending}")
    ground.servers.start(lambda _started: None)
    server = ground.servers.database()
    server.wait()
    wanted = databases_of(ground.names, ground.namespace)
    used = [row.name for row in server.rows(ground.database) if row.name in wanted and row.clients]
    if used:
        raise CannotTell(
            f"{', '.join(used)}: in use, perhaps by a run of this namespace",
            next_step=ground.register.mending,
        )
    return _runner(ground, ground.servers.cache().unused())


def _clear_after(ground: Ground, dead: Runner, alive: tuple[Runner, ...]) -> None:
    """End the processes that a killed run left, and drop its databases where they are on our server."""
    suite.end_all(dead.run)
    is_held = dead.namespace in {(ground.namespace or ""), *(one.namespace for one in alive)}
    if dead.servers != ground.servers.name or is_held or not is_gone(dead):
        return
    server = ground.servers.database()
    server.wait()
    found = server.comments(databases_of(ground.names, dead.namespace or None))
    marks = {name: read_mark(comment) for name, comment in found.items()}
    permit = Permit(
        frozenset(name for name, mark in marks.items() if mark and mark.subject == dead.namespace)
    )
    for database in permit.databases:
        server.drop(permit, database)
    bucket.remove_of(ground, dead.namespace)
    ground.this.console.line(f"a killed run left {dead.namespace}: cleared")


def shown(runners: RunnerList) -> list[Runner]:
    """Give the living runners, the oldest first."""
    return sorted(living(runners.runners), key=lambda one: one.created)
