"""What a person can ask for. One file a namespace; a listing imports nothing heavy."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.vendor import yaml

import finance_report
from tasks import (
    accept,
    boot,
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
    lint,
    lock,
    smoke,
    test,
    vault,
)
from tasks.project import collection_of
from tasks.root import ROOT

# invoke would turn `finance_report` into `finance-report`, or else `setup_tokens` would never become
# `setup-tokens`: with the identity both names are exactly what people type.
Collection.transform = lambda self, name: name  # type: ignore[method-assign]  # noqa: ARG005

LISTINGS = {"--list", "-l", "--help", "-h", "--complete", "--version", "-V", "--print-completion-script"}


def _outside_a_task(_number: int, _frame: FrameType | None) -> None:
    """End with 130: invoke itself would end with 1."""
    os._exit(130)


def _is_yaml(file: Path) -> bool:
    """Tell whether invoke will be able to read the file, with the parser that it has loaded already."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))  # type: ignore[no-untyped-call]  # invoke's copy
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return found is None or isinstance(found, dict)


def _check_settings() -> None:
    """Refuse broken settings before invoke reads the file itself, with its traceback."""
    is_listing = not LISTINGS.isdisjoint(sys.argv[1:]) or len(sys.argv) == 1
    if is_listing and _is_yaml(ROOT / "invoke.yaml"):
        return
    from infra.model.errors import InfraError
    from infra.workspace import settings_file

    try:
        settings_file.load(ROOT)
    except InfraError as error:
        lines = [f"✗ {error.message}", *(f"    {line}" for line in error.evidence), f"→ {error.next_step}"]
        raise Exit("\n".join(lines), code=error.exit_code) from error


signal.signal(signal.SIGINT, _outside_a_task)
_check_settings()

ns = Collection(
    collection_of(finance_report.PROJECT),
    Collection.from_module(smoke),
    Collection.from_module(lock),
    Collection.from_module(lint),
    Collection.from_module(vault),
    Collection.from_module(docs),
    Collection.from_module(env),
    doctor.doctor,
    accept.accept,
    Collection.from_module(test),
    Collection.from_module(cleanup),
    Collection.from_module(dev),
    Collection.from_module(db),
    Collection.from_module(boot),
    Collection.from_module(code),
    Collection.from_module(ci),
    Collection.from_module(hooks),
    house.check,
    house.bench,
)
