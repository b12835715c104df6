"""What an environment's agents have and lack, seen without a lease and without a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.console import Console
from infra.model.errors import InfraError
from infra.plan import rights
from infra.plan.credentials import Declared, Seen, Step, steps
from infra.vault.custody import Custody, require
from infra.vault.row import ALL, Result, Row, bad


@dataclass(frozen=True, slots=True)
class Target:
    """One service: what its agent should have, what it has, and the steps between them."""

    service: str
    declared: Declared
    seen: Seen
    steps: tuple[Step, ...]

    @property
    def accessor(self) -> str:
        """The credential that works now, empty when none is proven."""
        return self.seen.proven.accessor if self.seen.proven else ""


@dataclass(frozen=True, slots=True)
class Survey:
    """The caller's rights, the steps that all targets share, and the targets; a row is one that failed."""

    environment: str
    held: Mapping[str, frozenset[str]]
    common: tuple[Step, ...]
    looked: tuple[Target | Row, ...]

    @property
    def is_quiet(self) -> bool:
        """True when there is nothing that could be done."""
        return not self.common and not any(isinstance(one, Target) and one.steps for one in self.looked)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of a run that changes nothing."""
        common = (Row(self.environment, ALL, "changes are pending", (step,)) for step in self.common)
        return (*common, *(one if isinstance(one, Row) else self._row(one) for one in self.looked))

    def _row(self, target: Target) -> Row:
        result: Result = "changes are pending" if target.steps else "nothing to do"
        return Row(self.environment, target.service, result, target.steps, target.accessor)

    def show(self, console: Console) -> None:
        """Print the plan: a line for each step."""
        for step in self.common:
            console.line(f"{self.environment}: {step}")
        for one in self.looked:
            for step in () if isinstance(one, Row) else one.steps:
                console.line(f"{self.environment} {one.service}: {step}")


def survey(console: Console, custody: Custody, service: str, *, is_asked_for: bool) -> Survey:
    """Give the survey of one service, or of all where none is named; Sealed and its kin stop it whole."""
    names = (custody.service(service).name,) if service else tuple(one.name for one in custody.services)
    custody.require_open()
    if custody.own_token().is_root:
        console.line("warning: this is a root token; an admin's is enough")
    held = custody.rights()
    common = tuple(_common(custody, held))
    looked = tuple(look(custody, held, name, is_asked_for=is_asked_for) for name in names)
    return Survey(custody.environment.name, held, common, looked)


def look(
    custody: Custody, held: Mapping[str, frozenset[str]], service: str, *, is_asked_for: bool
) -> Target | Row:
    """Give one target as it stands now; a row tells why that cannot be seen."""
    try:
        require(held, rights.to_look(custody.role(service)))
        declared, seen, now = custody.declared(service), custody.seen(service), custody.now()
    except InfraError as error:
        return bad(custody.environment.name, service, error)
    wanted = steps(declared, seen, now, is_asked_for=is_asked_for)
    return Target(service, declared, seen, wanted)


def _common(custody: Custody, held: Mapping[str, frozenset[str]]) -> Iterator[Step]:
    """Give the steps that all targets share; who may not look at such things leaves them alone."""
    if (
        rights.may(held, (rights.TUNE, "read"), (rights.TUNE, "update"))
        and not custody.approle.is_lockout_off()
    ):
        reason = "an agent with an old credential would lock its role for 15 minutes"
        yield Step("switch-lockout-off", "approle", reason)
    name, text = custody.deployer()
    path = rights.policy_path(name)
    if rights.may(held, (path, "read"), (path, "update")):
        found = custody.approle.policy(name)
        if found != text:
            yield Step("write-policy", name, "there is none" if found is None else "its text differs")
