"""How long environments on paper take: rendered, linted and reconciled, in a process of its own."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import finance_report
from infra.choices import Wishes
from infra.console import Console
from infra.invocation import Command
from infra.lint import sent_of
from infra.model.environments import environment
from infra.model.redaction import Redactor
from infra.model.service import Project
from infra.model.verdict import Outcome
from infra.paper import paper_of
from infra.plan.compose import bundle_of
from infra.plan.container_scene import ContainerScene
from infra.plan.lint import lint
from infra.plan.reconcile_containers import WantedContainers, reconcile_containers
from infra.plan.roster import roster
from infra.scenes import scene_of
from infra.targets import paper

SIX = ("local", "local_ci", "github_ci", "pr_47", "staging", "production")
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print, as JSON, the seconds of the first pass, of a second one, and of one with many services."""
    three = replace(
        finance_report.PROJECT,
        services=tuple(
            one for one in finance_report.PROJECT.services if one.name in {"postgres", "redis", "app"}
        ),
    )
    found = {
        "first": seconds(three, SIX),
        "again": seconds(three, SIX),
        "10 services": seconds(grown(three, 10), SIX),
        "50 services": seconds(grown(three, 50), SIX),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def grown(project: Project, count: int) -> Project:
    """Give a project of this many services: the given ones, and copies of the cache under other names."""
    cache = project.service("redis")
    more = tuple(
        replace(
            cache,
            name=f"cache{number}",
            parts=(replace(cache.parts[0], name=f"cache{number}"),),
            secrets=tuple(replace(spec, service=f"cache{number}") for spec in cache.secrets),
        )
        for number in range(count - len(project.services))
    )
    return replace(project, services=(*project.services, *more))


def seconds(project: Project, names: Iterable[str]) -> float:
    """Give the seconds for rendering, linting and reconciling these environments."""
    redactor = Redactor()
    this = Command(Outcome("bench", ""), Console(redactor), redactor, ROOT, {})
    began = time.perf_counter()
    for name in names:
        work(scene_of(this, project, environment(name), Wishes()))
    return time.perf_counter() - began


def work(scene: ContainerScene) -> None:
    """Render, lint and reconcile one environment."""
    services = roster(scene.project, scene.environment, scene.target)
    bundles = {one.name: bundle_of(one, scene) for one in services}
    for bundle in bundles.values():
        lint(sent_of(scene.project, paper_of(bundle, scene), bundle.text, bundle.service))
    observed = paper.observe(scene.target, bundles.values())
    reconcile_containers(observed, WantedContainers(services, bundles, frozenset(bundles)))


if __name__ == "__main__":
    main()
