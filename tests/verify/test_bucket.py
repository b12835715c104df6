"""The write probe of the object store waits for it, but not for a login that is refused."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from infra.model.secret import Secret
from infra.verify import bucket
from infra.verify.loopback import Reply, serving


class Store:
    """A bucket that keeps one object, after a number of refusals."""

    def __init__(self, *refusals: int, keeps: bool = True) -> None:
        self.refusals, self.keeps = list(refusals), keeps
        self.asked: list[str] = []

    def answer(self, method: str, _target: str, _headers: Mapping[str, str]) -> Reply:
        self.asked.append(method)
        if self.refusals:
            return Reply(self.refusals.pop(0))
        return Reply(body=b"" if self.keeps else b"something else")


def probe(store: Store) -> str:
    with serving(store.answer) as url:
        keys = {"S3_ENDPOINT": url, "S3_BUCKET": "b", "S3_ACCESS_KEY": "k", "S3_SECRET_KEY": "s"}
        return bucket.write_fault({name: Secret(text) for name, text in keys.items()})


def test_it_asks_again_while_the_server_or_its_bucket_is_not_there_yet() -> None:
    store = Store(503, 404)
    assert probe(store) == "the object that was written could not be read again"
    assert store.asked == ["PUT", "PUT", "PUT", "GET", "DELETE"]


def test_a_refused_login_is_told_at_once() -> None:
    store = Store(*[403] * 100)
    assert "403" in probe(store)
    assert store.asked == ["PUT", "HEAD"]


def test_a_login_that_may_not_make_its_bucket_waits_until_it_is_made() -> None:
    store = Store(403, 404)
    assert probe(store) == "the object that was written could not be read again"
    assert store.asked == ["PUT", "HEAD", "PUT", "GET", "DELETE"]


def test_it_gives_up_in_time_and_says_what_it_saw_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "WAITS", 0.2)
    began = time.monotonic()
    assert "with 503" in probe(Store(*[503] * 1000))
    assert time.monotonic() - began < 2
