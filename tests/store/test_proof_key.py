"""The key of the proofs: made once, by who starts a process, and private."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.model.errors import Denied, StoreError
from infra.store.proof_key import ProofKey


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "share" / "shop" / "proof.key"


def test_who_only_looks_makes_no_key(file: Path) -> None:
    assert ProofKey(file).read() is None
    assert not file.parent.exists()


def test_a_key_is_made_once_and_is_for_its_owner_alone(file: Path) -> None:
    made = ProofKey(file).make()
    assert ProofKey(file).make() == made
    assert ProofKey(file).read() == made
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert made.reveal() not in repr(ProofKey(file)) + str(made)


def test_a_key_that_others_could_read_is_refused_with_the_line_that_mends_it(file: Path) -> None:
    ProofKey(file).make()
    file.chmod(0o644)
    with pytest.raises(Denied) as refused:
        ProofKey(file).read()
    assert refused.value.next_step == f"chmod 600 {file}"


def test_a_damaged_key_is_no_key_and_says_how_to_get_another_one(file: Path) -> None:
    ProofKey(file).make()
    file.write_text("", encoding="utf-8")
    with pytest.raises(StoreError) as damaged:
        ProofKey(file).read()
    assert damaged.value.next_step.startswith(f"rm {file}")
