"""The smoke test as a command: chooses the target, runs the profile, tells what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.assembly import open_session
from infra.choices import chosen_target
from infra.model.environments import choose, environment
from infra.model.errors import KnownBad, Unreachable
from infra.model.hosts import AppDomain, app_host
from infra.model.smoke_report import COLUMNS
from infra.plan.smoke import choose_commit, choose_target
from infra.verify import smoke as runner
from infra.verify.smoke_profiles import load_profile
from infra.verify.smoke_selftest import self_test as prove
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project
    from infra.session import Session


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks of a smoke run; an empty text means "not given"."""

    base_url: str = ""
    profile: str = ""
    expected_sha: str = ""
    mode: str = ""
    min_checks: str = ""
    extended: bool = False
    perf: bool = False
    perf_limit: str = ""
    ca_file: str = ""


def smoke(this: Command, project: Project, env: str | None, target: str, wishes: Wishes) -> None:
    """Run the profile and print its table; KnownBad when a check failed, Unreachable when nobody answered."""
    variables = this.variables
    computed, name, commit = _computed(this, project, env, target, wishes)
    base_url = choose_target(wishes.base_url or None, variables.get("BASE_URL"), computed)
    this.console.line(f"target {base_url} ({name})")
    with this.console.stage("smoke") as stage:
        report = runner.run(
            load_profile(wishes.profile or project.name, this.root),
            base_url,
            environment_name=name,
            mode=wishes.mode or None,
            expected_sha=choose_commit(wishes.expected_sha or None, variables.get("EXPECTED_SHA")) or commit,
            min_checks=wishes.min_checks or variables.get("MIN_CHECKS"),
            extended=wishes.extended,
            perf=wishes.perf or name == "staging",
            perf_limit=wishes.perf_limit or None,
            ca_file=wishes.ca_file or None,
            router_url=computed,
            production_hosts={production_host(this, project)},
            on_wait=lambda ready: stage.wait(f"try {ready.tries}: {ready.last}"),
        )
        passed = sum(one.verdict != "fail" for one in report.checks)
        stage.say(f"{passed} of {len(report.checks)} checks passed, at least {report.minimum} are needed")
        stage.is_good = not report.faults
    this.console.table([COLUMNS, *report.table])
    this.outcome.facts |= report.as_facts()
    if report.faults:
        raise KnownBad("the smoke test failed", evidence=report.faults, next_step=_logs(project, name))


def address(this: Command, project: Project, env: str | None, base_url: str) -> tuple[str, str]:
    """Give the address of an environment as a person or its own name says it, and that name."""
    computed, name, _ = _computed(this, project, env, "", Wishes(base_url=base_url))
    return choose_target(base_url or None, this.variables.get("BASE_URL"), computed), name


def production_host(this: Command, project: Project) -> str:
    """Give the host under which people reach production."""
    settings = settings_file.load(this.root)
    domain = AppDomain(settings.app_domain or settings.internal_domain)
    return str(app_host(project.host, environment("production"), domain))


def _computed(
    this: Command, project: Project, env: str | None, target: str, wishes: Wishes
) -> tuple[str, str, str | None]:
    """Give the environment's own address, its name, and the commit that was deployed there last."""
    given = wishes.base_url or this.variables.get("BASE_URL")
    settings = settings_file.load(this.root)
    found = environment(choose(env, this.variables.get("DEPLOY_ENV"), "local"))
    if chosen_target(found, target, settings) != "process":
        domain = AppDomain(settings.app_domain or settings.internal_domain)
        return f"https://{app_host(project.host, found, domain)}", found.name, None
    if given and found.name != "local":
        return "", found.name, None
    session = open_session(this, project, env, target)
    if not given:
        _require_started(session)
    newest = session.records.newest("app") if not given else None
    return session.url, found.name, newest.release if newest and newest.verdict == "ok" else None


def _require_started(session: Session) -> None:
    """Refuse to wait for what nobody starts: nothing runs here, and no supervisor is about to."""
    if session.target.living() or session.target.states():
        return
    was_there = session.records.newest("app") is not None
    words = "nothing runs here any more" if was_there else "nothing was ever set up here"
    raise Unreachable(f"{session.environment.name}: {words}", next_step=session.say("setup"))


def _logs(project: Project, name: str) -> str:
    return f"./inv {project.name}.app.logs --env {name}"


def self_test(this: Command, project: Project) -> None:
    """Prove that each row can fail; KnownBad names those that cannot."""
    with this.console.stage("self-test") as stage:
        profile = load_profile(project.name, this.root)
        report = prove(profile, on_result=lambda one: stage.wait(f"{one.id} {one.expected}"))
        stage.say(f"{len(report.proofs)} proofs")
        stage.is_good = not report.faults
    this.console.table([COLUMNS, *report.table])
    this.outcome.facts |= report.as_facts()
    if report.faults:
        raise KnownBad("the smoke test cannot be trusted", evidence=report.faults)
