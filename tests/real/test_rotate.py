"""New values for generated keys on a running stack: proven, brought to who reads them, undone on failure."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.real.conftest import Checkout
from tests.real.kept import change, has_the_row, keep_a_row, stored, takes, version

pytestmark = pytest.mark.real
STEPS = ("write", "change", "derive", "redeploy", "prove")
KEYS = (("postgres", "APP_PASSWORD"), ("postgres", "POSTGRES_PASSWORD"), ("redis", "PASSWORD"))
RAISE = 'raise KnownBad("made to fail")'
# Nothing follows from the superuser's password.
CUT_SHORT = (
    *((*KEYS[0], step) for step in STEPS),
    (*KEYS[1], "write"),
    (*KEYS[1], "change"),
    (*KEYS[2], "change"),
)
SEND = "__import__('os').kill(__import__('os').getpid(), {})"
KILL = SEND.format(9)


@pytest.fixture
def checkout(shared_checkout: Checkout) -> Checkout:
    """One stack for the whole file: each test sets it up first."""
    shared_checkout.behaves()
    return shared_checkout


@contextmanager
def sabotaged(checkout: Checkout, step: str, deed: str) -> Iterator[None]:
    """Do the deed right after a step, in the checkout's own copy of the code."""
    file = checkout.root / "infra/vault/rotate.py"
    honest = file.read_text(encoding="utf-8")
    trap = (
        "\n\ndef _trapped(act):\n    def go(turn):\n        act(turn)\n"
        f"        {deed}\n    return go\n\n\n_STEPS = {{**_STEPS, {step!r}: _trapped(_STEPS[{step!r}])}}\n"
    )
    file.write_text(honest + trap, encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(honest, encoding="utf-8")


def rotate(service: str, key: str, *more: str) -> list[str]:
    return ["vault.rotate", "--service", service, "--key", key, *more]


def require_good(checkout: Checkout, service: str, key: str) -> None:
    """Everything works, on what the store holds, and the audit agrees."""
    assert takes(checkout, key, stored(checkout, service)[key])
    assert checkout.health["status"] == "healthy"
    assert has_the_row(checkout)
    audit = checkout.run("vault.check")
    assert audit.code == 0, audit.err
    assert checkout.setup("--json").json["outcome"] == "nothing to do"


@pytest.mark.parametrize(("service", "key"), KEYS)
def test_a_new_password_is_in_force_the_old_one_refused_and_only_readers_restart(
    checkout: Checkout, service: str, key: str
) -> None:
    assert checkout.run("finance_report.setup").code == 0
    keep_a_row(checkout)
    old, before = stored(checkout, service)[key], checkout.pids()
    done = checkout.run(*rotate(service, key), "--json")
    assert (done.code, done.json["outcome"]) == (0, "rotated"), done.err
    new, after = stored(checkout, service)[key], checkout.pids()
    assert new != old
    assert (takes(checkout, key, new), takes(checkout, key, old)) == (True, False)
    reads = {"postgres", "backend", "frontend"} if key == "APP_PASSWORD" else {service}
    reads |= {"backend", "frontend"} if service == "redis" else set()
    assert {name for name in after if after[name] != before[name]} == reads
    require_good(checkout, service, key)


def test_a_rotation_that_is_killed_after_any_step_is_made_good_by_its_repeat(checkout: Checkout) -> None:
    assert checkout.run("finance_report.setup").code == 0
    keep_a_row(checkout)
    seen: dict[str, set[str]] = {key: {stored(checkout, service)[key]} for service, key in KEYS}
    for service, key, step in CUT_SHORT:
        with sabotaged(checkout, step, KILL):
            killed = checkout.run(*rotate(service, key))
        assert killed.code == -9, (key, step, killed.err)
        seen[key].add(stored(checkout, service)[key])
        done = checkout.run(*rotate(service, key))
        assert done.code == 0, (key, step, done.err)
        new = stored(checkout, service)[key]
        assert new not in seen[key]
        assert [old for old in seen[key] if takes(checkout, key, old)] == [], (key, step)
        seen[key].add(new)
    for service, key in KEYS:
        require_good(checkout, service, key)


def test_a_rotation_that_fails_after_any_step_leaves_the_old_value_in_force(checkout: Checkout) -> None:
    assert checkout.run("finance_report.setup").code == 0
    keep_a_row(checkout)
    for service, key, step in CUT_SHORT:
        old, number = stored(checkout, service)[key], version(checkout, service)
        with sabotaged(checkout, step, RAISE):
            failed = checkout.run(*rotate(service, key), "--json")
        assert (failed.code, failed.json["outcome"]) == (1, "failed_rolled_back"), (key, step, failed.err)
        assert (stored(checkout, service)[key], version(checkout, service)) == (old, number + 2)
        assert takes(checkout, key, old), (key, step)
        assert checkout.health["status"] == "healthy", (key, step)
    assert checkout.run("finance_report.setup").code == 0
    for service, key in KEYS:
        require_good(checkout, service, key)


def test_a_rotation_that_a_signal_ends_leaves_the_old_value_in_force(checkout: Checkout) -> None:
    assert checkout.run("finance_report.setup").code == 0
    keep_a_row(checkout)
    service, key = KEYS[2]
    for step, number in (("write", signal.SIGTERM), ("change", signal.SIGHUP), ("redeploy", signal.SIGINT)):
        old = stored(checkout, service)[key]
        with sabotaged(checkout, step, SEND.format(number.value)):
            ended = checkout.run(*rotate(service, key), "--json")
        assert (ended.code, ended.json["exit_code"]) == (128 + number, 128 + number), (step, ended.err)
        assert "undone: the old values are in force again" in ended.err, step
        assert (stored(checkout, service)[key], takes(checkout, key, old)) == (old, True), step
    require_good(checkout, service, key)


def test_an_application_that_does_not_come_up_on_the_new_value_is_back_on_the_old_one(
    checkout: Checkout,
) -> None:
    """Its secrets file is held back, so that the redeployed application tries the old password."""
    checkout.settings("environments: {local: {deadline: 15}}\n")
    assert checkout.run("finance_report.setup").code == 0
    old = stored(checkout, "postgres")["APP_PASSWORD"]
    checkout.settings(
        "environments: {local: {deadline: 15}}\ndrills: {hold_back_secrets: [app]}\n",
    )
    failed = checkout.run(*rotate("postgres", "APP_PASSWORD"), "--json")
    assert (failed.code, failed.json["outcome"]) == (1, "failed_rolled_back"), failed.err
    assert (stored(checkout, "postgres")["APP_PASSWORD"], takes(checkout, "APP_PASSWORD", old)) == (old, True)
    assert checkout.health["status"] == "healthy"


def test_all_keys_of_a_service_turn_at_once_also_those_that_a_restart_changes(checkout: Checkout) -> None:
    """The address that the database has is known as ours by the old password, and by no other."""
    assert checkout.run("finance_report.setup").code == 0
    url, port = stored(checkout, "app")["DATABASE_URL"], checkout.ports["postgres"]
    change(checkout, "app", "DATABASE_URL", url.replace(f":{port}/", ":5999/"))
    for service in ("postgres", "minio"):
        old, number = stored(checkout, service), version(checkout, service)
        done = checkout.run("vault.rotate", "--service", service)
        assert done.code == 0, done.err
        new = stored(checkout, service)
        assert {key for key in old if old[key] != new[key]} == set(old)
        assert version(checkout, service) == number + 1
    assert checkout.health["status"] == "healthy"
    assert checkout.run("vault.check").code == 0


def test_a_new_password_brings_no_new_code(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.health["git_sha"]
    page = checkout.root / "reference_app/apps/backend/src/config.py"
    page.write_text(page.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert checkout.run(*rotate("redis", "PASSWORD")).code == 0
    assert checkout.health["git_sha"] == before


def test_the_plan_comes_first_and_a_dry_run_writes_nothing(make_checkout: Callable[[], Checkout]) -> None:
    checkout = make_checkout()
    assert checkout.run(*rotate("redis", "PASSWORD")).code == 2
    checkout.setup()
    old = stored(checkout, "postgres")
    shown = checkout.run(*rotate("postgres", "APP_PASSWORD", "--dry-run"), "--json")
    assert (shown.code, shown.json["outcome"]) == (3, "changes are pending")
    assert [line.partition(":")[0] for line in shown.json["changes"]] == list(STEPS)
    assert "redeploy postgres, app, and nothing else" in shown.err
    assert (stored(checkout, "postgres"), version(checkout, "postgres")) == (old, 1)


def test_keys_that_are_not_generated_and_drifted_ones_are_refused_with_the_right_command(
    checkout: Checkout,
) -> None:
    checkout.setup()
    number = version(checkout, "postgres")
    refused = {
        ("app", "DATABASE_URL"): (2, "./inv vault.check --env local"),
        ("app", "OPENROUTER_API_KEY"): (
            2,
            "./inv vault.put --env local --service app --key OPENROUTER_API_KEY",
        ),
        ("app", "NONE"): (2, "./inv vault.keys --env local"),
        ("", "PASSWORD"): (2, "./inv vault.keys --env local"),
    }
    for (service, key), (code, command) in refused.items():
        done = checkout.run("vault.rotate", "--service", service, "--key", key, "--json")
        assert (done.code, done.json["errors"][0]["next"]) == (code, command)
    honest = stored(checkout, "app")["DATABASE_URL"]
    change(checkout, "app", "DATABASE_URL", "postgresql://elsewhere.example.test/x")
    drifted = checkout.run(*rotate("postgres", "APP_PASSWORD"), "--json")
    change(checkout, "app", "DATABASE_URL", honest)
    assert (drifted.code, version(checkout, "postgres")) == (1, number)
    assert drifted.json["errors"][0]["next"].endswith("app.setup --repair-derived")
