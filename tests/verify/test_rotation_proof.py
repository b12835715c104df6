"""A rotation is good only when the new value is let in and every older one is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import pytest

from infra.model.errors import KnownBad
from infra.model.secret import Secret
from infra.plan.rotation import Rotation
from infra.session import Session
from infra.vault import rotate
from infra.vault.logins import Values

OLDEST, OLD, NEW = ({"PASSWORD": Secret(text)} for text in ("oldest", "old", "new"))


@dataclass
class Server:
    """A login that lets these in."""

    lets_in: tuple[str, ...]
    name: str = "the server"
    keys: frozenset[str] = frozenset({"PASSWORD"})
    is_set_at_start: bool = False

    def accepts(self, values: Values) -> bool:
        return values["PASSWORD"].reveal() in self.lets_in

    def change(self, _taken: Iterable[Values], _wanted: Values) -> None:
        raise AssertionError("proving changes nothing")


def proved(*lets_in: str) -> str:
    plan = Rotation("redis", ("PASSWORD",), 2, (), ("redis",), ("the server",))
    session = cast("Session", cast("Any", None))
    return rotate._prove(rotate.Turn(session, plan, (Server(lets_in),), OLD, NEW, (OLD, OLDEST)))


def test_the_new_value_alone_is_let_in() -> None:
    assert "refused by the server" in proved("new")


@pytest.mark.parametrize("lets_in", [(), ("old",), ("new", "old"), ("new", "oldest")])
def test_anything_else_is_a_failure(lets_in: tuple[str, ...]) -> None:
    with pytest.raises(KnownBad):
        proved(*lets_in)
