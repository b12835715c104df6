"""The way back over migrations."""

from __future__ import annotations

import pytest

from infra.model.errors import Refused
from infra.plan.migrations import must_downgrade, parse

FORWARD = "./inv shop.app.setup --env staging --target process"


def module(revision: str, before: str | None, declared: str) -> str:
    line = f'rollback = "{declared}"' if declared else ""
    return f'revision: str = "{revision}"\ndown_revision = {before!r}\n{line}\n\ndef upgrade(): ...\n'


def chain(*declared: str) -> list[str]:
    return [module(str(n), str(n - 1) if n else None, words) for n, words in enumerate(declared)]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (("compatible", "compatible"), False),
        (("compatible", "downgrade"), True),
        (("irreversible", "compatible"), False),
    ],
)
def test_only_the_migrations_between_the_two_releases_count(
    declared: tuple[str, ...], expected: bool
) -> None:
    assert must_downgrade(parse(chain("irreversible", *declared)), "2", "1", FORWARD) is expected


@pytest.mark.parametrize(
    ("declared", "words"), [("irreversible", "declared irreversible"), ("", "no way back")]
)
def test_one_without_a_way_back_is_refused_by_name(declared: str, words: str) -> None:
    with pytest.raises(Refused, match=f"migration 1 .*{words}") as refused:
        must_downgrade(parse(chain("compatible", declared, "compatible")), "2", "0", FORWARD)
    assert refused.value.next_step == f"mend the release and go forward: {FORWARD}"


def test_nothing_in_between_needs_no_way_back() -> None:
    assert must_downgrade(parse(chain("irreversible")), "0", "0", FORWARD) is False
