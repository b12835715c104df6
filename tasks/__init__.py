"""What a person can ask for. One file a namespace; a listing imports nothing heavy."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import yaml
from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.tasks import Task

# ruff: noqa: E402  # invoke keeps Python from writing compiled modules; without this every command compiles ours
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

# invoke puts this very folder first, whose code.py hides Python's own; the one above it, which
# the imports need, is missing where a shell wants safe paths.
HERE = Path(__file__).parent
sys.path[:] = [str(HERE.parent), *(path for path in sys.path if path not in {str(HERE), str(HERE.parent)})]

import finance_report
from infra.model.yaml_bounds import require_bounds
from infra.streams import ReaderGone, Stream
from infra.targets.process.modes import UMASK
from tasks import (
    accept,
    boot,
    callers_shell,
    ci,
    cleanup,
    code,
    db,
    dev,
    docs,
    doctor,
    env,
    hooks,
    house,
    leaks,
    lint,
    lock,
    smoke,
    stray_value,
    test,
    vault,
)
from tasks.project import collection_of
from tasks.root import ROOT

# invoke would turn `finance_report` into `finance-report`, or else `setup_tokens` would never become
# `setup-tokens`: with the identity both names are exactly what people type.
Collection.transform = lambda self, name: name  # type: ignore[method-assign]  # noqa: ARG005

LISTINGS = {"--list", "-l", "--help", "-h", "--complete", "--version", "-V", "--print-completion-script"}


class _Listing(Stream):
    """The output of invoke's own listings, which ends the process: nothing of ours is around that print."""

    def write(self, text: str) -> int:
        """Write through; exit 0 when the reader went away, 2 when there is no room for what is written."""
        try:
            return super().write(text)
        except ReaderGone as gone:
            os._exit(0 if gone.is_quiet else 2)


def _guard_streams(*, is_listing: bool) -> None:
    """Let a listing end with its reader, and keep what is opened later from the number of a closed stream."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
    if is_listing:
        sys.stdout = _Listing("__stdout__", ends=True)


def _outside_a_task(_number: int, _frame: FrameType | None) -> None:
    """End with 130: invoke itself would end with 1."""
    os._exit(130)


def _is_yaml(file: Path) -> bool:
    """Tell whether invoke will be able to read the file, with a parser that it has loaded already."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = file.read_text(encoding="utf-8")
        require_bounds(text, loader)
        found = yaml.load(text, loader)  # noqa: S506  # the safe one
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return found is None or isinstance(found, dict)


def _check_settings(*, is_listing: bool) -> None:
    """Refuse broken settings before invoke reads the file itself, with its traceback."""
    if is_listing and _is_yaml(ROOT / "invoke.yaml"):
        return
    from infra.model.errors import InfraError
    from infra.model.visible import visible
    from infra.workspace import settings_file

    try:
        settings_file.load(ROOT)
    except InfraError as error:
        lines = [f"✗ {error.message}", *(f"    {line}" for line in error.evidence), f"→ {error.next_step}"]
        raise Exit("\n".join(map(visible, lines)), code=error.exit_code) from error


signal.signal(signal.SIGINT, _outside_a_task)
os.umask(UMASK)
callers_shell.speak_utf8()
callers_shell.ignore_wishes_for_invoke()
IS_LISTING = not LISTINGS.isdisjoint(sys.argv[1:]) or len(sys.argv) == 1
if "invoke" in {Path(sys.argv[0]).name, Path(sys.argv[0]).parent.name}:  # not where tests import us
    _guard_streams(is_listing=IS_LISTING)
_check_settings(is_listing=IS_LISTING)

NAMESPACES = (boot, ci, cleanup, code, db, dev, docs, env, hooks, leaks, lint, lock, smoke, test, vault)
MEMBERS: Mapping[str, Callable[[], Collection | Task[Any]]] = {
    finance_report.PROJECT.name: lambda: collection_of(finance_report.PROJECT),
    **{
        module.__name__.rpartition(".")[2]: functools.partial(Collection.from_module, module)
        for module in NAMESPACES
    },
    "doctor": lambda: doctor.doctor,
    "accept": lambda: accept.accept,
    "check": lambda: house.check,
    "bench": lambda: house.bench,
}


def _asked(words: Sequence[str]) -> Collection:
    """Give the members that the words name, all of them for a listing and where no word names one.

    For each task that it knows invoke copies the contexts of all others.
    """
    named = MEMBERS.keys() & {word.partition(".")[0] for word in words}
    names = MEMBERS.keys() if not named or LISTINGS.intersection(words) else named
    return Collection(*(make() for name, make in MEMBERS.items() if name in names))


ns = _asked(sys.argv[1:])

stray_value.require_none(sys.argv[1:], ns)
