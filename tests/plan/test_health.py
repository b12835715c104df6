"""What one answer of a health address means: only exactly healthy, at the right commit, is good."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.model.answer import Answer, Category, NoAnswer
from infra.plan.health import classify

SHA = "0123456789abcdef0123456789abcdef01234567"
HEALTHY: dict[str, Any] = {"status": "healthy", "git_sha": SHA, "version": "v1.0.0"}

CASES: dict[str, tuple[int, Any, str]] = {
    "200 healthy with the commit": (200, HEALTHY, "ok"),
    "unhealthy with a 200": (200, HEALTHY | {"status": "unhealthy"}, "unhealthy"),
    "unhealthy with a 503": (503, HEALTHY | {"status": "unhealthy"}, "unhealthy"),
    "a 503 that says healthy": (503, HEALTHY, "http_5xx"),
    "a 503 that says nothing": (503, "Service Unavailable", "http_5xx"),
    "a 503 of JSON without status": (503, {}, "http_5xx"),
    "a 500 that says unhealthy": (500, HEALTHY | {"status": "unhealthy"}, "http_5xx"),
    "healthy with a blank": (200, HEALTHY | {"status": "healthy "}, "unhealthy"),
    "Healthy with a capital": (200, HEALTHY | {"status": "Healthy"}, "unhealthy"),
    "a text that says healthy": (200, "healthy", "http_other"),
    "a page": (200, "<html>healthy</html>", "http_other"),
    "JSON without status": (200, {"git_sha": SHA}, "http_other"),
    "JSON whose status is no text": (200, HEALTHY | {"status": True}, "http_other"),
    "a list": (200, ["healthy"], "http_other"),
    "no body": (200, "", "http_other"),
    "404": (404, {"detail": "Not Found"}, "http_404"),
    "502": (502, "Bad Gateway", "http_5xx"),
    "401": (401, HEALTHY, "http_other"),
    "201": (201, HEALTHY, "http_other"),
    "302": (302, "", "http_other"),
    "another commit": (200, HEALTHY | {"git_sha": SHA[::-1]}, "wrong_version"),
    "no commit": (200, {"status": "healthy"}, "wrong_version"),
    "an empty commit": (200, HEALTHY | {"git_sha": ""}, "wrong_version"),
    "a commit cut short": (200, HEALTHY | {"git_sha": SHA[:12]}, "wrong_version"),
    "a commit that is a number": (200, HEALTHY | {"git_sha": 1}, "wrong_version"),
}


def _answer(status: int, said: Any) -> Answer:
    text = said if isinstance(said, str) else json.dumps(said)
    return Answer(status, {}, text.encode(), 1.0, "http://localhost/api/health")


@pytest.mark.parametrize(("status", "said", "category"), CASES.values(), ids=CASES)
def test_an_answer_has_one_category(status: int, said: Any, category: str) -> None:
    assert classify(_answer(status, said), SHA) == category


@pytest.mark.parametrize("category", [Category.DNS, Category.TLS, Category.CONNECT, Category.TIMEOUT])
def test_no_answer_has_the_category_of_its_stage(category: Category) -> None:
    assert classify(NoAnswer(category, "", 1.0, "http://localhost/"), SHA) is category


def test_without_an_expected_commit_none_is_compared() -> None:
    assert classify(_answer(200, {"status": "healthy"}), None) is Category.OK


@pytest.mark.parametrize(
    ("expected", "allowed", "category"),
    [
        (SHA[:7], True, "ok"),
        (SHA[:39], True, "ok"),
        (SHA[:6], True, "wrong_version"),
        ("", True, "wrong_version"),
        ("f" * 7, True, "wrong_version"),
        (SHA[1:9], True, "wrong_version"),
        (SHA[:7], False, "wrong_version"),
        (SHA[:39], False, "wrong_version"),
    ],
)
def test_a_prefix_counts_only_where_it_is_allowed_and_from_seven_digits(
    expected: str, allowed: bool, category: str
) -> None:
    assert classify(_answer(200, HEALTHY), expected, prefix_allowed=allowed) == category


def test_json_that_is_nested_without_end_is_no_json() -> None:
    assert classify(_answer(200, "[" * 500_000), SHA) is Category.HTTP_OTHER
