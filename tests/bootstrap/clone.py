"""A fresh clone that holds nothing but ./inv and three small locks, on a machine with few programs."""

from __future__ import annotations

import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = (
    "sh",
    "env",
    "mkdir",
    "rmdir",
    "rm",
    "cp",
    "mv",
    "cmp",
    "cat",
    "ps",
    "readlink",
    "sed",
    "tail",
    "chmod",
    "find",
    "id",
    "ls",
)

# Answers as Python does, in no time: `-m venv` makes a .venv whose python answers as pip and invoke do.
PYTHON = """#!/bin/sh
[ "$1" = -I ] && shift
case "$1 $2" in
"-c "*version_info*) echo "3.12 $0" ;;
"-c "*ensurepip*) [ ! -e "{world}/no-venv" ] ;;
"-m venv")
    mkdir -p .venv/bin
    [ ! -e "{world}/no-venv" ] && echo venv >>"{world}/calls" && cp "{world}/venv-python" .venv/bin/python ;;
esac
"""
VENV_PYTHON = """#!/bin/sh
[ "$1" = -I ] && shift
case "$1 $2" in
"-c import pip") ;;
"-m pip")
    for lock; do :; done
    lock=${{lock##*/}}
    echo "pip ${{lock%.txt.new}}" >>"{world}/calls"
    [ ! -e "{world}/while-pip-runs" ] || . "{world}/while-pip-runs" ;;
*tasks/start.py*)
    while [ "$1" != tasks/start.py ]; do shift; done
    shift
    printf '%s\\n' "$PWD" "$INV_CWD" "$@" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $1" >>"{world}/calls"
[ -e "{world}/uv-works" ] || {{ echo 'error: Failed to fetch: `https://index.test/simple/rich/`'; exit 2; }}
case "$1 $2" in
venv*) mkdir -p .venv/bin && cp "{world}/venv-python" .venv/bin/python ;;
esac
"""


@dataclass
class Clone:
    """The folder of a clone beside a `world` that holds its PATH and what the fake programs were asked."""

    world: Path
    root: Path = field(init=False)
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay out the clone and a machine with Python and pip, without uv."""
        self.root = self.world / "a clone"
        (self.root / "requirements").mkdir(parents=True)
        shutil.copy(ROOT / "inv", self.root)
        for lock in ("tool", "local", "dev"):
            self.lock(lock).write_text(f"{lock}-package==1.0\n")
        self.bin.mkdir()
        for name in SYSTEM:
            if path := shutil.which(name):
                (self.bin / name).symlink_to(path)
        self.program("sleep", f"#!/bin/sh\nexec {shutil.which('sleep')} 0.05\n")  # a second is long here
        self.program("python3", PYTHON.format(world=self.world))
        (self.world / "venv-python").write_text(VENV_PYTHON.format(world=self.world))
        (self.world / "venv-python").chmod(0o755)

    @cached_property
    def bin(self) -> Path:
        """The only folder on PATH."""
        return self.world / "bin"

    def lock(self, name: str) -> Path:
        """Give the path of one lock."""
        return self.root / "requirements" / f"{name}.txt"

    def program(self, name: str, text: str) -> None:
        """Put a program on PATH, in place of the one of that name."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def add_uv(self, *, works: bool) -> None:
        """Put uv on PATH."""
        self.program("uv", UV.format(world=self.world))
        if works:
            self.happens("uv-works")

    def happens(self, name: str, text: str = "") -> None:
        """Change how the fake programs answer from now on."""
        (self.world / name).write_text(text)

    def mends(self, name: str) -> None:
        """Undo what happened."""
        (self.world / name).unlink()

    def calls(self) -> list[str]:
        """What was asked of the fake programs since the last look."""
        path = self.world / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def start(
        self, *arguments: str, program: Path | None = None, cwd: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start ./inv in a process group of its own, with both outputs piped."""
        return subprocess.Popen(
            [str(program or self.root / "inv"), *arguments],
            cwd=cwd or self.root,
            env={"PATH": str(self.bin), "PWD": str(cwd or self.root), **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def inv(self, *arguments: str, program: Path | None = None, cwd: Path | None = None) -> Answer:
        """Run ./inv to its end, which comes within 20 seconds."""
        return Answer.of(self.start(*arguments, program=program, cwd=cwd))


@dataclass(frozen=True)
class Answer:
    """How a call ended and what it said."""

    code: int
    out: str
    err: str

    @classmethod
    def of(cls, process: subprocess.Popen[str]) -> Answer:
        """Wait for a call that was started."""
        out, err = process.communicate(timeout=20)
        return cls(process.returncode, out, err)

    @property
    def words(self) -> list[str]:
        """The arguments that invoke was given."""
        return self.out.splitlines()[2:]
