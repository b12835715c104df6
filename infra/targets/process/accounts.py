"""The accounts that servers run as where root starts them: one for each service, made without a login.

They belong to the machine: all its checkouts and environments use the same ones, and none is removed here.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.model.errors import BadInput, CannotTell
from infra.model.naming import Names
from infra.model.service import Service
from infra.targets.process import data_folders, modes
from infra.targets.process.account import EARLIER, ids

FALLBACK = {"postgres": EARLIER}  # by program: what refuses to run as root
MADE_WITHIN = 30.0
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_NOWHERE = "/nonexistent"
_KEPT_IN = ("/etc", "/etc/passwd")  # a container may have the file alone mounted read-only
_USERADD = ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", _NOWHERE, "--shell")
_BUSYBOX = ("adduser", "-S", "-D", "-H", "-h", _NOWHERE, "-s")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who runs each service, by its name, where it is not who starts it; `fault` is why one has none."""

    users: Mapping[str, str]
    fault: str = ""


def choose(project: str, services: Iterable[Service], wishes: Mapping[str, str]) -> Accounts:
    """Give the accounts of these services; BadInput for a wish that names root, nobody known or no server.

    Only root needs them. Where none can be made those that are there are used, and what refuses to run as
    root has the fallback.
    """
    if os.getuid() != 0:
        return Accounts({})
    servers = [one for one in services if not one.from_source]
    wanted = {one.name: wishes.get(one.name) or Names(project).account(one.name) for one in servers}
    for service, name in wishes.items():
        _require_server(service, wanted)
        _require_ordinary(service, name)
    fault = _fault() if any(map(is_missing, wanted.values())) else ""
    if not fault:
        return Accounts(wanted)
    left = {name: user for name, user in wanted.items() if not is_missing(user)}
    others = {one.name: FALLBACK.get(one.parts[0].program) for one in servers if one.name not in left}
    return Accounts(left | {name: user for name, user in others.items() if user}, fault)


def is_missing(name: str) -> bool:
    """Tell whether this machine has no account of this name."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return True
    return False


def uids(users: Mapping[str, str]) -> list[int]:
    """Give the numbers of these accounts that are there, and of those that ran servers without any."""
    names = {*users.values(), *FALLBACK.values()}
    return [pwd.getpwnam(name).pw_uid for name in names if not is_missing(name)]


def make(name: str) -> None:
    """Make a system account without login; one that is there stays as it is. CannotTell says what failed."""
    deadline = time.monotonic() + MADE_WITHIN
    while is_missing(name):
        done = subprocess.run(
            _command(name),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": _PATH},
        )
        is_over = done.returncode == 0 or time.monotonic() > deadline
        if is_over and is_missing(name):
            said = tuple((done.stdout + done.stderr).strip().splitlines()[-3:])
            words = f"the account {name} could not be made"
            raise CannotTell(words, next_step=" ".join(_command(name)), evidence=said)
        if done.returncode:
            time.sleep(0.1)  # somebody else holds the lock of the accounts, or has just made this one


def give(folder: Path, user: str) -> None:
    """Give a data folder and all in it, but for its marker, to an account; a repeat goes on.

    It closes to others first and takes its new owner last: a kill half-way shows. No link is followed.
    """
    new = ids(user)
    modes.given_folder(folder, ids(""))
    for top, folders, files, here in os.fwalk(folder, topdown=False):
        for name in (*folders, *files):
            if (Path(top), name) != (folder, data_folders.MARKER):
                os.chown(name, *new, dir_fd=here, follow_symlinks=False)
    modes.given_folder(folder, new)


def owner_of(folder: Path) -> str:
    """Give the account that a folder belongs to, by number where it has no name; empty for ourselves."""
    uid = folder.stat().st_uid
    if uid == os.getuid():
        return ""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _command(name: str) -> tuple[str, ...]:
    shell = next((one for one in ("/usr/sbin/nologin", "/sbin/nologin") if Path(one).exists()), "/bin/false")
    words = _USERADD if shutil.which(_USERADD[0], path=_PATH) else _BUSYBOX
    return (*words, shell, name)


def _fault() -> str:
    if not any(shutil.which(words[0], path=_PATH) for words in (_USERADD, _BUSYBOX)):
        return "this machine has neither useradd nor adduser"
    closed = (one for one in _KEPT_IN if not os.access(one, os.W_OK))
    return next((f"{one} cannot be written" for one in closed), "")


def _require_server(service: str, servers: Iterable[str]) -> None:
    if service not in servers:
        raise BadInput(
            f"process/users/{service}: no server that can have an account is called {service!r}",
            next_step=f"name one of these in invoke.local.yaml: {', '.join(sorted(servers))}",
        )


def _require_ordinary(service: str, name: str) -> None:
    if is_missing(name) or pwd.getpwnam(name).pw_uid == 0:
        raise BadInput(
            f"process/users/{service}: {name!r} is no ordinary user of this machine",
            next_step=f"name another in invoke.local.yaml: process: {{users: {{{service}: NAME}}}}",
        )
