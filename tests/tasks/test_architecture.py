"""The direction of the arrows, no circles, and who may reach the world outside."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tasks.root import ROOT

OURS = ("infra", "tasks", "finance_report")
MAY_IMPORT = {
    "infra/model": {"infra.model"},
    "infra/plan": {"infra.plan", "infra.model"},
    "infra/store": {"infra.store", "infra.plan", "infra.model"},
    "infra/targets": {"infra.targets", "infra.plan", "infra.model"},
    "infra/workspace": {"infra.workspace", "infra.targets", "infra.plan", "infra.model"},
    "infra/verify": {
        *("infra.verify", "infra.session", "infra.console", "infra.targets", "infra.store"),
        *("infra.plan", "infra.model"),
    },
    "infra/stages": {
        *("infra.stages", "infra.session", "infra.console", "infra.verify", "infra.targets", "infra.store"),
        *("infra.plan", "infra.model"),
    },
    "infra": {"infra"},
    "tasks": {"tasks", "finance_report", "infra", "bench"},
}
PURE = ("infra/model", "infra/plan")
OUTSIDE = {
    *("asyncio", "ctypes", "fcntl", "getpass", "glob", "http.client", "http.server", "io", "logging"),
    *("mmap", "os", "pathlib", "platform", "psutil", "psycopg", "pty", "pwd", "random", "redis"),
    *("requests", "secrets", "select", "shutil", "signal", "socket", "subprocess", "sys", "tempfile"),
    *("termios", "threading", "time", "urllib.request", "uuid", "warnings"),
}
CLOCKS = {"now", "utcnow", "today", "monotonic", "perf_counter"}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@functools.cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path) -> Iterator[str]:
    """Give every module and name that a file imports, also for types and inside functions."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides its room"
            yield from (f"{node.module}.{one.name}" for one in node.names)


def is_below(name: str, packages: set[str] | tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_go_down_only(room: str) -> None:
    upward = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in sources(room)
        for name in imports(file)
        if is_below(name, (*OURS, "bench", "tests")) and not is_below(name, MAY_IMPORT[room])
    ]
    assert upward == []


def test_the_engine_knows_no_library_of_commands_and_names_no_project() -> None:
    files = sources("infra")
    known = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imports(file)
        if is_below(name, {"reference_app", "invoke"})
    ]
    named = [
        str(file.relative_to(ROOT)) for file in files if "./inv finance_report" in file.read_text("utf-8")
    ]
    assert known + named == []


def test_no_two_modules_need_each_other_in_a_circle() -> None:
    modules = {module_of(file): file for room in OURS for file in sources(room)}
    needs = {
        name: {found for imported in imports(file) if (found := _module(imported, modules)) not in {"", name}}
        for name, file in modules.items()
        if name not in {"tasks", "tasks.conduct"}  # the wrapper asks the finished tree for its names
    }
    while done := {name for name, wanted in needs.items() if not wanted & needs.keys()}:
        needs = {name: wanted for name, wanted in needs.items() if name not in done}
    assert {name: sorted(wanted & needs.keys()) for name, wanted in needs.items()} == {}


def _module(imported: str, modules: dict[str, Path]) -> str:
    """Give the module that an imported name belongs to, empty when it is not one of ours."""
    if imported in modules:
        return imported
    above = imported.rpartition(".")[0]
    return above if above in modules else ""


@pytest.mark.parametrize("room", PURE)
def test_the_pure_rooms_import_nothing_that_reaches_outside(room: str) -> None:
    reached = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in sources(room)
        for name in imports(file)
        if is_below(name, OUTSIDE)
    ]
    assert reached == []


@pytest.mark.parametrize("room", PURE)
def test_the_pure_rooms_open_print_and_ask_for_the_time_of_nobody(room: str) -> None:
    called = [
        f"{file.relative_to(ROOT)}:{node.lineno} calls {ast.unparse(node.func)}"
        for file in sources(room)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in {"open", "print", "input", *CLOCKS}
    ]
    assert called == []


def test_a_project_is_declared_facts_alone() -> None:
    """It imports the model and nothing that reaches outside; the plug-in runs in the application."""
    others = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in sources("finance_report")
        if file.name != "pytest_plugin.py"
        for name in imports(file)
        if is_below(name, {*OURS, *OUTSIDE, "invoke"})
        and not is_below(name, {"finance_report", "infra.model"})
    ]
    assert others == []


def test_stdout_and_stderr_are_named_in_known_places_only() -> None:
    """The shells write a prompt, a listing's stdout is guarded."""
    named: dict[str, set[str]] = {}
    for room in OURS:
        for file in sources(room):
            for node in ast.walk(tree_of(file)):
                if isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr"}:
                    named.setdefault(str(file.relative_to(ROOT)), set()).add(ast.unparse(node))
    assert files_with("getattr(sys,") == {"infra/streams.py"}
    assert named == {
        "infra/shells.py": {"sys.stderr"},
        "tasks/__init__.py": {"sys.stdout"},
        "tasks/callers_shell.py": {"sys.stdout", "sys.stderr"},  # makes both speak UTF-8
    }


def test_only_the_console_and_the_shells_print() -> None:
    assert callers({"print", "sys.stdout.write", "sys.stderr.write"}, OURS) == {
        "infra/console.py",
        "infra/shells.py",
    }


def test_an_operation_is_carried_out_in_one_place() -> None:
    assert callers({"target.execute"}, ("infra",)) == {"infra/stages/apply.py"}


def test_nothing_ends_the_process_below_the_tasks() -> None:
    """The supervisor is a program of its own."""
    enders = callers({"sys.exit", "exit", "quit", "os._exit"}, ("infra",))
    assert enders == {"infra/targets/process/supervisor.py"}


def files_with(text: str) -> set[str]:
    """Give the files of ours that hold a text."""
    files = [file for room in OURS for file in sources(room)]
    return {str(file.relative_to(ROOT)) for file in files if text in file.read_text(encoding="utf-8")}


def callers(names: set[str], rooms: Iterable[str]) -> set[str]:
    """Give the files that call one of these, written so or as an attribute of something."""
    return {
        str(file.relative_to(ROOT))
        for room in rooms
        for file in sources(room)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call)
        and any(f".{ast.unparse(node.func)}".endswith(f".{name}") for name in names)
    }


def test_the_variables_of_a_person_are_read_in_known_places_only() -> None:
    readers = {
        str(file.relative_to(ROOT))
        for room in OURS
        for file in sources(room)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    }
    assert readers == {
        "finance_report/pytest_plugin.py",  # runs in the application's process
        "infra/targets/process/client.py",  # a supervisor gets where home and programs are
        "infra/workspace/cache.py",  # where the cache lies
        "tasks/callers_shell.py",  # sets a person's aside
        "tasks/house.py",  # measuring builds what the tests build
    }


STARTS = {
    *("run", "call", "check_call", "check_output", "Popen", "system", "popen", "execv", "execve", "execvp"),
    *("execvpe", "spawnv", "spawnve", "posix_spawn", "create_subprocess_exec", "create_subprocess_shell"),
}
STARTERS = {"subprocess", "os", "asyncio", "foreground", "processes"}
OF_OUR_MAKING = {
    "bench/bare.py": "the bare programs' own",
    "bench/checkout.py": "a copied checkout's own",
    "infra/accept/git.py": "a throw-away checkout's own",
    "infra/accept/nodes.py": "a throw-away checkout's own",
    "infra/accept/processes.py": "what its caller gives",
    "infra/accept/rehearsal.py": "a throw-away checkout's own",
    "infra/accept/throwaway.py": "a throw-away checkout's own",
    "infra/code/running.py": "made by seen_by in a function of its own",
    "infra/dev/serve.py": "a unit's, and what app.environment lets through",
    "infra/e2e.py": "what its caller made by seen_by",
    "infra/foreground.py": "what its caller gives",
    "infra/inside.py": "a unit's, and what app.environment lets through",
    "infra/targets/process/accounts.py": "fixed for who makes an account",
    "infra/targets/process/database.py": "fixed for initdb; a unit's",
    "infra/targets/process/keeper.py": "a unit's, and what app.environment lets through",
    "infra/targets/process/probes.py": "a unit's",
    "infra/testing/application.py": "what its caller made by seen_by",
    "infra/testing/suite.py": "what its caller made by seen_by",
    "infra/vault/dev.py": "the server's own",
}


def test_every_program_is_started_with_variables_that_were_chosen_for_it() -> None:
    """By `seen_by`, in the function that starts it; the others have none of a caller's, or say whose."""
    bare, others = [], set()
    for room in (*OURS, "bench"):
        for file in sources(room):
            for start, around in _starts(tree_of(file)):
                place = str(file.relative_to(ROOT))
                if ast.unparse(start.func).startswith(("subprocess.", "os.", "asyncio.")):
                    bare += [] if any(one.arg == "env" for one in start.keywords) else [place]
                others |= set() if "seen_by(" in around else {place}
    assert (bare, others) == ([], set(OF_OUR_MAKING))


def _starts(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Give each call that starts a program, and the text of the function that makes it."""
    for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                starter = ast.unparse(node.func.value)
                if starter in STARTERS and node.func.attr in {*STARTS, "start"}:
                    yield node, ast.unparse(function)


def test_no_caller_hands_its_whole_shell_on() -> None:
    """The layers before a drop look at all of it, and start nothing."""
    whole = {
        str(file.relative_to(ROOT))
        for room in (*OURS, "bench")
        for file in sources(room)
        for node in ast.walk(tree_of(file))
        for text in _copied(node)
        if text == "os.environ" or f".{text}".endswith(".this.variables")
    }
    assert whole == {"infra/testing/ground.py", "tasks/callers_shell.py"}


def _copied(node: ast.AST) -> Iterator[str]:
    """Give what a display of a dictionary or a call of `dict` copies whole."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from (ast.unparse(value) for key, value in pairs if key is None)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "dict":
        yield from map(ast.unparse, node.args)


def test_libpq_is_asked_in_one_way_only() -> None:
    """Whatever a home folder holds: psycopg is called where its parameters are settled."""
    assert callers({"psycopg.connect", "connect_async"}, OURS) == {"infra/targets/postgres.py"}


def test_what_prints_never_asks_for_a_plain_secret() -> None:
    rooms = {
        str(file.relative_to(ROOT))
        for room in OURS
        for file in sources(room)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".reveal")
    }
    printing = {"infra/console.py", "infra/reports.py", "infra/locks.py", "infra/remove.py", "infra/smoke.py"}
    assert rooms & printing == set()
    assert not any(one.startswith(("tasks/", "infra/stages/", "infra/plan/")) for one in rooms)


def test_no_function_is_over_50_lines_and_no_file_over_400() -> None:
    files = [file for room in (*OURS, "bench", "tests") for file in sources(room)]
    lengths = {
        f"{file.relative_to(ROOT)} {node.name}": _code_lines(node)
        for file in files
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > 50} == {}
    lines = {str(one.relative_to(ROOT)): one.read_text(encoding="utf-8").count("\n") for one in files}
    assert {name: count for name, count in lines.items() if count > 400} == {}


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Give the lines of a function with its signature, without its docstring."""
    told = node.body[0] if ast.get_docstring(node) else None
    silent = (told.end_lineno or told.lineno) - told.lineno + 1 if told else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - silent


def test_every_public_name_says_what_a_caller_gets() -> None:
    silent = [
        f"{file.relative_to(ROOT)} {getattr(node, 'name', 'itself')}"
        for room in (*OURS, "bench")
        for file in sources(room)
        for node in _public(tree_of(file))
        if not ast.get_docstring(node)
    ]
    assert silent == []


def _public(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef]:
    yield tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node
            below = node.body if isinstance(node, ast.ClassDef) else []
            yield from (
                one for one in below if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")
            )
