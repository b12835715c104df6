"""The decorator that makes a task: each gets `--json`, and none escapes the wrapper of `tasks.conduct`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project
    from infra.session import Session


@dataclass(frozen=True, slots=True)
class Kind:
    """What a task is for: changing something, listing something, or else giving a verdict."""

    changes: bool = False
    lists: bool = False


ANY = Kind()


def command(
    name: str, *, changes: bool = False, lists: bool = False, **options: Any
) -> Callable[[Callable[..., None]], Task[Any]]:
    """Give a decorator that makes a task of a function whose first argument is a `Command`.

    `name` is what a person types; every task also gets `--json`. A task that `changes` something refuses
    invoke's own --dry; one that only `lists` ends with its reader, where any other works on to its verdict.
    Other options are invoke's.
    """
    kind = Kind(changes=changes, lists=lists)

    def decorate(body: Callable[..., None]) -> Task[Any]:
        @functools.wraps(body)
        def run(context: Context, **arguments: Any) -> None:
            from tasks.conduct import conduct

            code = conduct(name, body, arguments, kind, is_dry=bool(context.config.run.dry))
            if code:
                raise Exit(code=code)

        run.__signature__ = _with_json(body)  # type: ignore[attr-defined]  # what invoke reads the flags from
        return Task(run, name=name.rpartition(".")[2], **options)

    return decorate


def _with_json(body: Callable[..., None]) -> inspect.Signature:
    known = inspect.signature(body)
    flag = inspect.Parameter("json", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False)
    return known.replace(parameters=[*known.parameters.values(), flag])


def open_session(
    this: Command,
    project: Project,
    env: str | None,
    target: str = "",
    *,
    service: str = "",
    claim: bool = False,
    may_be_lost: bool = False,
) -> Session:
    """Open an environment of a project; with `claim` the ports of this checkout are chosen for good.

    With `may_be_lost` also one whose secrets are gone with the Vault that held them.
    """
    from infra import assembly

    return assembly.open_session(
        this, project, env, target, service=service, claim=claim, may_be_lost=may_be_lost
    )
