"""The tests of this repository that prove rows: run once, together, on state of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.accept import processes
from infra.accept.ground import Ground
from infra.model.errors import CannotTell

ENDS_WITHIN = 600.0
Outcomes = dict[str, dict[str, Any]]
PLUGIN = "infra.accept.outcomes"
QUIET = ("-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", "-n", "2", "--dist", "worksteal")


def run(
    ground: Ground, nodes: Iterable[str], on_progress: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Give how each test of these nodes ended; a node that does not exist has no entry."""
    wanted = sorted(set(nodes))
    files = sorted({node.partition("::")[0] for node in wanted})
    files = [file for file in files if (ground.root / file).exists()]
    if not files:
        return {}
    only, outcomes = ground.trial.folder / "only.txt", ground.trial.folder / "outcomes.jsonl"
    only.write_text("\n".join(wanted), encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", *QUIET, "-p", PLUGIN, "--only", str(only)]
    with (ground.trial.folder / "pytest.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*argv, "--outcomes", str(outcomes), *files],
            cwd=ground.root,
            env={**ground.trial.variables, "XDG_CACHE_HOME": str(ground.cache)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        with suppress(CannotTell):  # what did not run in time is not proven
            processes.wait(process, ENDS_WITHIN, lambda: on_progress(f"{len(_read(outcomes))} tests"))
    return _read(outcomes)


def _read(file: Path) -> Outcomes:
    """Give the outcome of each test; what failed in one stage has failed."""
    found: Outcomes = {}
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            one = json.loads(line)
            if found.get(one["test"], {}).get("outcome") != "failed":
                found[one["test"]] = one
    return found
