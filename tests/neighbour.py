"""A neighbour: another account of this machine. Where the tests run as root they can act as one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

NEIGHBOUR = 64_321  # a uid that no account has
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="acting as a second account takes root")


def identity() -> dict[str, Any]:
    """Give the options with which a subprocess runs as the neighbour; as an ordinary user it is ourselves."""
    is_root = os.getuid() == 0
    return {"user": NEIGHBOUR, "group": NEIGHBOUR, "extra_groups": []} if is_root else {}


def run(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as the neighbour, with nothing of ours in its environment; give how it ended."""
    return subprocess.run(words, **_options(options), capture_output=True, check=False)


def start(*words: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command as the neighbour; its output can be read. Who starts it ends it."""
    return subprocess.Popen(words, **_options(options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def owned_folder(folder: Path) -> Path:
    """Make a folder that belongs to the neighbour, and give it."""
    folder.mkdir(exist_ok=True)
    if os.getuid() == 0:
        os.chown(folder, NEIGHBOUR, NEIGHBOUR)
    return folder


def _options(more: dict[str, Any]) -> dict[str, Any]:
    clean = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return {"cwd": "/", "env": clean, "stdin": subprocess.DEVNULL, "text": True, **identity(), **more}
