"""The decorator that makes a task: each gets `--json`, and none escapes the wrapper of `tasks.conduct`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

ROOT = Path(__file__).resolve().parent.parent


def command(
    name: str, *, changes: bool = False, **options: Any
) -> Callable[[Callable[..., None]], Task[Any]]:
    """Give a decorator that makes a task of a function whose first argument is a `Command`.

    `name` is what a person types; every task also gets `--json`. A task that `changes` something refuses
    invoke's own --dry. Other options are invoke's.
    """

    def decorate(body: Callable[..., None]) -> Task[Any]:
        @functools.wraps(body)
        def run(context: Context, **arguments: Any) -> None:
            from tasks.conduct import conduct

            code = conduct(name, body, arguments, refuse=changes and bool(context.config.run.dry))
            if code:
                raise Exit(code=code)

        run.__signature__ = _with_json(body)  # type: ignore[attr-defined]  # what invoke reads the flags from
        return Task(run, name=name.rpartition(".")[2], **options)

    return decorate


def _with_json(body: Callable[..., None]) -> inspect.Signature:
    known = inspect.signature(body)
    flag = inspect.Parameter("json", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False)
    return known.replace(parameters=[*known.parameters.values(), flag])
