"""The three locks, as the installers of a stranger's machine read them: with hashes, and as wheels alone."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path

import pytest

from tests.bootstrap.installers import Installers
from tests.bootstrap.test_locks import FOLDER, NAMES, pins
from tests.bootstrap.wheels import wheel

pytestmark = pytest.mark.real("package index")

STRICTLY = ("--quiet", "--require-hashes", "--only-binary", ":all:")
# The first and the last pip that came with Python 3.11; the first cannot run on a newer one.
PIPS = [
    pytest.param("pip-22.3", marks=pytest.mark.skipif(sys.version_info > (3, 12), reason="for Python 3.11")),
    "pip-23.2.1",
]


@pytest.fixture(scope="session")
def installers(tmp_path_factory: pytest.TempPathFactory) -> Installers:
    """Give a folder for installers that lives as long as this run."""
    return Installers(tmp_path_factory.mktemp("installers"))


@pytest.fixture(scope="session")
def wheels(installers: Installers) -> Path:
    """Give a folder with all that the locks name, and a later version of each, as an index has them in time.

    A new pip fetches them: the old ones look five times as long.
    """
    locks = chain.from_iterable(("-r", str(FOLDER / f"{name}.txt")) for name in NAMES)
    folder = installers.folder / "wheels"
    installers.pip("pip-26.3", "download", *STRICTLY, *locks, "--dest", str(folder))
    for name in {name for lock in NAMES for name in pins(lock)}:
        wheel(folder, name.replace("-", "_"), "9999", "")
    return folder


@pytest.mark.parametrize("pip", PIPS)
def test_the_pips_of_python_3_11_take_each_lock_by_itself(
    installers: Installers, wheels: Path, pip: str
) -> None:
    here = ("--no-index", "--find-links", str(wheels), "--disable-pip-version-check")
    for name in NAMES:
        installers.pip(pip, "install", "--dry-run", *STRICTLY, *here, "-r", str(FOLDER / f"{name}.txt"))


def test_uv_takes_each_lock_by_itself(installers: Installers) -> None:
    into = ("--python", str(installers.python))
    for name in NAMES:
        lock = str(FOLDER / f"{name}.txt")
        installers.uv("uv-0.13.9", "pip", "install", "--dry-run", *STRICTLY, *into, "-r", lock)
