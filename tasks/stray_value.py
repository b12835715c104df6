"""Refuses a secret value on a command line, before invoke would print it in its own complaint."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.tasks import Task

TASK = "vault.put"
_OF_INVOKE = frozenset({"--help", "-h", "--dry", "--list", "-l", "--no-dedupe", "--echo", "--pty"})


def require_none(words: Sequence[str], known: Collection) -> None:
    """Return unless a word beside `vault.put` is no flag, flag's value or task; Exit with 2 for one."""
    if TASK not in words:
        return
    place, names = words.index(TASK), known.task_names
    before = zip(("", *words), words[:place], strict=False)
    is_stray = any(word not in names and "-" not in {last[:1], word[:1]} for last, word in before)
    if is_stray or _has_stray(words[place + 1 :], _takes_value(known[TASK]), names):
        lines = (
            f"✗ {TASK} takes its value from a prompt or from stdin, never as an argument",
            "    what was typed is in the history of this shell by now: choose another value",
            f"→ ./inv {TASK} --env … --service … --key …",
        )
        raise Exit("\n".join(lines), code=2)


def _takes_value(task: Task[Any]) -> dict[str, bool]:
    """Give each flag of the task as it is typed, and whether a value follows it."""
    return {
        ("-" if len(name) == 1 else "--") + name.replace("_", "-"): argument.takes_value
        for argument in task.get_arguments()
        for name in argument.names
    }


def _has_stray(words: Sequence[str], flags: dict[str, bool], names: Container[str]) -> bool:
    left = list(words)
    while left:
        word = left.pop(0)
        if word in names:
            return False  # from here on another task is meant
        flag, equals, _ = word.partition("=")
        if word in _OF_INVOKE:
            continue
        if flag not in flags or (equals and not flags[flag]):
            return True
        if flags[flag] and not equals and left:
            left.pop(0)
    return False
