"""Checks of test runs: several at once, one that is killed, and what the clean-up leaves in peace."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from infra.accept import git
from infra.accept.ground import Ground, exits, on_stack, require
from infra.accept.processes import Done
from infra.accept.throwaway import Throwaway
from infra.model.acceptance import STACK, Evidence

TRUE_WITHIN = 60.0
USUAL_WORKERS = 4
MEETING = '''"""Writes into the database of its run, and waits until as many runs are here as shall meet."""
import asyncio, os, pathlib, time

import asyncpg


async def ask(url, *queries):
    session = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return [await session.fetch(query) for query in queries][-1]
    finally:
        await session.close()


def test_meeting(database_url):
    name, place = os.environ["TEST_NAMESPACE"], pathlib.Path("$PLACE")
    write = ("CREATE TABLE met (name text)", f"INSERT INTO met VALUES ('{name}')")
    asyncio.run(ask(database_url, *write, "SELECT 1"))
    (place / name).touch()
    deadline = time.monotonic() + 60
    while len(list(place.iterdir())) < $EXPECTED:
        assert time.monotonic() < deadline, "the others do not come"
        time.sleep(0.02)
    assert [row["name"] for row in asyncio.run(ask(database_url, "SELECT name FROM met"))] == [name]
'''
ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
RUN = "test.run --json --args tests/test_meeting.py"


def runs_meet(ground: Ground, backend: str, runs: Mapping[str, Mapping[str, str]]) -> Evidence:
    """Prove that runs which wait for each other in their tests pass, each in the database that is named.

    `runs` has the variables of each run by its database. They take the lock below the home folder.
    """
    stack = ground.stack
    with _meeting(stack, [stack.root / backend], len(runs)):
        done = _at_once(stack, [(stack.root, {"XDG_CACHE_HOME": "", **one}) for one in runs.values()])
    _require_passed(done, runs)
    lock = stack.folder / "home/.cache" / ground.project.name / "db.lock"
    require(lock.exists(), f"{done[0]}, and no {lock.relative_to(stack.folder)}")
    workers = {one.json["facts"]["workers"] for one in done}
    usual = min(USUAL_WORKERS, os.cpu_count() or 1)
    require(workers == {usual}, f"{done[0]}: {workers} workers, not {usual}")
    told = f"{len(runs)} times at once {done[0]}, {usual} workers each, in {', '.join(runs)}"
    return on_stack(f"{told}; lock ~/{lock.relative_to(stack.folder / 'home')}")


def worktrees_meet(ground: Ground, backend: str, branches: Sequence[str]) -> Evidence:
    """Prove that the tests of work trees pass at once; nothing runs there before, each starts its servers."""
    trial = ground.trial
    with git.repository(ground) as first:
        trees = [git.worktree(trial, first, branch) for branch in branches]
        with _meeting(trial, [tree / backend for tree in trees], len(trees)):
            done = _at_once(trial, [(tree, {}) for tree in trees])
    databases = [str(exits(one).json["facts"]["database"]) for one in done]
    require(len(set(databases)) == len(branches), f"{done[0]}: databases {databases}")
    _require_passed(done, databases)
    require(all(one.json["facts"]["migrated"] for one in done), f"{done[0]}, and nothing was migrated")
    told = f"git worktree add of {', '.join(branches)}; at once {done[0]} in {', '.join(databases)}"
    return Evidence("ok", told, STACK | {"GIT"})


def _require_passed(done: Sequence[Done], databases: Iterable[str]) -> None:
    for one, database in zip(done, databases, strict=True):
        facts = exits(one).json["facts"]
        require(facts["database"] == database, f"{one}: {facts['database']}, not {database}")
        require(facts["tests"] == {"passed": 1}, f"{one}: {facts['tests']}")
        require(facts["left"] == [], f"{one}: left {facts['left']}")


def killed_run(ground: Ground, backend: str, database: str, variables: Mapping[str, str]) -> Evidence:
    """Prove that a run killed in its tests leaves a database that the next run of its name starts anew."""
    stack = ground.stack
    _kill_in_tests(stack, backend, variables)
    require(database in _databases(stack), f"the killed run left no {database}")
    with _meeting(stack, [stack.root / backend], 1):
        again = exits(stack.inv(RUN, **variables))
    _require_passed([again], [database])
    require(database not in _databases(stack), f"{again}, and {database} is still there")
    return on_stack(f"a run killed in its tests left {database} with a table; {again} without that table")


def killed_run_cleaned(ground: Ground, backend: str, database: str, variables: Mapping[str, str]) -> Evidence:
    """Prove that clean-up drops what a killed run left, and what has a client only when that has gone."""
    stack = ground.stack
    _kill_in_tests(stack, backend, variables)
    everything = _databases(stack)
    clean = "cleanup.dbs --grace 0 --json"
    with ThreadPoolExecutor(1) as pool:
        client = _connect(stack, pool, database)
        try:
            _until(lambda: _decision(stack, database) == "connected", f"no client of {database} is seen")
            kept = exits(stack.inv(clean))
            require(database in _databases(stack), f"{kept} dropped {database} under its client")
        finally:
            _psql(stack, ENDED.format(database))
            client.result()
    gone = exits(stack.inv(clean))
    left = _databases(stack)
    require(left == everything - {database}, f"{gone}: {sorted(everything ^ left)} went or came")
    return on_stack(
        f"a run killed in its tests left {database}; {kept} kept it for its client, {gone} dropped it"
    )


def _kill_in_tests(stack: Throwaway, backend: str, variables: Mapping[str, str]) -> None:
    with _meeting(stack, [stack.root / backend], 2) as place, ThreadPoolExecutor(1) as pool:
        run = pool.submit(stack.inv, f"{RUN} --workers 1", **variables)
        _until(lambda: run.done() or any(place.iterdir()), "the run does not begin")
        require(not run.done(), f"{run.done() and run.result()}, and nobody killed it")
        [runner] = exits(stack.inv("test.status --json")).json["facts"]["runners"]
        os.kill(runner["pid"], signal.SIGKILL)
        exits(run.result(), -signal.SIGKILL)


def _connect(stack: Throwaway, pool: ThreadPoolExecutor, database: str) -> Future[Done]:
    shell = stack.of_project("postgres.shell --superuser")
    return pool.submit(stack.inv, shell, stdin=f"\\c {database}\nSELECT pg_sleep({TRUE_WITHIN});\n")


def _decision(stack: Throwaway, database: str) -> str:
    facts = exits(stack.inv("cleanup.dbs --dry-run --grace 0 --json")).json["facts"]
    return {one["database"]: str(one["decision"]) for one in facts["databases"]}.get(database, "")


def _databases(stack: Throwaway) -> set[str]:
    said = _psql(stack, "SELECT datname FROM pg_database")
    return {line.strip() for line in said.splitlines() if not line.startswith("(")}


def _psql(stack: Throwaway, statement: str) -> str:
    return exits(stack.inv(stack.of_project("postgres.shell --superuser"), stdin=f"{statement};\n")).out


@contextmanager
def _meeting(trial: Throwaway, backends: Sequence[Path], expected: int) -> Iterator[Path]:
    """Give where runs meet; their test is there for as long as the body runs."""
    place = trial.folder / "meeting"
    place.mkdir()
    files = [backend / "tests/test_meeting.py" for backend in backends]
    for file in files:
        text = MEETING.replace("$PLACE", str(place)).replace("$EXPECTED", str(expected))
        file.write_text(text, encoding="utf-8")
    try:
        yield place
    finally:
        for file in (*files, *place.iterdir()):
            file.unlink()
        place.rmdir()


def _at_once(trial: Throwaway, runs: Sequence[tuple[Path, Mapping[str, str]]]) -> list[Done]:
    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(lambda one: trial.inv_in(one[0], RUN, **one[1]), runs))


def _until(condition: Callable[[], object], otherwise: str) -> None:
    deadline = time.monotonic() + TRUE_WITHIN
    while not condition():
        require(time.monotonic() < deadline, f"{otherwise} within {TRUE_WITHIN:.0f} s")
        time.sleep(0.05)
