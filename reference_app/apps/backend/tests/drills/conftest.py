"""Only the drill that TEST_DRILL names is run."""

from __future__ import annotations

import os

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = os.environ.get("TEST_DRILL", "")
    items[:] = [one for one in items if "drill" not in one.keywords or one.name == f"test_{wanted}"]
