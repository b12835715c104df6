"""The direction of the arrows, and what the pure rooms never touch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "infra/model": {"infra.model"},
    "infra/plan": {"infra.plan", "infra.model"},
    "infra/store": {"infra.store", "infra.plan", "infra.model"},
    "infra/targets": {"infra.targets", "infra.plan", "infra.model"},
    "infra/workspace": {"infra.workspace", "infra.targets", "infra.plan", "infra.model"},
    "infra": {"infra"},
    "finance_report": {"finance_report", "infra.model"},
}
OURS = {"infra", "tasks", "finance_report", "bench", "tests"}
IMPURE = {
    "os",
    "socket",
    "subprocess",
    "time",
    "random",
    "secrets",
    "requests",
    "psutil",
    "shutil",
    "tempfile",
    "urllib.request",
    "http.client",
    "sys",
}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(file: Path) -> Iterator[str]:
    """Give every module that a file imports, also inside functions and for types only."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_below(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_go_down_only(room: str) -> None:
    upward = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in sources(room)
        for module in imports(file)
        if is_below(module, OURS) and not is_below(module, MAY_IMPORT[room])
    ]
    assert upward == []


@pytest.mark.parametrize("room", ["infra/model", "infra/plan"])
def test_the_pure_rooms_touch_no_network_disk_clock_or_terminal(room: str) -> None:
    touched = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in sources(room)
        for module in imports(file)
        if is_below(module, IMPURE)
    ]
    calls = [
        f"{file.relative_to(ROOT)}:{node.lineno} calls {ast.unparse(node.func)}"
        for file in sources(room)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func)
        in {"open", "print", "input", "datetime.now", "datetime.utcnow", "date.today"}
    ]
    assert touched + calls == []


def test_only_the_console_prints() -> None:
    """The shells write a prompt, and broken settings are told before there is a console."""
    known = {"infra/console.py", "infra/shells.py"}
    writers = {
        str(file.relative_to(ROOT))
        for room in ("infra", "tasks", "finance_report")
        for file in sources(room)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"print", "sys.stdout.write", "sys.stderr.write"}
    }
    assert writers == known


def test_an_operation_is_carried_out_in_one_place() -> None:
    callers = [
        str(file.relative_to(ROOT))
        for file in sources("infra")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("target.execute")
    ]
    assert callers == ["infra/stages/apply.py"]


def test_nothing_ends_the_process_below_the_tasks() -> None:
    enders = [
        str(file.relative_to(ROOT))
        for file in sources("infra")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sys.exit", "exit", "quit", "os._exit"}
    ]
    assert enders == ["infra/targets/process/supervisor.py"], "the supervisor is a program of its own"


def test_files_and_functions_stay_small() -> None:
    files = [file for room in ("infra", "tasks", "finance_report", "bench") for file in sources(room)]
    long_files = [file.name for file in files if len(file.read_text(encoding="utf-8").splitlines()) > 400]
    long_functions = [
        f"{file.name} {node.name}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.body[0].lineno > 50
    ]
    assert (long_files, long_functions) == ([], [])
