"""The shell of whoever called, set aside: libraries that read a process' variables by themselves see ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import TextIOWrapper

from infra.model.variables import seen_by

OF_INVOKE = "INVOKE_"


@contextmanager
def set_aside() -> Iterator[dict[str, str]]:
    """Give the caller's variables; for the body this process has those alone that all of it may see."""
    callers = dict(os.environ)
    _become(seen_by("ourselves", callers))
    try:
        yield callers
    finally:
        _become(callers)


def _become(variables: Mapping[str, str]) -> None:
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


def ignore_wishes_for_invoke() -> None:
    """Forget variables that change invoke itself: it reads them after the tasks are loaded."""
    for name in [name for name in os.environ if name.startswith(OF_INVOKE)]:
        del os.environ[name]


def speak_utf8() -> None:
    """Read and write UTF-8 whatever the locale is; what cannot be written is escaped, and never an error."""
    kinds = {sys.stdin: "surrogateescape", sys.stdout: "backslashreplace", sys.stderr: "backslashreplace"}
    for stream, errors in kinds.items():
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)
