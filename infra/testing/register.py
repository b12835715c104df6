"""The runner list of this user on this machine, and the lock under which it is changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from infra.model.clock import iso
from infra.model.errors import InfraError
from infra.model.lease import Lease
from infra.model.observed import Found, Unknown
from infra.model.runner import Identity, Runner, RunnerList, runner_list_from_json
from infra.store import owner, private_file
from infra.workspace.cache import cache_folder

PATIENCE = 60.0
_NEVER = datetime.fromtimestamp(0, UTC)


class Register:
    """`active_namespaces.json`, and `db.lock` beside it."""

    def __init__(self, project: str, variables: Mapping[str, str]) -> None:
        self.folder = cache_folder("", variables, project)
        self.file = self.folder / "active_namespaces.json"

    def locked(self, patience: float = PATIENCE) -> AbstractContextManager[None]:
        """Hold the lock for the body; Unreachable when another one does not let go of it within 60 s."""
        private_file.make_folder(self.folder)
        return private_file.locked(self.folder / "db", patience)

    def read(self) -> Found[RunnerList] | Unknown:
        """Give the list; no file is an empty list, one that cannot be read is Unknown."""
        try:
            text = private_file.read(self.file)
            return Found(RunnerList() if text is None else runner_list_from_json(json.loads(text)))
        except InfraError as error:
            return Unknown(error.message)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Unknown(f"{self.file} is no runner list: {error}")

    def write(self, runners: RunnerList) -> None:
        """Replace the list; the caller holds the lock."""
        private_file.replace(self.file, json.dumps(runners.as_json(), indent=2) + "\n", may_pad=True)

    @property
    def mending(self) -> str:
        """What a person types when the list cannot be read and no test runs."""
        return f"rm {self.file}   # when no test runs here"


def this_runner(run: str, namespace: str, identity: Identity, servers: str, index: int) -> Runner:
    """Give the entry of the running process."""
    mine = owner.this_process("", run, "")
    return Runner(
        pid=mine.pid,
        start_time=mine.pid_started,
        host=mine.host,
        boot=mine.boot,
        run=run,
        namespace=namespace,
        identity=identity.key,
        root=identity.root,
        servers=servers,
        index=index,
        created=iso(datetime.now(UTC)),
    )


def is_gone(runner: Runner) -> bool:
    """Tell whether a runner provably ended; one that cannot be looked at counts as living."""
    words = runner.host, runner.pid, runner.start_time, runner.boot
    return owner.is_gone(Lease("", runner.run, *words, "", _NEVER, _NEVER))


def living(runners: Iterable[Runner]) -> tuple[Runner, ...]:
    """Give the runners that have not provably ended."""
    return tuple(one for one in runners if not is_gone(one))
