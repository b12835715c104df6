"""Checks of the checkout itself and of what it declares."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.accept.ground import Ground, NotHere, exits, on_files, require
from infra.model.acceptance import Evidence
from infra.workspace import git


def attached(ground: Ground, application_needed: bool = False) -> Evidence:
    """Prove that an application's checkout pins a commit of this one that is on the branch of releases.

    Without an application this repository has to be its own top level, where that is enough.
    """
    if shutil.which("git") is None:
        raise NotHere("git is not on PATH")
    if ground.application:
        return _pinned(ground, ground.application)
    if application_needed:
        raise NotHere("no application checkout was named: --app-dir")
    top = _git(ground, ground.root, "rev-parse", "--show-toplevel")
    require(top == str(ground.root.resolve()), f"git's top level is {top or 'nowhere'}, not {ground.root}")
    commit = _git(ground, ground.root, "rev-parse", "--verify", "HEAD^{commit}")
    require(commit, f"{ground.root} has no commit")
    seen = f"git rev-parse: {ground.root} is its own top level, at {commit}; no application was named"
    return Evidence("ok", seen, frozenset({"GIT"}))


def _pinned(ground: Ground, application: Path) -> Evidence:
    config = ("config", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    paths = [line.partition(" ")[2] for line in _git(ground, application, *config).splitlines()]
    require(paths, f"{application}/.gitmodules declares no submodule")
    pins = {path: _git(ground, application, "rev-parse", "--verify", f"HEAD:{path}") for path in paths}
    ours = {path: pin for path, pin in pins.items() if pin and _has(ground, pin)}
    require(ours, f"no pinned commit of {application} is here: {pins}")
    path, pin = next(iter(ours.items()))
    branch = _branch(ground)
    is_on = _succeeds(ground, ground.root, "merge-base", "--is-ancestor", pin, branch)
    require(is_on, f"{path} is pinned to {pin}, which is not on {branch}")
    seen = f"git: submodule {path} of {application} is pinned to {pin}, which is on {branch}"
    return Evidence("ok", seen, frozenset({"GIT"}))


def _branch(ground: Ground) -> str:
    for name in (f"origin/{ground.branch}", ground.branch):
        if _git(ground, ground.root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
            return name
    raise NotHere(f"this checkout knows no branch {ground.branch}")


def _has(ground: Ground, commit: str) -> bool:
    return _succeeds(ground, ground.root, "cat-file", "-e", f"{commit}^{{commit}}")


def _git(ground: Ground, folder: Path, *words: str) -> str:
    """Give what git prints, empty when it fails."""
    return (git.ask(folder, ground.variables, *words) or "").strip()


def _succeeds(ground: Ground, folder: Path, *words: str) -> bool:
    return git.ask(folder, ground.variables, *words) is not None


def graph(ground: Ground) -> Evidence:
    """Prove that every need of a service is declared, and that the needs have an order."""
    services = {one.name: {*one.needs, *one.beside} for one in ground.project.services}
    unknown = sorted({need for needs in services.values() for need in needs} - services.keys())
    require(not unknown, f"needs that nothing declares: {', '.join(unknown)}")
    order: list[str] = []
    while ready := [name for name in services if name not in order and services[name] <= set(order)]:
        order += ready
    circle = sorted(services.keys() - set(order))
    require(not circle, f"these need each other in a circle: {', '.join(circle)}")
    return on_files(f"needs of {ground.project.name}: {', then '.join(order)}")


def deployer(ground: Ground, service: str, tasks: list[str], plans: Mapping[str, int]) -> Evidence:
    """Prove that the tasks of a service are listed, and that its plan is computed in these environments.

    `plans` has the exit code for each: 3 where changes are pending, 2 where nobody can be asked yet.
    """
    place = f"{ground.project.name}.{service}"
    listed = {line.split()[0] for line in exits(ground.trial.inv("--list")).out.splitlines() if line.split()}
    missing = sorted(f"{place}.{task}" for task in tasks if f"{place}.{task}" not in listed)
    require(not missing, f"./inv --list lacks {', '.join(missing)}")
    seen = []
    for env, code in plans.items():
        done = ground.trial.inv(f"{place}.plan --env {env} --json")
        is_settled = done.code == 0 and code == 3  # the stack runs already
        changes = done.json.get("changes", []) if is_settled else exits(done, code).json["changes"]
        require(changes or is_settled, f"{done}, and no operation is planned")
        seen.append(f"{done}, {len(changes)} operations")
    return on_files("; ".join([f"./inv --list has {', '.join(tasks)} of {place}", *seen]))


def command_ends(ground: Ground, command: str, code: int = 0, said: str = "") -> Evidence:
    """Prove how a command ends that needs no server, and words of its first error."""
    done = exits(ground.trial.inv(f"{command} --json"), code)
    first = (done.json["errors"] or [{"message": ""}])[0]["message"]
    require(said in first, f"{done}, and its error says {first!r} instead of {said!r}")
    return on_files(f"{done} {first}".rstrip())
