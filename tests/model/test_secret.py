"""A secret does not show itself, and a declaration says what a key is."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from infra.model.errors import BadInput
from infra.model.secret import LOCAL_ENVIRONMENTS, MASK, Secret, SecretSpec

PLAIN = "correct horse battery staple"
SECRET = Secret(PLAIN)


@dataclasses.dataclass
class Holder:
    """A value that happens to hold a secret."""

    name: str
    password: Secret


SHOWN: dict[str, Callable[[Secret], str]] = {
    "str": str,
    "repr": repr,
    "format": "{}".format,
    "format with a width": "{:>40}".format,
    "percent": lambda one: "%s %r" % (one, one),  # noqa: UP031 - old code formats so
    "f-string": lambda one: f"{one} {one!r} {one!s:5}",
    "in a list": lambda one: str([one]),
    "in a dataclass": lambda one: repr(Holder("x", one)),
    "in an exception": lambda one: repr(ValueError(one)),
    "json with default=str": lambda one: json.dumps({"a": one}, default=str),
    "a log line": lambda one: logging.makeLogRecord({"msg": "%s", "args": (one,)}).getMessage(),
}

REFUSED: dict[str, Callable[[Secret], Any]] = {
    "json": lambda one: json.dumps({"a": one}),
    "yaml": lambda one: yaml.dump({"a": one}),
    "safe yaml": lambda one: yaml.safe_dump({"a": one}),
    "pickle": pickle.dumps,
    "pickle protocol 0": lambda one: pickle.dumps(one, protocol=0),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "asdict": lambda one: dataclasses.asdict(Holder("x", one)),
    "vars": vars,
    "getstate": lambda one: one.__getstate__(),
    "hash": hash,
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_every_text_form_is_the_mask(show: Callable[[Secret], str]) -> None:
    shown = show(SECRET)
    assert MASK in shown
    assert "horse" not in shown


@pytest.mark.parametrize("dump", REFUSED.values(), ids=REFUSED)
def test_what_would_take_the_value_along_fails_without_showing_it(dump: Callable[[Secret], Any]) -> None:
    with pytest.raises((TypeError, yaml.YAMLError)) as refusal:
        dump(SECRET)
    assert "horse" not in str(refusal.value)


def test_only_reveal_gives_the_plain_value() -> None:
    assert SECRET.reveal() == PLAIN


def test_secrets_are_equal_by_value_and_never_equal_to_plain_text() -> None:
    assert Secret("größe") == Secret("größe")
    assert Secret("a") != Secret("b")
    assert Secret(PLAIN) != PLAIN


@pytest.mark.parametrize("key", ["lower", "1ST", "WITH-DASH", "", "A B", "A\n", "É"])
def test_a_key_outside_the_grammar_is_refused(key: str) -> None:
    with pytest.raises(BadInput):
        SecretSpec("app", key, "operator")


def test_exactly_derived_keys_have_a_derivation() -> None:
    with pytest.raises(BadInput):
        SecretSpec("app", "URL", "derived")
    with pytest.raises(BadInput):
        SecretSpec("app", "URL", "generated", derive=lambda _values, _addresses: "x")


def test_a_key_may_be_optional_in_some_environments() -> None:
    spec = SecretSpec("app", "OPENROUTER_API_KEY", "operator", optional_in=LOCAL_ENVIRONMENTS)
    assert not any(spec.required_in(name) for name in ("local", "local_ci", "github_ci"))
    assert all(spec.required_in(name) for name in ("staging", "production", "preview/pr_47", "canary"))


OPERATOR = SecretSpec("app", "OPENROUTER_API_KEY", "operator")
ENDPOINT = SecretSpec("app", "S3_ENDPOINT", "operator", pattern=r"https?://\S+")
SIGNING = SecretSpec(
    "app", "SECRET_KEY", "generated", length=64, shortest=32, known_defaults=frozenset({"change-me" * 8})
)
FAULTS = [
    (OPERATOR, "sk-or-12345678", ""),
    (OPERATOR, "", "is empty"),
    (OPERATOR, "two words", "holds white space"),
    (OPERATOR, "sk-or-1\n", "holds white space"),
    (OPERATOR, "<no value>", "was never filled in"),
    (ENDPOINT, "https://s3.example.test", ""),
    (ENDPOINT, "s3.example.test", "has not the expected form"),
    (SIGNING, "x" * 64, ""),
    (SIGNING, "x" * 31, "is under 32 bytes"),
    (SIGNING, "change-me" * 8, "is a known default"),
]


@pytest.mark.parametrize(("spec", "plain", "words"), FAULTS)
def test_a_value_that_breaks_its_rule_is_named_without_being_shown(
    spec: SecretSpec, plain: str, words: str
) -> None:
    assert spec.fault(Secret(plain)) == words
