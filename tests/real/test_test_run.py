"""test.run and cleanup.dbs on a real PostgreSQL and a real cache, several runs at once."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import psutil
import pytest

from tests.real.testing_stack import PREFIX, Stack, is_gone
from tests.waiting import until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Servers that somebody else started: no test run stops them."""
    made = Stack()
    try:
        done = made.checkout.run("finance_report.redis.setup")
        assert done.code == 0, done.err
        yield made
        assert made.is_up(), "what a test run did not start it does not stop"
    finally:
        made.remove()


def test_workers_have_databases_of_their_own_that_start_from_the_migrations(stack: Stack) -> None:
    first, second = stack.run("feature-auth", "--workers", "3"), stack.run("feature-auth", "--workers", "1")
    for done, workers in ((first, 3), (second, 1)):
        assert done.code == 0, done.err
        facts = done.json["facts"]
        assert (facts["tests"], facts["workers"], facts["left"]) == ({"passed": 4}, workers, [])
        assert len(facts["slowest"]) == 4
        assert facts["seconds"] > 0
    assert second.json["facts"]["migrated"] is False, "the migrations have not changed"
    assert stack.databases() == set()


def test_a_changed_migration_is_run_again_and_once(stack: Stack) -> None:
    ran = "SELECT count(*) FROM pg_database WHERE datname LIKE 'finance\\_report\\_template\\_%'"
    assert stack.run("feature-auth", "--workers", "1").code == 0
    before = stack.sql(ran)[0][0]
    newest = max((stack.tests.parent / "migrations/versions").glob("*.py"))
    text = newest.read_text()
    try:
        newest.write_text(text + "\n# changed\n")
        changed = [stack.begin(f"both-{number}", "--workers", "1") for number in "ab"]
        for number in "ab":
            stack.until_there(f"both_{number}")
            stack.let_go(f"both_{number}")
        told = [json.loads(child.communicate(timeout=60)[0]) for child in changed]
    finally:
        newest.write_text(text)
    assert [one["exit_code"] for one in told] == [0, 0]
    assert sorted(one["facts"]["migrated"] for one in told) == [False, True], "two at once migrate once"
    assert stack.sql(ran)[0][0] == before + 1
    newest.write_text(text + "\nraise RuntimeError('this migration is broken')\n")
    try:
        broken = stack.run("feature-auth")
    finally:
        newest.write_text(text)
    assert broken.code == 2
    assert "this migration is broken" in broken.err
    assert stack.databases() == set()


ENDINGS = {
    "pr-4": (None, 0),
    "pr-47": (signal.SIGINT, 130),
    "feature-auth-pr-4": (signal.SIGTERM, 143),
    "main-pr-4": (signal.SIGKILL, -9),
}


def test_runs_at_once_do_not_disturb_each_other_however_they_end(stack: Stack) -> None:
    """One is killed, one gets Ctrl+C, one SIGTERM, one loses its terminal: the last one passes."""
    branches = [*ENDINGS, "pr-470"]
    spaces = {branch: stack.namespace(branch) for branch in branches}
    assert len(set(spaces.values())) == len(branches)
    children = {
        branch: stack.begin(branch, "--workers", "2" if branch == "pr-4" else "1") for branch in ENDINGS
    }
    on_terminal, terminal = stack.begin_on_terminal("pr-470")
    drivers = {branch: stack.until_there(space) for branch, space in spaces.items()}
    assert sorted(stack.runners()) == sorted(spaces.values())
    os.close(terminal)
    for branch, (number, code) in ENDINGS.items():
        if number:
            os.kill(children[branch].pid, number)
            children[branch].communicate(timeout=40)
            assert children[branch].returncode == code, branch
    assert on_terminal.wait(40) == 129
    killed = f"{PREFIX}_{spaces['main-pr-4']}"
    assert stack.databases() == {f"{PREFIX}_pr_4", f"{PREFIX}_pr_4_gw0", f"{PREFIX}_pr_4_gw1", killed}
    assert all(is_gone(drivers[branch]) for branch in ("pr-47", "pr-470", "feature-auth-pr-4"))
    assert stack.run("pr-4").code == 2, "a namespace in use is refused: a run would drop its own databases"
    assert stack.run("another-one", "--workers", "1").code == 0, "the next run clears after the killed one"
    assert is_gone(drivers["main-pr-4"])
    stack.let_go("pr_4")
    out, err = children["pr-4"].communicate(timeout=40)
    assert children["pr-4"].returncode == 0, err
    assert json.loads(out)["facts"]["tests"] == {"passed": 1}
    assert (stack.databases(), stack.runners()) == (set(), [])
    assert is_gone(drivers["pr-4"])


def test_a_suite_goes_with_its_killed_run_before_anybody_clears_up(stack: Stack) -> None:
    child = stack.begin("orphaned-suite", "--workers", "1")
    stack.until_there("orphaned_suite")
    [suite] = [one for one in psutil.Process(child.pid).children() if "pytest" in " ".join(one.cmdline())]
    child.kill()
    child.communicate(timeout=20)
    until(lambda: is_gone(suite))
    assert stack.run("another-one", "--workers", "1").code == 0
    assert (stack.databases(), stack.runners()) == (set(), [])


REFUSED = {
    "another environment": (["--env", "staging"], {}),
    "variables of another environment": ([], {"ENVIRONMENT": "production"}),
    "the development database": ([], {"DATABASE_URL": "postgresql+asyncpg://u:p@localhost/finance_report"}),
    "a name that contains test": ([], {"DATABASE_URL": "postgresql://u:p@localhost/latest_finance"}),
    "a foreign host": ([], {"DATABASE_URL": f"postgresql://u:p@db.example.test/{PREFIX}_layers"}),
}


@pytest.mark.parametrize(("words", "variables"), REFUSED.values(), ids=REFUSED)
def test_a_safety_layer_stops_the_run_before_anything_begins(
    stack: Stack, words: list[str], variables: dict[str, str]
) -> None:
    done = stack.run("layers", *words, **variables)
    assert done.code == 1, done.err
    assert "nothing was dropped" in done.err


def test_a_database_of_our_name_without_our_mark_is_not_dropped(stack: Stack) -> None:
    stack.sql(f'CREATE DATABASE "{PREFIX}_layers_gw1"')
    try:
        stack.sql("CREATE TABLE precious (n int)", f"{PREFIX}_layers_gw1")
        done = stack.run("layers", "--workers", "1")
        assert done.code == 1, done.err
        assert f"{PREFIX}_layers_gw1: not marked as ours" in done.err
        assert stack.sql("SELECT count(*) FROM precious", f"{PREFIX}_layers_gw1") == [(0,)]
    finally:
        stack.sql(f'DROP DATABASE "{PREFIX}_layers_gw1"')


def test_what_cannot_be_dropped_after_green_tests_is_exit_4_and_named(stack: Stack) -> None:
    stack.write(
        test_locks="from ask import *\n"
        "def test_locks(database_url):\n"
        "    name = database_url.rpartition('/')[2]\n"
        "    ask(database_url, f'ALTER DATABASE {name} IS_TEMPLATE true')\n"
    )
    try:
        done = stack.run("locked", "--workers", "1", args="-k locks")
        assert done.code == 4, done.err
        assert f"{PREFIX}_locked: " in done.json["errors"][0]["evidence"][0]
        assert stack.runners() == []
    finally:
        (stack.tests / "test_locks.py").unlink()
        stack.sql(f"ALTER DATABASE {PREFIX}_locked IS_TEMPLATE false")
    again = stack.run("locked", "--workers", "1")
    assert again.code == 0, "the next run clears its own leftovers"
    assert stack.databases() == set()


def test_a_crashed_worker_leaves_nothing_and_a_wrong_argument_is_told_apart(stack: Stack) -> None:
    stack.write(test_crash="import os\ndef test_crash(database_url):\n    os._exit(3)\n")
    try:
        done = stack.run("crash", "--workers", "2", args="-k crash")
    finally:
        (stack.tests / "test_crash.py").unlink()
    assert done.code == 1, done.err
    assert stack.run("crash", args="--no-such-flag").code == 2
    assert stack.databases() == set()


def test_with_an_unreadable_list_nothing_foreign_is_touched(stack: Stack) -> None:
    mark = "infra:test:foreign:2020-01-01T00:00:00Z"
    stack.sql(f"CREATE DATABASE {PREFIX}_foreign")
    stack.sql(f"COMMENT ON DATABASE {PREFIX}_foreign IS '{mark}'")
    stack.list.parent.mkdir(mode=0o700, exist_ok=True)
    stack.list.write_text("{ no list", encoding="utf-8")
    stack.list.chmod(0o600)
    try:
        done = stack.run("feature-auth", "--workers", "1")
        assert done.code == 0, done.err
        assert "the runner list cannot be read" in done.err
        cleaned = stack.checkout.run("cleanup.dbs", "--grace", "0", "--json")
        assert cleaned.code == 2
        assert stack.databases() == {f"{PREFIX}_foreign"}
        assert stack.list.read_text() == "{ no list"
    finally:
        stack.list.unlink()
        stack.sql(f"DROP DATABASE {PREFIX}_foreign")


def test_cleanup_drops_orphans_and_keeps_everything_else(stack: Stack) -> None:
    child = stack.begin("pr-4", "--workers", "1")
    old = "2020-01-01T00:00:00Z"
    stack.until_there("pr_4")
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    seeded = {f"{PREFIX}_pr_47": old, f"{PREFIX}_a_gw3": old}
    seeded |= {f"{PREFIX}_young": now, f"{PREFIX}_ahead": "2999-01-01T00:00:00Z"}
    others = ["financeXreportXtestXa", "finance_report_dev_a", PREFIX, f"{PREFIX}_a__b"]
    for name in (*seeded, *others):
        stack.sql(f'CREATE DATABASE "{name}"')
    for name, created in seeded.items():
        stack.sql(f"COMMENT ON DATABASE {name} IS 'infra:test:x:{created}'")
    all_names = {row[0] for row in stack.sql("SELECT datname FROM pg_database")}
    try:
        dry = stack.checkout.run("cleanup.dbs", "--dry-run", "--json")
        assert (dry.code, dry.json["changes"]) == (0, [])
        assert {row[0] for row in stack.sql("SELECT datname FROM pg_database")} == all_names
        words = {one["database"]: one["decision"] for one in dry.json["facts"]["databases"]}
        assert words[f"{PREFIX}_pr_4"] == "live"
        told = [words[name] for name in (f"{PREFIX}_young", f"{PREFIX}_ahead", PREFIX)]
        assert told == ["young", "doubt", "bare"]
        done = stack.checkout.run("cleanup.dbs", "--json")
        assert done.code == 0, done.err
        gone = {f"{PREFIX}_pr_47", f"{PREFIX}_a_gw3"}
        assert {row[0] for row in stack.sql("SELECT datname FROM pg_database")} == all_names - gone
        asked = stack.checkout.run("cleanup.dbs", "--all")
        assert asked.code == 2, "nobody was there to consent"
        every = stack.checkout.run("cleanup.dbs", "--all", "--yes")
        assert every.code == 0, every.err
        kept = {"financeXreportXtestXa", "finance_report_dev_a", f"{PREFIX}_a__b", f"{PREFIX}_pr_4"}
        left = {row[0] for row in stack.sql("SELECT datname FROM pg_database")}
        assert {one for one in left if "test" in one or "dev" in one} == kept
    finally:
        stack.let_go("pr_4")
        _, err = child.communicate(timeout=40)
        for name in others:
            stack.sql(f'DROP DATABASE IF EXISTS "{name}"')
    assert child.returncode == 0, err


def test_a_failed_drop_of_the_cleanup_is_an_error(stack: Stack) -> None:
    stack.sql(f"CREATE DATABASE {PREFIX}_stuck IS_TEMPLATE true")
    try:
        done = stack.checkout.run("cleanup.dbs", "--grace", "0", "--json")
        assert done.code == 1
        assert f"{PREFIX}_stuck" in done.json["errors"][0]["evidence"][0]
    finally:
        stack.sql(f"ALTER DATABASE {PREFIX}_stuck IS_TEMPLATE false")
        stack.sql(f"DROP DATABASE {PREFIX}_stuck")


def test_an_empty_machine_gets_its_servers_and_the_last_run_stops_them(stack: Stack) -> None:
    """Beside another checkout of the same user, whose runs are in the same list."""
    other, list_of_both = Stack(), {"XDG_CACHE_HOME": str(stack.checkout.folder / "cache")}
    held = stack.begin("pr-4", "--workers", "1")
    try:
        stack.until_there("pr_4")
        refused = other.run("pr-4", "--workers", "1", **list_of_both)
        assert refused.code == 2
        assert "WORKSPACE_ID" in refused.json["errors"][0]["next"]
        assert not other.is_up(), "nothing was started for it"
        first = other.begin("alone", "--workers", "1", **list_of_both)
        other.until_there("alone")
        second = other.run("pr-4", "--workers", "1", WORKSPACE_ID="bob", **list_of_both)
        assert second.code == 0, second.err
        assert other.is_up(), "the first run still needs them"
        other.let_go("alone")
        _, err = first.communicate(timeout=40)
        assert first.returncode == 0, err
        assert not other.is_up(), "the last run stops what was started for them, whoever runs elsewhere"
        assert other.checkout.run("cleanup.dbs", **list_of_both).code == 2, "no server is unknown, not clean"
        assert other.run("kept", "--workers", "1", "--keep", **list_of_both).code == 0
        assert other.is_up(), "--keep leaves them to whoever comes next"
    finally:
        stack.let_go("pr_4")
        _, err = held.communicate(timeout=40)
        other.remove()
    assert held.returncode == 0, err


def test_in_a_job_of_the_forge_the_jobs_services_are_used(stack: Stack) -> None:
    job = {
        "CI_DB_PORT": str(stack.ports["postgres"]),
        "POSTGRES_PASSWORD": stack.secret("POSTGRES_PASSWORD"),
        "REDIS_URL": f"redis://:{stack.secret('PASSWORD')}@127.0.0.1:{stack.ports['redis']}/0",
    }
    stack.write(
        test_job="import os\n"
        "def test_job(database_url):\n"
        "    assert database_url.endswith('/finance_report_test')\n"
        "    assert os.environ['S3_BUCKET'] == 'statements'\n"
        "    assert 'POSTGRES_PASSWORD' not in os.environ\n"
    )
    try:
        done = stack.run("main", "--env", "github_ci", "--workers", "1", args="-k job", **job)
        assert done.code == 0, done.err
    finally:
        (stack.tests / "test_job.py").unlink()
        stack.sql(f"ALTER ROLE finance_report_app PASSWORD '{stack.secret('APP_PASSWORD')}'")
    assert stack.databases() == set()
