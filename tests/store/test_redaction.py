"""Redaction: what was learned is masked in each of the forms in which it travels."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.model import dotenv
from infra.model.redaction import Redactor
from infra.model.secret import MASK, Secret
from infra.model.visible import visible

PLAIN = "pä ss/wö\"rd+1'&x?>~~"
HOSTILE = [
    case["text"] * case.get("times", 1)
    for case in yaml.safe_load((Path(__file__).parent / "hostile_values.yaml").read_text("utf-8"))
]
TRAVELS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "shown": lambda text: visible(f"\x1b{text}"),
    "JSON": json.dumps,
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded, lower case": lambda text: re.sub(
        "%..", lambda one: one[0].lower(), quote(text, safe="")
    ),
    "percent-encoded by a browser": lambda text: quote(text, safe="!'()*"),
    "percent-encoded path": quote,
    "form": quote_plus,
    "rendered file": lambda text: dotenv.encode({"KEY": text}),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


def redactor(*plain: str) -> Redactor:
    made = Redactor()
    made.learn(*map(Secret, plain))
    return made


@pytest.mark.parametrize("travel", TRAVELS.values(), ids=TRAVELS)
def test_a_secret_is_masked_in_every_form_in_which_it_travels(travel: Callable[[str], str]) -> None:
    shown = redactor(PLAIN).redact(f"before {travel(PLAIN)} after")
    assert MASK in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert not any(piece in shown for piece in ("ss/w", "ss%2", "%C3", "%c3", "\\u00", "rd+1", "rd%2"))


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "user:p"])
@pytest.mark.parametrize("after", ["", "@", "@h", "@host"])
def test_a_secret_inside_of_base64_is_masked_wherever_it_begins(before: str, after: str) -> None:
    secret = "0123456789abcdef"
    text = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
    left = redactor(secret).redact(text).replace(MASK, "")
    assert len(left) <= 4 * (-(-len(before) // 3) + -(-len(after) // 3) + 1)
    assert MASK in redactor(secret).redact(text)


@pytest.mark.parametrize("text", [one for one in HOSTILE if len(one) >= 8])
def test_hostile_values_are_masked_when_they_were_escaped_to_be_shown(text: str) -> None:
    assert redactor(text).redact(f"<{visible(text)}>") == f"<{MASK}>"


@pytest.mark.parametrize("text", [one for one in HOSTILE if len(one) >= 8])
def test_hostile_values_are_masked_plain_and_in_json(text: str) -> None:
    assert redactor(text).redact(f"<{text}>") == f"<{MASK}>"
    assert json.loads(redactor(text).redact(json.dumps({"key": text}))) == {"key": MASK}


def test_values_under_eight_characters_are_left_alone() -> None:
    assert redactor("1234567").redact("1234567") == "1234567"
    assert redactor("12345678").redact("12345678") == MASK


def test_each_long_line_of_a_value_is_masked_by_itself() -> None:
    shown = redactor("-----BEGIN-----\nMIIEvQIBADAN\nshort").redact("log: MIIEvQIBADAN\nshort")
    assert shown == f"log: {MASK}\nshort"


def test_the_longest_secret_goes_first_and_overlaps_leave_no_tail() -> None:
    both = redactor("password", "pg://password@host")
    assert both.redact("to pg://password@host with password") == f"to {MASK} with {MASK}"
    assert redactor("12345678abcd", "abcdefghijkl").redact("x12345678abcdefghijkl") == f"x{MASK}"


def test_text_without_secrets_stays_as_it_is() -> None:
    assert redactor("secret-value").redact("nothing here") == "nothing here"
    assert Redactor().redact("anything") == "anything"


@given(st.lists(st.text("ab*", min_size=8, max_size=12), max_size=4), st.text("ab*", max_size=60))
def test_nothing_learned_is_left_in_any_text(secrets: list[str], text: str) -> None:
    shown = redactor(*secrets).redact(text)
    kept = shown.split(MASK)
    assert not any(secret in piece for secret in secrets for piece in kept if "*" not in secret)


def test_a_megabyte_of_log_is_redacted_in_under_a_second() -> None:
    many = redactor(*(f"{number:032x}" for number in range(1, 13)))
    log = f"{'x' * 90} {5:032x}\n" * 8_000
    began = time.process_time()
    assert many.redact(log).count(MASK) == 8_000
    assert time.process_time() - began < 1
