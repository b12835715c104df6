"""Statements as files: what was uploaded is there when the application comes back."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from tests.reference_app.running import BACKEND, Backend
from tests.reference_app.servers import PASSWORD

pytestmark = pytest.mark.real

ALICE = {"name": "alice", "password": PASSWORD}
FILE = "/statements/files/January.csv"
CONTENT = b"day;amount\n2026-01-31;12.50\n"


@pytest.fixture
def store() -> Iterator[Any]:
    """Give a running object store: the one of the application's own tests."""
    spec = importlib.util.spec_from_file_location("doubles", BACKEND / "tests" / "doubles.py")
    assert spec
    assert spec.loader
    doubles = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(doubles)
    with doubles.object_store() as running:
        yield running


def test_an_uploaded_statement_is_listed_and_comes_back_after_a_restart(backend: Backend, store: Any) -> None:
    keys = {"S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret", "S3_BUCKET": "statements"}
    chosen = keys | {"S3_ENDPOINT": store.address}
    with backend.started(variables=chosen) as app:
        session = {"Cookie": app.ask("POST", "/register", ALICE).headers["set-cookie"].split(";")[0]}
        assert app.get(FILE).status == 401
        assert app.ask("POST", FILE, headers=session, raw=CONTENT).status == 201
    with backend.started(variables=chosen) as app:
        (listed,) = app.get("/statements/files", session).json()
        assert (listed["name"], listed["size"]) == ("January.csv", len(CONTENT))
        assert app.get(FILE, session).body == CONTENT.decode()
        store.refuses = 500
        assert app.get(FILE, session).status == 503
        assert app.get("/health").status == 200


def test_without_an_object_store_a_file_is_503_and_health_skips_it(backend: Backend) -> None:
    with backend.started() as app:
        session = {"Cookie": app.ask("POST", "/register", ALICE).headers["set-cookie"].split(";")[0]}
        answer = app.ask("POST", FILE, headers=session, raw=CONTENT)
        full = app.get("/health?full=1")
    assert (answer.status, "no object store is set" in answer.json()["detail"]) == (503, True)
    assert (full.status, full.json()["dependencies"]["s3"]["status"]) == (200, "skipped")
