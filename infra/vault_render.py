"""What a service's Vault agent writes: from made-up values, or from the real ones in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.model import dotenv
from infra.model.environments import choose, environment
from infra.model.errors import BadInput, KnownBad
from infra.model.hostile import HOSTILE
from infra.plan import agent
from infra.plan.agent_template import Values, evaluate
from infra.plan.roster import is_here
from infra.workspace import settings_file, templates

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.environment import Environment
    from infra.model.service import Project, Service

COLUMNS = ("key", "kind", "form", "bytes")


@dataclass(frozen=True, slots=True)
class _Case:
    """One file that the agent would write: the store's values by path, and what has to come out."""

    name: str
    stored: Values
    expected: Mapping[str, str]


def render(
    this: Command, project: Project, env: str | None, service: str, target: str = "", *, offline: bool
) -> None:
    """Evaluate the template for every hostile value in every key, parse it back, and print key names.

    Without `offline` it is evaluated once, with what the store holds and the caller may read. KnownBad names
    the value that does not come out as it went in. Values are never shown.
    """
    settings = settings_file.load(this.root)
    found = environment(choose(env, this.variables.get("DEPLOY_ENV"), settings.default_env))
    this.outcome.env, this.outcome.service = found.name, service
    known = _service(project, found, service)
    if not offline:
        _render_real(this, project, found, service, target)
        return
    files = agent.agent_files(known, found, project.name, settings.vault.mount, templates.load(this.root))
    template = next(file.text for file in files if file.name == "secrets.ctmpl")
    cases = tuple(_cases(known, found, project.name, settings.vault.mount))
    rows = [_row(known, row, cases) for row in agent.rows_of(known, found)]
    this.outcome.facts |= {
        "path": agent.secret_path(project.name, found, service, settings.vault.mount),
        "cases": len(cases),
        "keys": rows,
    }
    this.console.table([COLUMNS, *([str(row[column]) for column in COLUMNS] for row in rows)])
    bad = [case.name for case in cases if not _comes_out(template, case)]
    if bad:
        raise KnownBad(f"the agent's file is not what was stored: {', '.join(bad)}")
    this.console.line(f"{len(cases)} made-up files of {len(rows)} keys came out byte for byte", "green")


def _service(project: Project, found: Environment, name: str) -> Service:
    if found.secret_store != "vault":  # noqa: S105  # the kind of a store
        raise BadInput(
            f"{found.name} keeps its secrets in no Vault",
            next_step="./inv vault.render --env staging --service app --offline",
        )
    here = [one for one in project.services if one.secrets and is_here(one, found, found.default_target)]
    for service in here:
        if service.name == name:
            return service
    names = ", ".join(one.name for one in here)
    is_known = name in {one.name for one in project.services}
    words = f"{name} has no secrets there" if is_known else f"--service: {name!r} is no service"
    raise BadInput(
        f"{words}; {found.name} has agents for {names}",
        next_step=f"./inv vault.render --env {found.name} --service {here[0].name} --offline",
    )


def _render_real(this: Command, project: Project, found: Environment, service: str, target: str) -> None:
    from infra.vault import opened, render

    render.render(this, opened.custody_of(this, project, found.name, target), service)


def _cases(service: Service, found: Environment, project: str, mount: str) -> Iterator[_Case]:
    """Give a case for each hostile value, shifted from key to key; shared keys come from either path."""
    own, common = agent.secret_path(project, found, service.name, mount), agent.shared_path
    rows, texts = agent.rows_of(service, found), tuple(HOSTILE.values())
    shared = {row.key for row in rows if row.form == "shared"}
    for turn, name in enumerate(HOSTILE):
        values = {row.key: texts[(turn + place) % len(texts)] for place, row in enumerate(rows)}
        yield _Case(name, {own: values}, values)
        if shared:
            mine = {key: text for key, text in values.items() if key not in shared}
            others = {key: text for key, text in values.items() if key in shared}
            yield _Case(f"{name}, shared", {own: mine, common(project, service.name, mount): others}, values)


def _comes_out(template: str, case: _Case) -> bool:
    text = evaluate(template, case.stored)
    return text == dotenv.encode(case.expected) and dotenv.parse(text) == case.expected


def _row(service: Service, row: agent.Row, cases: tuple[_Case, ...]) -> dict[str, str | int]:
    kind = next(spec.kind for spec in service.secrets if spec.key == row.key)
    largest = max(len(case.expected[row.key].encode()) for case in cases)
    return {"key": row.key, "kind": kind, "form": row.form, "bytes": largest}
