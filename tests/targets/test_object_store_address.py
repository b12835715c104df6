"""The S3 client: signatures as the standard's own examples have them, pages, and what each answer means."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from infra.model.errors import CannotTell, Denied, NotFound, Unreachable
from infra.model.secret import Secret
from infra.targets import bounded
from infra.targets import object_store as client
from infra.targets.object_store import Object, ObjectStore, object_store
from infra.targets.s3_signature import Ask, signed
from infra.verify.loopback import Reply, dripping, hanging, refusing, serving
from tests.doubles.http_server import Site

# The examples of the page on the Authorization header in Amazon's S3 API reference.
EXAMPLE_SECRET = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
EXAMPLE_MOMENT = datetime(2013, 5, 24, tzinfo=UTC)
EXAMPLES = {
    "a bucket's life cycle": (
        {"lifecycle": ""},
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "a list of objects": (
        {"prefix": "J", "max-keys": "2"},
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
}
FIRST = "/statements?list-type=2&max-keys=1000"
SECOND = "/statements?continuation-token=n%2F1%3D&list-type=2&max-keys=1000"
PAGE = "<Contents><Key>{}</Key><Size>{}</Size></Contents>"


@pytest.mark.parametrize(("query", "signature"), EXAMPLES.values(), ids=EXAMPLES)
def test_a_request_is_signed_as_in_the_standards_examples(query: dict[str, str], signature: str) -> None:
    ask = Ask("GET", "examplebucket.s3.amazonaws.com", "/", query)
    headers = signed(ask, "AKIAIOSFODNN7EXAMPLE", EXAMPLE_SECRET, EXAMPLE_MOMENT)
    assert headers["authorization"].endswith(f"Signature={signature}")


def test_a_path_and_a_query_are_sent_as_they_are_signed() -> None:
    ask = Ask("GET", "localhost", "/b/a b+ü.txt", {"prefix": "a/b c"})
    assert ask.target == "/b/a%20b%2B%C3%BC.txt?prefix=a%2Fb%20c"


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def store(site: Site) -> Iterator[ObjectStore]:
    with serving(site.answer) as url:
        yield ObjectStore(url, Secret("key"), Secret("secret"))


def test_a_listing_is_read_to_its_last_page(site: Site, store: ObjectStore) -> None:
    more = "<NextContinuationToken>n/1=</NextContinuationToken>"
    site.replies |= {
        FIRST: Reply(body=(PAGE.format("a&amp;b", 1) + more).encode()),
        SECOND: Reply(body=PAGE.format("c", 20).encode()),
    }
    assert list(store.objects("statements")) == [Object("a&b", 1), Object("c", 20)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, Denied), (404, NotFound), (500, Unreachable), (503, Unreachable), (400, CannotTell)],
)
def test_each_answer_says_what_can_be_done(
    site: Site, store: ObjectStore, status: int, kind: type[CannotTell]
) -> None:
    site.replies["/statements/a"] = Reply(status, body=b"<Code>TheCode</Code>")
    with pytest.raises(CannotTell, match=f"GET /statements/a with {status} TheCode") as raised:
        store.get("statements", "a")
    assert type(raised.value) is kind


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with refusing() as url, pytest.raises(Unreachable, match="does not answer"):
        ObjectStore(url, Secret("key"), Secret("secret")).buckets()


def test_a_bucket_that_is_there_is_not_made_twice_and_one_that_is_gone_is_removed(
    site: Site, store: ObjectStore
) -> None:
    site.replies["/statements"] = Reply(409)
    store.make("statements")
    store.remove("other")
    assert [method for method, *_ in site.asked] == ["PUT", "GET"]


def test_no_address_means_no_object_store() -> None:
    assert object_store({}) is None
    assert object_store({"S3_ENDPOINT": Secret("")}) is None


def test_an_answer_without_an_end_takes_neither_memory_nor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWERS_WITHIN", 0.3)
    key = Secret("k")
    for server in (hanging(), dripping(b"HTTP/1.1 200 OK\r\n\r\n"), dripping(b"HTTP/1.1 200 OK\r\nX: ")):
        began = time.monotonic()
        with server as url, pytest.raises(Unreachable):
            ObjectStore(url, key, key).buckets()
        assert time.monotonic() - began < 2
    long = bytes(bounded.MOST + 1)
    with serving(lambda *_: Reply(body=long)) as url, pytest.raises(Unreachable, match="without an end"):
        ObjectStore(url, key, key).get("b", "k")
