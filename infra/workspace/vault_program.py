"""The program that is Vault's server, agent and command line: on PATH, or built once into the cache."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.model.errors import CannotTell, MissingProgram
from infra.model.variables import seen_by
from infra.targets.process import way
from infra.workspace.cache import cache_folder

FILES = ("go.mod", "go.sum", "main.go")
BUILD = ("go", "build", "-mod=readonly", "-tags", "minimal", "-ldflags=-s -w")
BUILT_WITHIN = 1800
HOW = "put a `vault` or `bao` on PATH, or install Go 1.25 or newer: it is then built once, in some 6 minutes"


def vault_program(
    root: Path, variables: Mapping[str, str], on_build: Callable[[], None] = lambda: None
) -> Path:
    """Give the program, built first where need be; MissingProgram says how to get what that takes.

    `on_build` is called before a build, which takes minutes. Denied for one that others could have written.
    """
    program = _found(root, variables)
    if program is not None:
        return program
    place = _cached(root)
    go = shutil.which("go", path=variables.get("PATH"))
    if place is None or go is None:
        raise MissingProgram("there is no Vault on this machine", next_step=HOW)
    way.require_program(Path(go), "put a `vault` or `bao` on PATH")
    on_build()
    _build(root, place, variables)
    return place


def _found(root: Path, variables: Mapping[str, str]) -> Path | None:
    """Give the program of this machine, None when there is none yet; nothing is built."""
    path = variables.get("PATH", "")
    on_path = shutil.which("vault", path=path) or shutil.which("bao", path=path)
    if on_path:
        return way.require_program(Path(on_path), f"put another {Path(on_path).name} first on PATH")
    built = _cached(root)
    if built is None or not built.exists():
        return None
    hints = way.Advice(again=f"rm -r {built.parent}; it is built again")
    return way.require(built.parents[1], built.parent.name, built.name, hints=hints)


def _source(root: Path) -> Path:
    return root / "tools/vault"


def _cached(root: Path) -> Path | None:
    """Give where the build of these very sources lies, None where the sources are missing."""
    files = [_source(root) / name for name in FILES]
    if not all(file.is_file() for file in files):
        return None
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return cache_folder("vault") / digest[:16] / "vault"


def _build(root: Path, program: Path, variables: Mapping[str, str]) -> None:
    """Build beside and rename; of two builds at once the second waits for the first one's program."""
    program.parent.mkdir(parents=True, exist_ok=True)
    beside = program.with_name("vault.new")
    with program.with_name("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return
        done = subprocess.run(
            ["nice", *BUILD, "-o", str(beside), "."],
            cwd=_source(root),
            env={**seen_by("installer", variables), "CGO_ENABLED": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILT_WITHIN,
        )
        if done.returncode:
            raise CannotTell(
                "Vault could not be built",
                next_step="put a `vault` or `bao` on PATH",
                evidence=tuple(done.stderr.strip().splitlines()[-5:]),
            )
        beside.replace(program)
