"""The same promises with a real Python and the installers of this machine, in one clone that lives on."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.bootstrap.clone import Clone
from tests.bootstrap.wheels import wheel

pytestmark = pytest.mark.real("F")  # pip and uv at work: no part of a quick run

INVOKE = "import sys\nfrom local import VERSION\nprint(VERSION, *sys.argv[1:], sep='|')\n"

# What a shell may hold for other projects.
WISHES: Mapping[str, str] = {
    "PIP_CONSTRAINT": "/nowhere",
    "PIP_DRY_RUN": "1",
    "PIP_NO_BINARY": ":all:",
    "PIP_PREFIX": "{elsewhere}",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_ROOT": "{elsewhere}",
    "PIP_TARGET": "{elsewhere}",
    "PIP_USER": "1",
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "{elsewhere}",
    "PYTHONSAFEPATH": "1",
    "UV_CONSTRAINT": "/nowhere",
    "UV_NO_BINARY": "1",
    "UV_PYTHON": "2.7",
    "VIRTUAL_ENV": "{elsewhere}",
}


def lay_out(clone: Clone, wheels: Path) -> None:
    """Make a machine with this Python, the PATH of this process, wheels instead of a network, and WISHES."""
    wheels.mkdir()
    elsewhere = clone.world / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "local.py").write_text("VERSION = 'foreign'")
    clone.program("python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    clone.variables |= {
        "PATH": f"{clone.bin}:{os.environ['PATH']}",
        "HOME": str(clone.world),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(wheels),
        **{name: text.format(elsewhere=elsewhere) for name, text in WISHES.items()},
    }
    (clone.root / "tasks").mkdir()
    (clone.root / "tasks/start.py").write_text("import invoke\n")
    clone.lock("tool").write_text(wheel(wheels, "invoke", "1.0", INVOKE))
    clone.lock("local").write_text(wheel(wheels, "local", "1.0", "VERSION = 1"))


def test_installs_moves_updates_and_survives_a_missing_package(clone: Clone, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    lay_out(clone, wheels)
    first = clone.inv("smoke", "a  b")
    assert (first.code, first.out) == (0, "1|smoke|a  b\n"), first.err

    clone.root = clone.root.rename(tmp_path / "moved")
    clone.lock("local").write_text(wheel(wheels, "local", "2.0", "VERSION = 2"))
    assert clone.inv("smoke").out == "2|smoke\n"

    clone.lock("local").write_text(f"absent==3.0 --hash=sha256:{'0' * 64}\n")
    missing = clone.inv("smoke")
    assert (missing.code, missing.out) == (2, "")
    assert "✗ absent" in missing.err

    clone.lock("local").write_text(wheel(wheels, "local", "4.0", "VERSION = 4").replace("256:", "256:0")[:-2])
    assert "✗ local==4.0 cannot be installed" in clone.inv("smoke").err
    clone.lock("local").write_text(wheel(wheels, "local", "4.0", "VERSION = 4"))
    assert clone.inv("smoke").out == "4|smoke\n"
    assert [path.name for path in (clone.world / "elsewhere").iterdir()] == ["local.py"]
