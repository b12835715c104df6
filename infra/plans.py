"""A plan as a command: for processes from what runs, for containers from what can be read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.choices import Wishes, chosen_environment, chosen_target, require_service
from infra.model.errors import BadInput, CannotTell
from infra.model.observed import Found, Sent, Unknown
from infra.plan.compose import blank, bundle_of
from infra.plan.diff import FileChange
from infra.plan.reconcile_containers import WantedContainers, reconcile_containers
from infra.plan.roster import roster
from infra.plan.telemetry import state
from infra.scenes import scene_of
from infra.stages.words import as_facts, plan_lines, summary
from infra.targets import paper
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.observed import Observed
    from infra.model.operation import Plan
    from infra.model.service import Project, Service
    from infra.model.unit import Bundle
    from infra.plan.container_scene import ContainerScene


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan of containers, with what it was made from."""

    scene: ContainerScene
    wanted: WantedContainers
    observed: Observed
    plan: Plan


def show(this: Command, project: Project, service: str, wishes: Wishes, *, diff: bool = False) -> None:
    """Show the plan of a service, or of all without a name, with the texts of containers where `diff` is set.

    Exit 3 when something would change, 2 when something that decides could not be read. Nothing is written.
    """
    found = chosen_environment(this, wishes.env)
    settings = settings_file.load(this.root)
    target = chosen_target(found, wishes.target, settings)
    require_service(project, service, found, target)
    this.console.line(f"telemetry: {state(settings.telemetry.endpoint)}")
    this.outcome.facts["telemetry"] = settings.telemetry.endpoint or "off"
    if target == "process":
        if diff:
            this.console.line("processes are sent no texts: --diff has nothing to show")
        _show_processes(this, project, service, wishes)
    else:
        _show_containers(this, draw(this, project, service, wishes), diff=diff)


def _show_processes(this: Command, project: Project, service: str, wishes: Wishes) -> None:
    from infra import deploy
    from infra.assembly import open_session
    from infra.session import Request

    if wishes.release or wishes.from_source:
        raise BadInput(
            "a release of images says nothing to processes: they run the application's checkout",
            next_step="leave --release and --from-source out",
        )
    session = open_session(this, project, wishes.env, wishes.target, service=service)
    deploy.show(session, Request((service,) if service else session.service_names))


def draw(this: Command, project: Project, service: str, wishes: Wishes) -> Drawn:
    """Give the plan of an environment's containers; `service` is planned with what it needs."""
    scene = scene_of(this, project, chosen_environment(this, wishes.env), wishes)
    services = _with_needs(roster(project, scene.environment, scene.target), service)
    bundles = {one.name: bundle_of(one, scene) for one in services}
    asked = frozenset([service] if service else bundles)
    observed = paper.observe(scene.target, bundles.values())
    wanted = WantedContainers(services, bundles, asked)
    return Drawn(scene, wanted, observed, reconcile_containers(observed, wanted))


def _with_needs(services: tuple[Service, ...], name: str) -> tuple[Service, ...]:
    """Give a service and all that it needs, each after its needs; all of them without a name."""
    known = {one.name: one for one in services}
    wanted, todo = set(), [name] if name else list(known)
    while todo:
        one = known[todo.pop()]
        wanted.add(one.name)
        todo += [need for need in (*one.needs, *one.beside) if need in known and need not in wanted]
    return tuple(one for one in services if one.name in wanted)


def _show_containers(this: Command, drawn: Drawn, *, diff: bool) -> None:
    console, scene = this.console, drawn.scene
    console.line(
        f"{scene.project.name} in {scene.environment.name}, by {scene.target}: {summary(drawn.plan)}"
    )
    for line in plan_lines(drawn.plan):
        console.line(line)
    _show_files(this, drawn, diff=diff)
    unknown = [*by_cause(drawn.observed), *_unread(drawn)]
    this.outcome.changes = [str(step) for step in drawn.plan.operations]
    this.outcome.facts |= {**_facts(drawn), "unknown": unknown}
    if unknown:
        raise CannotTell(
            "the plan is not whole: something could not be read",
            evidence=tuple(unknown),
            next_step=f"./inv {scene.project.name}.render --env {scene.environment.name} --out build/",
        )
    this.outcome.exit_code = 0 if drawn.plan.is_empty else 3
    this.outcome.outcome = "nothing to do" if drawn.plan.is_empty else "changes are pending"


def _show_files(this: Command, drawn: Drawn, *, diff: bool) -> None:
    """Show a line for each text that would be sent, or with `diff` the texts themselves."""
    changes = {name: _changes(drawn, drawn.wanted.bundles[name]) for name in sorted(drawn.wanted.asked)}
    facts = this.outcome.facts
    facts["files"] = {name: [one.as_json() for one in many] for name, many in changes.items()}
    if diff:
        facts["diffs"] = {name: [line for one in many for line in one.diff] for name, many in changes.items()}
        for lines in facts["diffs"].values():
            this.console.diff(lines)
        return
    for one in (one for many in changes.values() for one in many):
        this.console.line(f"    {one}")
    if any(changes.values()):
        this.console.line("    their texts: --diff")


def by_cause(observed: Observed) -> list[str]:
    """Give a line for each cause, with all the reads that it kept from answering."""
    causes: dict[str, list[str]] = {}
    for name, read in observed.reads():
        if isinstance(read, Unknown):
            causes.setdefault(read.cause, []).append(name)
    return [f"{cause}: {', '.join(names)}" for cause, names in causes.items()]


def _unread(drawn: Drawn) -> list[str]:
    return [
        f"{one.service}: without {what} its digest is unknown"
        for one in drawn.wanted.bundles.values()
        for what in one.unread
    ]


def _changes(drawn: Drawn, bundle: Bundle) -> list[FileChange]:
    """Give the texts of a bundle that would be sent and are not what was sent last."""
    seen = drawn.observed.sent.get(bundle.service)
    sent = seen.fact if isinstance(seen, Found) and isinstance(seen.fact, Sent) else None
    place, is_read = f"{drawn.scene.environment.name}/{bundle.service}", not isinstance(seen, Unknown)
    both = (
        FileChange(f"{place}/compose.yaml", blank(sent.text) if sent else None, bundle.text, is_read),
        FileChange(f"{place}/env", sent.env if sent else None, bundle.env, is_read),
    )
    return [one for one in both if one.diff]


def _facts(drawn: Drawn) -> dict[str, Any]:
    return {
        "plan": drawn.plan.identity,
        "target": drawn.scene.target,
        "release": drawn.scene.release.version or drawn.scene.release.commit,
        "digests": {name: one.digest or "unknown" for name, one in drawn.wanted.bundles.items()},
        "operations": as_facts(drawn.plan),
        "left_alone": list(drawn.plan.left_alone),
    }
