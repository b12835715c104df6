"""The clone that each test gets for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bootstrap.clone import Clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Give a fresh clone on a machine with Python and pip."""
    return Clone(tmp_path)
