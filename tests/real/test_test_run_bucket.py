"""A bucket for test runs that ask for one: by a marker, or by --with s3."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from infra.model.secret import Secret
from infra.targets.object_store import ObjectStore
from tests.real.testing_stack import Stack, is_gone

pytestmark = pytest.mark.real
BUCKET = """
import os, urllib.request
import pytest

@pytest.mark.s3
@pytest.mark.parametrize("number", range(2))
def test_asks_for_a_bucket(number, database_url):
    assert os.environ["S3_BUCKET"] == "statements-" + os.environ["TEST_NAMESPACE"].replace("_", "-")
    assert os.environ["S3_ENDPOINT"].startswith("http://127.0.0.1:")
    assert len(os.environ["S3_ACCESS_KEY"]) >= 16 and len(os.environ["S3_SECRET_KEY"]) >= 16
    with open(os.environ["TMPDIR"] + "/seen", "w") as seen:
        seen.write(os.environ["S3_ENDPOINT"])

def test_plain(database_url):
    assert ("S3_ENDPOINT" in os.environ) == (os.environ["WANTED"] == "yes")
"""
HANGS = """
from ask import *

@pytest.mark.s3
def test_hangs_with_its_bucket(database_url):
    name = os.environ["TEST_NAMESPACE"]
    driver = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (HERE / f"{name}.there").write_text(str(driver.pid))
    while not (HERE / f"{name}.go").exists():
        time.sleep(0.02)
"""
LEAKS = """
import os
def test_shows_what_it_was_given(database_url):
    print("see", database_url, os.environ["REDIS_URL"], os.environ["INFRA_TEST_DOOR"])
    os.write(1, os.environ["S3_SECRET_KEY"].encode())
    assert database_url == os.environ["S3_SECRET_KEY"]
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A checkout without servers: each run starts what it needs, and the last one stops it."""
    made = Stack()
    made.checkout.settings("app: {source: ../app, environment: [WANTED]}\n")
    (made.tests / "test_hangs.py").unlink()
    made.write(test_bucket=BUCKET, test_hangs=HANGS, test_leaks=LEAKS)
    try:
        yield made
    finally:
        made.remove()


def store(stack: Stack) -> ObjectStore:
    keys = Secret(stack.secret("ROOT_USER")), Secret(stack.secret("ROOT_PASSWORD"))
    return ObjectStore(f"http://127.0.0.1:{stack.ports['minio']}", *keys)


def words(stack: Stack) -> dict[str, str]:
    return {"TMPDIR": str(stack.checkout.folder)}


@pytest.mark.real("S3")
def test_a_marked_test_gets_a_bucket_of_its_namespace_and_an_unmarked_run_starts_no_store(
    stack: Stack,
) -> None:
    plain = stack.run("pr-4", "--workers", "1", args="-k plain", WANTED="no", **words(stack))
    assert plain.code == 0, plain.err
    assert "minio" not in stack.ports or not (stack.state / "data/minio").exists()
    marked = stack.run("pr-4", "--workers", "2", args="-k 'asks'", **words(stack))
    assert marked.code == 0, marked.err
    assert marked.json["facts"]["tests"] == {"passed": 2}
    assert (stack.checkout.folder / "seen").read_text() == f"http://127.0.0.1:{stack.ports['minio']}"
    assert (marked.json["facts"]["left"], stack.is_up()) == ([], False)


def test_with_s3_gives_a_bucket_to_tests_that_have_no_marker(stack: Stack) -> None:
    done = stack.run("pr-4", "--workers", "1", "--with", "s3", args="-k plain", WANTED="yes", **words(stack))
    assert done.code == 0, done.err
    wrong = stack.run("pr-4", "--with", "tape")
    assert (wrong.code, "--with s3" in wrong.err) == (2, True)


def test_what_tests_print_is_redacted(stack: Stack) -> None:
    done = stack.run("pr-4", "--workers", "1", "--with", "s3", args="-k shows -s", **words(stack))
    assert done.code == 1, done.err
    assert "see " in done.err
    held = [stack.secret(key) for key in ("APP_PASSWORD", "ROOT_PASSWORD", "PASSWORD")]
    assert not [key for key in held if key in done.err + done.out]


def test_a_bucket_of_a_killed_run_goes_and_that_of_its_neighbour_stays(stack: Stack) -> None:
    killed = stack.begin("pr-4", "--workers", "1", **words(stack))
    stopped = stack.begin("pr-47", "--workers", "1", **words(stack))
    lives = stack.begin("pr_470", "--workers", "1", **words(stack))
    spaces = [stack.namespace(one) for one in ("pr-4", "pr-47", "pr_470")]
    drivers = [stack.until_there(space) for space in spaces]
    mine = {f"statements-{space.replace('_', '-')}" for space in spaces}
    assert mine | {"statements"} == set(store(stack).buckets())
    killed.kill()
    killed.communicate(timeout=20)
    stopped.send_signal(signal.SIGINT)
    stopped.communicate(timeout=40)
    assert stopped.returncode == 130
    assert len(mine & set(store(stack).buckets())) == 2, "the killed run's and the living one's"
    after = stack.run("after", "--workers", "1", args="-k starts", **words(stack))
    assert after.code == 0, after.err
    left = f"statements-{spaces[2].replace('_', '-')}"
    assert set(store(stack).buckets()) == {"statements", left}
    stack.let_go(spaces[2])
    _, err = lives.communicate(timeout=40)
    assert lives.returncode == 0, err
    assert all(is_gone(one) for one in drivers)
    assert (stack.runners(), stack.is_up()) == ([], False)
