"""The compose program of this machine, where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.model.variables import seen_by

OLDEST = (2, 23, 1)
WITHIN = 30
# A plug-in runs by itself as well: the engine's own program need not be there.
PLUGINS = tuple(
    f"{place}/docker/cli-plugins/docker-compose" for place in ("/usr/libexec", "/usr/local/lib", "/usr/lib")
)
BOOTSTRAP = {
    "VAULT_ADDR": "http://127.0.0.1",
    "VAULT_ROLE_ID": "none",
    "VAULT_WRAPPED_SECRET_ID": "",
}


@dataclass(frozen=True, slots=True)
class ComposeProgram:
    """How the compose program is called, and its version."""

    argv: tuple[str, ...]
    version: str
    variables: Mapping[str, str]

    def fault(self, text: str) -> str:
        """Give what the program has against a compose text, empty for nothing; it starts nothing.

        The variables that a platform fills in get harmless values; no other variable and no file counts.
        """
        words = (*self.argv, "--env-file", "/dev/null", "-p", "lint", "-f", "-", "config", "-q")
        given = text.encode("utf-8", "surrogatepass")
        try:
            done = subprocess.run(
                words,
                input=given,
                env={**seen_by("engine", self.variables), **BOOTSTRAP},
                cwd="/",
                capture_output=True,
                timeout=WITHIN,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it did not answer within {WITHIN} s"
        said = done.stderr.decode("utf-8", "replace").strip()
        return (said or f"it ended with {done.returncode}") if done.returncode else ""


def find(variables: Mapping[str, str]) -> ComposeProgram | None:
    """Give the first compose program that is new enough for files in the text (2.23.1), None without one."""
    for argv in _candidates(variables.get("PATH", "")):
        version = _version(argv, variables)
        if version and _number(version) >= OLDEST:
            return ComposeProgram(argv, version, variables)
    return None


def _candidates(path: str) -> Iterator[tuple[str, ...]]:
    docker, alone = shutil.which("docker", path=path), shutil.which("docker-compose", path=path)
    if docker:
        yield docker, "compose"
    if alone:
        yield (alone,)
    yield from ((plugin,) for plugin in PLUGINS if shutil.which(plugin))


def _version(argv: tuple[str, ...], variables: Mapping[str, str]) -> str:
    words = (*argv, "version", "--short")
    try:
        done = subprocess.run(
            words,
            env=seen_by("engine", variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _number(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()
