"""The shells that a container or a machine may have, as parameters of tests."""

from __future__ import annotations

import pytest

from tests.needs import PROGRAMS

SHELLS = {"sh": ["sh"], "dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"]}


def each(*names: str) -> list[object]:
    """Give the names as parameters; one whose program is missing is a test that says so."""
    return [pytest.param(name, marks=pytest.mark.needs(name)) if name in PROGRAMS else name for name in names]
