"""The real Vault of the tests: one on PATH, else the one that `tools/vault` builds once into the cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "tools/vault"
FILES = ("go.mod", "go.sum", "main.go")
BUILD = ("go", "build", "-mod=readonly", "-tags", "minimal", "-ldflags=-s -w")
BUILT_WITHIN = 1800
HOW = (
    "put a `vault` or `bao` on PATH, or install Go 1.25 or newer: then the tests build it once, in 6 minutes"
)


def vault_program() -> Path:
    """Give the program; a machine that has none fails on CI, and elsewhere the test says how to get one."""
    found = shutil.which("vault") or shutil.which("bao")
    if found:
        return Path(found)
    program = _cached()
    if not program.exists():
        if shutil.which("go") is None:
            _missing()
        _build(program)
    return program


def _cached() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()
    return cache / "finance_report/vault" / digest[:16] / "vault"


def _missing() -> None:
    words = f"no Vault here: {HOW}"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


def _build(program: Path) -> None:
    """Build beside and rename; of two runs at once the second waits for the first one's program."""
    program.parent.mkdir(parents=True, exist_ok=True)
    beside = program.with_name("vault.new")
    with program.with_name("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return
        subprocess.run(
            ["nice", *BUILD, "-o", str(beside), "."],
            cwd=SOURCE,
            env={**os.environ, "CGO_ENABLED": "0"},
            check=True,
            timeout=BUILT_WITHIN,
        )
        beside.replace(program)
