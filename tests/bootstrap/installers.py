"""Installers of pinned versions, fetched from the package index that this machine uses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PINNED = Path(__file__).parent / "installers"


@dataclass
class Installers:
    """A folder with a new Python environment, and beside it each installer that was asked for."""

    folder: Path

    @cached_property
    def python(self) -> Path:
        """The Python that nothing is installed for."""
        run([sys.executable, "-m", "venv", str(self.folder / "venv")])
        return self.folder / "venv/bin/python"

    def fetched(self, name: str) -> Path:
        """Give the folder that holds an installer, such as pip-22.3."""
        folder = self.folder / name
        if not folder.exists():
            words = ("-q", "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes")
            lock = PINNED / f"{name}.txt"
            run([str(self.python), "-m", "pip", "install", *words, "--target", str(folder), "-r", str(lock)])
        return folder

    def pip(self, name: str, *words: str) -> None:
        """Let a pip run; AssertionError with what it said when it fails."""
        run([str(self.python), "-m", "pip", *words], PYTHONPATH=str(self.fetched(name)))

    def uv(self, name: str, *words: str) -> None:
        """Let a uv run; AssertionError with what it said when it fails."""
        run([str(self.fetched(name) / "bin/uv"), *words], **MACHINES_CERTIFICATES)


# pip trusts what the machine trusts; uv does so only when it is told, by the one name or the other.
MACHINES_CERTIFICATES = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}


def run(argv: Sequence[str], **more: str) -> None:
    """Run a program to its end; AssertionError with what it said when it fails."""
    variables = {**os.environ, "PIP_USER": "0", **more}
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
