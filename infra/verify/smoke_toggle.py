"""A write that is taken back: the state is flipped, looked at, and restored whatever happened between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.model.answer import Answer, NoAnswer
from infra.model.smoke import Toggle

Request = Callable[[], Answer | NoAnswer]


class Unreadable(Exception):
    """The state could not be read."""


def toggle_fault(toggle: Toggle, read: Request, flip: Callable[[], str]) -> str:
    """Give why the state was not changed and restored, empty when it was.

    `flip` sends the request and gives what is wrong with its answer. Nothing is sent when the state cannot
    be read beforehand. A state that could not be restored is part of what is said.
    """
    try:
        before = _state(read(), toggle.key)
    except Unreadable as unreadable:
        return f"state unknown beforehand, nothing written: {unreadable}"
    changing = restoring = ""
    try:
        changing = flip() or _unchanged(toggle, read, before)
    finally:
        restoring = _restore(toggle, read, flip, before)
    return "; ".join(filter(None, (changing, restoring)))


def _unchanged(toggle: Toggle, read: Request, before: Any) -> str:
    try:
        is_unchanged = _state(read(), toggle.key) == before
    except Unreadable as unreadable:
        return f"state unknown after the change: {unreadable}"
    return f"{toggle.key} is still {before!r}" if is_unchanged else ""


def _restore(toggle: Toggle, read: Request, flip: Callable[[], str], before: Any) -> str:
    """Flip back only where the state is known to differ: a blind second flip could do the damage itself."""
    try:
        if _state(read(), toggle.key) == before:
            return ""
        flip()
        now = _state(read(), toggle.key)
    except Unreadable as unreadable:
        return f"NOT RESTORED: {toggle.key} was {before!r}, now unknown: {unreadable}"
    return "" if now == before else f"NOT RESTORED: {toggle.key} was {before!r}, now {now!r}"


def _state(answer: Answer | NoAnswer, key: str) -> Any:
    said = answer.json() if isinstance(answer, Answer) and answer.status == 200 else None
    if not isinstance(said, dict) or key not in said:
        raise Unreadable(str(answer))
    return said[key]
