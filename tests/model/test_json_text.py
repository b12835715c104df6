"""JSON of others is a value or a ValueError, whatever was written."""

from __future__ import annotations

import pytest

from infra.model import json_text

NONE = {
    "deep lists": "[" * 1_000_000,
    "deep objects": '{"a":' * 1_000_000,
    "a long number": "1" * 1_000_000,
    "nothing": "",
    "bytes that are no text": b"\xff",
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_what_is_no_json_or_too_much_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_text.parse(text)


def test_the_rest_is_its_value() -> None:
    assert json_text.parse(b'{"a": [1]}') == {"a": [1]}
