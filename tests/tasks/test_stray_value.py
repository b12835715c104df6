"""A secret on the command line of `vault.put` is refused and not repeated."""

from __future__ import annotations

import pytest
from invoke.exceptions import Exit

from tasks import ns, stray_value

PLAIN = "vault.put --env local --service app --key K"
REFUSED = (
    "vault.put s3cret",
    "s3cret vault.put --env local",
    f"{PLAIN} s3cret",
    f"{PLAIN} s3cret vault.keys",
    f"{PLAIN} --value s3cret",
    f"{PLAIN} --value=s3cret",
    f"{PLAIN} --yes=s3cret",
    f"{PLAIN} -vs3cret",
    f"{PLAIN} --yes s3cret",
)
ALLOWED = (
    PLAIN,
    f"{PLAIN} --yes --json",
    "vault.put --env=local --service=app --key=K --target process",
    "vault.put -e local -s app -k K",
    f"vault.keys --env local {PLAIN}",
    f"{PLAIN} vault.keys --env local",
    "vault.keys s3cret",
    "--dry vault.put --help",
)


@pytest.mark.parametrize("line", REFUSED)
def test_a_value_beside_the_flags_is_refused_with_2_and_not_repeated(line: str) -> None:
    with pytest.raises(Exit) as refused:
        stray_value.require_none(line.split(), ns)
    assert refused.value.code == 2
    assert "s3cret" not in str(refused.value.message)
    assert "→ ./inv vault.put" in str(refused.value.message)


@pytest.mark.parametrize("line", ALLOWED)
def test_flags_their_values_and_other_tasks_are_let_through(line: str) -> None:
    stray_value.require_none(line.split(), ns)
