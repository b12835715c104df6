"""Who runs tests on this machine: the entries of the runner list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from infra.model.namespace import get_namespace

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """What a namespace is made from. `branch` and `workspace` are a person's, `git_branch` is git's."""

    branch: str
    workspace: str
    git_branch: str
    root: str

    @property
    def namespace(self) -> str:
        """The namespace; BadInput for a branch or workspace that holds nothing usable."""
        return get_namespace(self.branch, self.workspace, self.git_branch, self.root)

    @property
    def is_fallback(self) -> bool:
        """True when no branch is known anywhere, so that the checkout's folder alone tells it apart."""
        return not self.branch.strip() and not self.git_branch.strip()

    @property
    def key(self) -> tuple[str, ...]:
        """What two runs of one namespace must agree on; git's branch counts only where it is used."""
        return (self.branch, self.workspace, "" if self.branch.strip() else self.git_branch, self.root)


@dataclass(frozen=True, slots=True)
class Runner:
    """One test run. `start_time` and `boot` tell its process from a later one of the same number.

    `run` marks every process that it started, `servers` says whose servers it uses, `index` is the
    cache's database that is its own. `created` is UTC in ISO 8601.
    """

    pid: int
    start_time: str
    host: str
    boot: str
    run: str
    namespace: str
    identity: tuple[str, ...]
    root: str
    servers: str
    index: int
    created: str


@dataclass(frozen=True, slots=True)
class RunnerList:
    """All runners, and what was started for them: by servers, the identity of each unit."""

    runners: tuple[Runner, ...] = ()
    started: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def having(self, runner: Runner) -> RunnerList:
        """Give the list with this runner."""
        return replace(self, runners=(*self.runners, runner))

    def without(self, *runs: str) -> RunnerList:
        """Give the list without the runners of these runs."""
        return replace(self, runners=tuple(one for one in self.runners if one.run not in runs))

    def with_started(self, servers: str, units: Mapping[str, str]) -> RunnerList:
        """Give the list with what was started of these servers; nothing at all forgets them."""
        others = {name: known for name, known in self.started.items() if name != servers}
        return replace(self, started={**others, **({servers: dict(units)} if units else {})})

    def as_json(self) -> dict[str, Any]:
        """Give the list as plain values; `runner_list_from_json` reads it back."""
        return {"schema": SCHEMA, "runners": [asdict(one) for one in self.runners], "started": self.started}


def runner_list_from_json(value: Any) -> RunnerList:
    """Give the list that `RunnerList.as_json` wrote; ValueError, KeyError or TypeError when it is none."""
    if value["schema"] != SCHEMA:
        raise ValueError(f"schema {value['schema']} of the runner list is not known")
    runners = tuple(
        Runner(
            **{**one, "pid": int(one["pid"]), "index": int(one["index"]), "identity": tuple(one["identity"])}
        )
        for one in value["runners"]
    )
    started = {
        str(name): {str(k): str(v) for k, v in units.items()} for name, units in value["started"].items()
    }
    return RunnerList(runners, started)
