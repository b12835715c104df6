"""The application's own tests: they run as the application's developers run them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference_app.running import BACKEND, FRONTEND
from tests.reference_app.servers import Postgres

pytestmark = pytest.mark.real

CONTRACTS = 15


def suite(folder: Path, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a part to their end, without a cache in its tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, check=False, cwd=folder, env=variables, capture_output=True, text=True)


def own(postgres: Postgres, variables: dict[str, str], database: str) -> dict[str, str]:
    """Give the variables with which the suite runs in a database of this name."""
    changed = {"DATABASE_URL": postgres.url(database), "TEST_NAMESPACE": "suite", "ENVIRONMENT": "testing"}
    return {name: value for name, value in variables.items() if name != "REDIS_URL"} | changed


def test_the_backends_suite_passes_in_the_database_that_it_is_given(
    postgres: Postgres, variables: dict[str, str]
) -> None:
    postgres.query("CREATE DATABASE finance_report_test_suite")
    done = suite(BACKEND, own(postgres, variables, "finance_report_test_suite"), "-m", "not slow and not e2e")
    assert done.returncode == 0, done.stdout
    counted = suite(BACKEND, variables, "--collect-only", "tests/test_isolation.py")
    assert len(re.findall(r"^tests/test_isolation", counted.stdout, re.MULTILINE)) >= CONTRACTS


@pytest.mark.parametrize("name", ["migrated", "finance_report_test", "finance_report_test_suite_gw0"])
def test_the_backends_suite_refuses_a_database_that_is_not_exactly_its_own(
    postgres: Postgres, migrated: str, variables: dict[str, str], name: str
) -> None:
    before = postgres.query("INSERT INTO users VALUES ('bob', '', '') RETURNING name", migrated)
    done = suite(BACKEND, own(postgres, variables, name), "tests/test_isolation.py", "-x")
    assert done.returncode == 1
    assert "this worker's own is 'finance_report_test_suite'" in done.stdout
    assert postgres.query("DELETE FROM users RETURNING name", migrated) == before


def test_drills_are_no_part_of_a_run_unless_one_is_asked_for(variables: dict[str, str]) -> None:
    collected = {
        drill: suite(BACKEND, variables | {"TEST_DRILL": drill}, "--collect-only", "tests/drills").stdout
        for drill in ("", "leak")
    }
    found = {drill: re.findall(r"::test_(\w+)", text) for drill, text in collected.items()}
    assert found == {"": [], "leak": ["leak"]}


def test_the_frontends_suite_passes(variables: dict[str, str]) -> None:
    done = suite(FRONTEND, {name: variables[name] for name in ("PATH", "PYTHONPYCACHEPREFIX")})
    assert done.returncode == 0, done.stdout
