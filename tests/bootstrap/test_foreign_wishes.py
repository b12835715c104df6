"""What a caller's shell holds, for other projects or by accident, changes nothing in ./inv."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.bootstrap.clone import ROOT, Answer, Clone

REACH_INSTALLERS = (
    *("PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT"),
    *("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_PROXY", "PIP_RETRIES"),
    *("PIP_TRUSTED_HOST", "UV_CACHE_DIR", "UV_DEFAULT_INDEX", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL"),
    *("UV_INDEX_HOUSE_PASSWORD", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_OFFLINE", "https_proxy"),
    *("HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"),
)
STAY_BEHIND = (
    *("PIP_BREAK_SYSTEM_PACKAGES", "PIP_CONSTRAINT", "PIP_DRY_RUN", "PIP_NO_BINARY", "PIP_NO_DEPS"),
    *("PIP_PREFIX", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_ROOT", "PIP_TARGET", "UV_CONSTRAINT"),
    *("UV_EXCLUDE_NEWER", "UV_NO_BINARY", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "UV_SYSTEM_PYTHON"),
    *("PYTHONHOME", "PYTHONOPTIMIZE", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONSTARTUP"),
)


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_installers_hear_where_packages_come_from_and_nothing_else(clone: Clone, installer: str) -> None:
    told = clone.world / "told"
    clone.variables |= dict.fromkeys((*REACH_INSTALLERS, *STAY_BEHIND), "two\nlines=")
    clone.happens("while-pip-runs", f'env >"{told}"\n')
    if installer == "uv":
        clone.add_uv(works=True)
        clone.program("uv", (clone.bin / "uv").read_text() + f'env >"{told}"\n')
    assert clone.inv("smoke").code == 0
    heard = {line.partition("=")[0] for line in told.read_text().splitlines()}
    assert [name for name in REACH_INSTALLERS if name not in heard] == []
    assert [name for name in STAY_BEHIND if name in heard] == []


def test_a_task_still_sees_what_its_own_installers_need(clone: Clone) -> None:
    """It starts npm or go later; which of its variables a program may see is its own matter."""
    clone.inv()
    python = clone.root / ".venv/bin/python"
    python.write_text('#!/bin/sh\necho "$HTTPS_PROXY $PIP_INDEX_URL"\n')
    clone.variables |= {"HTTPS_PROXY": "proxy", "PIP_INDEX_URL": "index"}
    assert clone.inv("smoke").out == "proxy index\n"


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_umask_closes_the_environment_to_nobody_and_opens_it_to_nobody(clone: Clone, umask: int) -> None:
    before = os.umask(umask)
    try:
        clone.inv("smoke")
    finally:
        os.umask(before)
    made = [path for path in (clone.root / ".venv").rglob("*") if not path.is_symlink()]
    assert made
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made}
    assert modes == {0o755, 0o644}


@pytest.mark.parametrize("variables", [{"IFS": "ao"}, {"CDPATH": "/"}, {"ENV": "/dev/full", "BASH_ENV": "/"}])
@pytest.mark.parametrize("shell", [*filter(None, map(shutil.which, ("dash", "bash")))])
def test_no_shell_is_misled_by_its_own_variables(
    clone: Clone, shell: str, variables: Mapping[str, str]
) -> None:
    argv = [shell, "inv", "test", "a b"]
    done = subprocess.run(
        argv, cwd=clone.root, env={"PATH": str(clone.bin), **variables}, capture_output=True, check=True
    )
    assert done.stdout.decode().splitlines()[2:] == ["test", "a b"]
    assert clone.calls() == ["venv", "pip tool", "pip local", "pip dev"]


# ---- this very tree, with the environment of this test as its .venv -------------------------------------

FOREIGN = ("yaml.py", "invoke/__init__.py", "tasks/__init__.py", "infra/__init__.py", "sitecustomize.py")
SHELLS: Mapping[str, Mapping[str, str]] = {
    "safe paths": {"PYTHONSAFEPATH": "1"},
    "another Python": {"PYTHONHOME": "/nowhere", "PYTHONPLATLIBDIR": "lib64"},
    "modules of another project": {"PYTHONPATH": "{foreign}", "PYTHONSTARTUP": "{foreign}/yaml.py"},
    "wishes of Python": {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONINSPECT": "1",
        "PYTHONOPTIMIZE": "2",
        "PYTHONVERBOSE": "1",
        "PYTHONWARNINGS": "error",
    },
    "another alphabet": {"PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "wishes of invoke": {
        "INVOKE_DEBUG": "1",
        "INVOKE_RUN_DRY": "1",
        "INVOKE_RUNTIME_CONFIG": "{foreign}/none.yaml",
        "INVOKE_TASKS_AUTO_DASH_NAMES": "0",
        "INVOKE_TASKS_COLLECTION_NAME": "foo",
    },
    "another environment is active": {"VIRTUAL_ENV": "{foreign}", "PATH": "{foreign}:/usr/bin:/bin"},
}
FILES = {
    "another collection": "tasks: {collection_name: foo, search_root: /}\n",
    "another kind of value": "app: 3\n",
    "no YAML": "{{\n",
    "nothing really runs": "run: {dry: true}\n",
}
Ask = Callable[[Mapping[str, str]], Answer]
QUESTION = ("finance_report.app.setup", "--env", "production")  # refused, before anything is looked for


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Ask this tree's ./inv in a shell with these variables, beside a foreign folder and an empty home."""
    folder = tmp_path_factory.mktemp("shells")
    tree, foreign = folder / "tree", folder / "foreign"
    for name in ("tasks", "infra", "finance_report", "templates", "reference_app", "invoke.yaml"):
        tree.mkdir(exist_ok=True)
        (tree / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "inv", tree)
    (tree / ".venv/bin").mkdir(parents=True)
    (tree / ".venv/bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tree / ".venv/bin/python").chmod(0o755)
    for locks in ("requirements", ".venv/installed"):
        shutil.copytree(ROOT / "requirements", tree / locks)
    for name in FOREIGN:
        (foreign / name).parent.mkdir(parents=True, exist_ok=True)
        (foreign / name).write_text(f"raise SystemExit('{name} of another project')\n")
    (foreign / "python3").write_text("#!/bin/sh\nexit 3\n")
    (foreign / "python3").chmod(0o755)

    def asked(variables: Mapping[str, str]) -> Answer:
        own = {name: text.format(foreign=foreign) for name, text in variables.items()}
        done = subprocess.run(
            [str(tree / "inv"), *QUESTION],
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return asked


@pytest.fixture(scope="module")
def plain(ask: Ask) -> Answer:
    """The answer in a shell that holds nothing."""
    answer = ask({})
    assert (answer.code, "rehearse it here" in answer.err) == (2, True), answer.err
    return answer


@pytest.mark.parametrize("variables", SHELLS.values(), ids=SHELLS)
def test_variables_of_other_projects_change_no_answer(
    ask: Ask, plain: Answer, variables: Mapping[str, str]
) -> None:
    assert ask(variables) == plain


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_persons_own_settings_of_invoke_change_no_answer(
    ask: Ask, plain: Answer, tmp_path: Path, text: str
) -> None:
    (tmp_path / ".invoke.yaml").write_text(text)
    assert ask({"HOME": str(tmp_path)}) == plain
