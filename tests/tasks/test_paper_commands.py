"""Render and plan as commands: what they write, and what they refuse before they write anything."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.root import ROOT
from tests.waiting import until

PARTS = ("infra", "tasks", "finance_report", "templates", "invoke.yaml")
DIGEST = f"sha256:{'a' * 64}"
RELEASE = {
    "version": "v1.2.3",
    "commit": "c" * 40,
    "images": {name: f"ghcr.io/acme/{name}@{DIGEST}" for name in ("backend", "frontend")},
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("paper") / "tree"
    tree.mkdir()
    (tree / "reference_app").mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, tree / name)
    return tree


@pytest.fixture
def tree(copied: Path) -> Iterator[Path]:
    yield copied
    (copied / "invoke.local.yaml").unlink(missing_ok=True)
    shutil.rmtree(copied / "out", ignore_errors=True)


def environment(tree: Path) -> dict[str, str]:
    names = ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    home = {name: str(tree.parent / name) for name in names}
    return {**home, "PATH": os.environ["PATH"], "INV_CWD": str(tree), "LANG": "C.UTF-8"}


def invoke(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "invoke", *words]
    return subprocess.run(
        argv, cwd=tree, env=environment(tree), capture_output=True, text=True, check=False, timeout=60
    )


def written(tree: Path) -> list[str]:
    folder = tree / "out"
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_render_writes_the_files_of_a_service_by_their_names(tree: Path) -> None:
    done = invoke(tree, "finance_report.app.render", "--env", "pr_47", "--out", "out")
    assert done.returncode == 0, done.stderr
    names = ["compose.yaml", "env", "secrets.ctmpl", "vault-agent.hcl", "vault-policy.hcl"]
    assert written(tree) == [f"pr_47/app/{name}" for name in names]
    text = (tree / "out/pr_47/app/compose.yaml").read_text(encoding="utf-8")
    assert "finance_report-backend-pr-47" in yaml.safe_load(text)["services"]


def test_rendering_twice_gives_the_same_bytes_and_a_release_resolves_the_images(tree: Path) -> None:
    (tree / "release.json").write_text(json.dumps(RELEASE), encoding="utf-8")
    words = ("finance_report.render", "--env", "production", "--release", "release.json", "--out", "out")
    found = []
    for _ in range(2):
        done = invoke(tree, *words, "--json")
        assert done.returncode == 0, done.stderr
        found.append({name: (tree / "out" / name).read_bytes() for name in written(tree)})
    assert found[0] == found[1]
    assert f"ghcr.io/acme/backend@{DIGEST}".encode() in found[0]["production/app/compose.yaml"]
    assert b"<unresolved>" not in found[0]["production/app/compose.yaml"]


def test_a_plan_says_what_it_would_do_what_it_could_not_read_and_exits_2(tree: Path) -> None:
    done = invoke(tree, "finance_report.app.plan", "--env", "staging", "--json", "--diff")
    answer: dict[str, Any] = json.loads(done.stdout)
    facts = answer["facts"]
    assert (done.returncode, answer["exit_code"]) == (2, 2)
    assert {step["service"] for step in facts["operations"]} == {"postgres", "redis", "app"}
    assert not any(step["certain"] for step in facts["operations"])
    assert facts["digests"] == dict.fromkeys(("postgres", "redis", "app"), "unknown")
    assert any("dokploy" in line for line in facts["unknown"])
    assert any(
        line == '+    container_name: "finance_report-backend-staging"' for line in facts["diffs"]["app"]
    )
    again = json.loads(invoke(tree, "finance_report.app.plan", "--env", "staging", "--json").stdout)
    assert again["facts"]["plan"] == facts["plan"]
    assert "diffs" not in again["facts"]
    assert again["facts"]["files"] == facts["files"]


def test_a_plan_of_what_was_never_sent_is_a_line_a_file_with_its_size(tree: Path) -> None:
    done = invoke(tree, "finance_report.plan", "--env", "staging", "--json")
    lines = [line.strip() for line in done.stderr.splitlines() if line.startswith("    + ")]
    files = [one for many in json.loads(done.stdout)["facts"]["files"].values() for one in many]
    assert [line.split()[1] for line in lines] == [one["file"] for one in files]
    assert len(done.stderr.splitlines()) < 60
    invoke(tree, "finance_report.render", "--env", "staging", "--out", "out")
    for line, one in zip(lines, files, strict=True):
        text = (tree / "out" / one["file"]).read_text(encoding="utf-8")
        assert (one["lines"], one["bytes"]) == (len(text.splitlines()), len(text.encode()))
        assert (one["state"], one["added"], one["removed"]) == ("unread", one["lines"], 0)
        assert line.endswith(f"{one['bytes'] / 1000:.1f} kB, unread") or one["bytes"] < 1000


def test_a_plan_of_a_release_shows_its_images(tree: Path) -> None:
    (tree / "release.json").write_text(json.dumps(RELEASE), encoding="utf-8")
    done = invoke(tree, "finance_report.plan", "--env", "production", "--release", "release.json", "--diff")
    assert done.returncode == 2
    assert f"ghcr.io/acme/frontend@{DIGEST}" in done.stderr
    assert "the image of" not in done.stderr


SPY = """
import sys
seen = []
def hook(event, args):
    is_write = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    is_made = event in {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.truncate"}
    is_call = event in {"socket.connect", "socket.sendto", "subprocess.Popen", "os.exec", "os.posix_spawn"}
    if is_write or is_made or is_call:
        seen.append(f"{event} {args[0]!s}")
sys.addaudithook(hook)
sys.argv = ["inv", *sys.argv[1:]]
from invoke.main import program
try:
    program.run()
except SystemExit:
    pass
sys.stderr.write("\\nSEEN " + "\\n".join(seen) + "\\n")
"""


@pytest.mark.parametrize("env", ["pr_47", "canary", "staging", "production"])
def test_a_plan_writes_nothing_and_calls_nobody(tree: Path, env: str) -> None:
    """Counted by the interpreter itself; only its own caches of compiled code are left out."""
    words = [sys.executable, "-B", "-c", SPY, "finance_report.plan", "--env", env]
    invoke(tree, "finance_report.plan", "--env", env)
    done = subprocess.run(
        words, cwd=tree, env=environment(tree), capture_output=True, text=True, check=False, timeout=60
    )
    seen = done.stderr.rpartition("SEEN")[2].split("\n")
    assert [line.strip() for line in seen if line.strip()] == []
    spied = invoke_spied(tree, "finance_report.app.render", "--env", env, "--out", "out")
    assert any("os.mkdir" in line for line in spied)


def invoke_spied(tree: Path, *words: str) -> list[str]:
    """Give what the same spy sees of a command that does write: it can see."""
    argv = [sys.executable, "-B", "-c", SPY, *words]
    done = subprocess.run(
        argv, cwd=tree, env=environment(tree), capture_output=True, text=True, check=False, timeout=60
    )
    return done.stderr.rpartition("SEEN")[2].splitlines()


RENDER = ("finance_report.render", "--out", "out")
APP = ("finance_report.app.render", "--out", "out")
WRONG = {
    "an empty name": (*RENDER, "--env", ""),
    "an unknown name": (*RENDER, "--env", "prd"),
    "a preview of nothing": (*RENDER, "--env", "pr_0"),
    "a leading zero": (*RENDER, "--env", "pr-007"),
    "a number that is none": (*RENDER, "--env", "pr_4x"),
    "a number that is too large": (*RENDER, "--env", "pr_1000000"),
    "a path": (*RENDER, "--env", "../staging"),
    "a command": (*RENDER, "--env", "staging;id"),
    "letters that are not ASCII": (*RENDER, "--env", "stäging"),
    "two names": (*RENDER, "--env", "staging production"),
    "a target that there is not": (*RENDER, "--env", "staging", "--target", "heroku"),
    "a target of others": (*RENDER, "--env", "production", "--target", "docker"),
    "a target without texts": (*RENDER, "--env", "staging", "--target", "process"),
    "a service of other environments": ("finance_report.minio.render", "--env", "staging", "--out", "out"),
    "a router where the platform's is": ("finance_report.router.plan", "--env", "production"),
    "a release that is not there": (*APP, "--env", "staging", "--release", "nowhere.json"),
    "a release that is a folder": (*APP, "--env", "staging", "--release", "infra"),
    "a release that is no JSON": (*APP, "--env", "staging", "--release", "invoke.yaml"),
    "a file for a folder": ("finance_report.render", "--env", "staging", "--out", "invoke.yaml"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_bad_input_is_told_with_a_way_on_and_nothing_is_written(tree: Path, case: str) -> None:
    done = invoke(tree, *WRONG[case])
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("✗ ")
    assert "\n→ " in done.stderr
    assert "a fault of this tool" not in done.stderr
    assert written(tree) == []


SETTINGS = {
    "internal_domain: https://example.test": "is no domain",
    "internal_domain: localhost": "is no domain",
    "app_domain: UPPER.example.test": "is no domain",
    "app_domain: 'a b.test'": "is no domain",
    "internal_domain: 10.0.0.1": "is no domain",
    "containers: {data_root: data}": "an absolute path is expected",
    "containers: {data_root: /data/../etc}": "an absolute path is expected",
    "containers: {data_root: '/da ta'}": "an absolute path is expected",
    "vault: {mount: a/b}": "one word",
    "vault: {agent: consul}": "Input should be 'openbao' or 'vault'",
    "telemetry: {endpoint: 'ftp://x'}": "an http or https address",
    "telemetry: {endpoint: 'https://u:p@x.test'}": "an http or https address",
    "environments: {staging: {data_root: /data/finance_report/postgres}}": "would share a data folder",
    "environments: {staging: {colour: blue}}": "no such setting",
    "ports: {rooter: 3000}": "no such part",
    "containers: {ingress: 'a b'}": "",
}


@pytest.mark.parametrize("text", list(SETTINGS))
def test_a_wrong_setting_is_told_by_its_place_and_nothing_is_written(tree: Path, text: str) -> None:
    (tree / "invoke.local.yaml").write_text(text + "\n", encoding="utf-8")
    env = "local" if text.startswith("ports") else "staging"
    done = invoke(tree, "finance_report.render", "--env", env, "--out", "out")
    assert (done.returncode, SETTINGS[text] in done.stderr) == (2, True), done.stderr
    assert "invoke" in done.stderr
    assert "a fault of this tool" not in done.stderr
    assert written(tree) == []


def has_begun(tree: Path, process: subprocess.Popen[bytes]) -> bool:
    return bool(written(tree)) or process.poll() is not None


def test_a_render_that_is_killed_leaves_whole_files_only_and_a_repeat_completes_it(tree: Path) -> None:
    words = [sys.executable, "-m", "invoke", "finance_report.render", "--env", "pr_47", "--out", "out"]
    assert invoke(tree, *words[3:]).returncode == 0
    whole = {name: (tree / "out" / name).read_bytes() for name in written(tree)}
    for _ in range(3):
        shutil.rmtree(tree / "out")
        process = subprocess.Popen(words, cwd=tree, env=environment(tree), stdout=subprocess.DEVNULL)
        until(partial(has_begun, tree, process), every=0)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        found = [name for name in written(tree) if not name.rpartition("/")[2].startswith(".")]
        assert all((tree / "out" / name).read_bytes() == whole[name] for name in found)
    assert invoke(tree, *words[3:]).returncode == 0
    assert {name: (tree / "out" / name).read_bytes() for name in whole} == whole
