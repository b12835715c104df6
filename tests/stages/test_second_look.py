"""A fact that speaks against a deploy has to be seen twice."""

import pytest

from infra.stages.prove import confirmed

LEFT, GONE = "web: 7@9.00 is left from bundle b0", "web: does not run"


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([[]], []),
        ([[GONE], []], []),
        ([[LEFT], [LEFT]], [LEFT]),
        ([[LEFT], [GONE]], [GONE]),
    ],
)
def test_what_is_gone_at_the_second_look_is_no_fault(looks: list[list[str]], told: list[str]) -> None:
    to_come = iter(looks)
    assert confirmed(lambda: next(to_come)) == told
    assert next(to_come, None) is None
