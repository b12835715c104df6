"""Reference pages made from the registry and the table: what is written by hand nowhere can be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from infra.model.addresses import LOOPBACK
from infra.model.environment import Environment
from infra.model.hosts import AppDomain, app_host
from infra.model.naming import Names
from infra.model.service import Part, Project, Service
from infra.plan.roster import is_here

MADE = "<!-- Made by ./inv docs.reference from the code: a change made here is lost. -->"
DOMAIN = AppDomain("example.test")


def pages(project: Project, environments: Sequence[Environment]) -> dict[str, str]:
    """Give the pages by file name."""
    return {
        "environments.md": _page("Environments", _environments(project, environments)),
        "services.md": _page(f"Services of {project.title}", _services(project, environments)),
    }


def _page(title: str, lines: Iterable[str]) -> str:
    return "\n".join((f"# {title}", "", MADE, "", *lines)).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""


def _environments(project: Project, environments: Sequence[Environment]) -> Iterator[str]:
    facts = [_facts(project, one) for one in environments]
    names = [f"`{one.name}`" for one in environments]
    yield from _table(["fact", *names], ([name, *(fact[name] for fact in facts)] for name in facts[0]))


def _facts(project: Project, found: Environment) -> dict[str, str]:
    names = Names(project.name)
    namespace = "<namespace>" if found.namespaced == "always" else ""
    host = app_host(project.host, found, DOMAIN) if found.is_deployed else ""
    limits = found.checkpoints
    test_store = f"{project.name}_test_{namespace}"
    return {
        "address": f"https://{host}" if host else f"http://{LOOPBACK}:3000" if found.has_router else "none",
        "target": f"{found.default_target}; also {', '.join(found.other_targets)}",
        "suffix": found.suffix or "none",
        "`ENV`": found.app_env,
        "telemetry tag": found.tag,
        "database": test_store if namespace else names.database(found),
        "bucket": f"{found.bucket}-{namespace}" if namespace else names.bucket(found),
        "secrets": found.secret_store,
        "data": found.data_kept,
        "services": ", ".join(one.name for one in project.services if is_here(one, found, "docker")),
        "health deadline": f"{found.health_deadline} s",
        "checkpoint limits": f"{limits.secrets}, {limits.migrations}, {limits.server} s",
        "watch": f"{found.watch_seconds:g} s",
        "CPU weight": str(found.cpu_weight),
        "consent": "typed, or `--yes`" if found.asks_consent else "none",
    }


def _services(project: Project, environments: Sequence[Environment]) -> Iterator[str]:
    for service in project.services:
        where = [f"`{one.name}`" for one in environments if is_here(service, one, "docker")]
        yield from (f"## {service.name}", "")
        yield f"Needs {', '.join(service.needs) or 'nothing'}. Runs in {', '.join(where)}."
        yield ""
        yield from _parts(service)
        yield from _secrets(service)
        yield from _routes(service)


def _parts(service: Service) -> Iterator[str]:
    head = ["part", "port", "health", "memory", "processes", "data"]
    yield from _table(head, [_part(part) for part in service.parts])


def _part(part: Part) -> list[str]:
    health, limits = part.health, part.limits
    asked = f" {health.path}" if health.probe == "http" else ""
    times = f"every {health.interval} s, timeout {health.timeout} s, {health.retries} tries"
    more = limits.memory_mib_in_production
    return [
        part.name,
        str(part.port),
        f"{health.probe}{asked}; {times}; start period {health.start_period} s",
        f"{limits.memory_mib} MiB" + (f", production {more} MiB" if more else ""),
        str(limits.processes),
        (part.container.data if part.container else "") or "none",
    ]


def _secrets(service: Service) -> Iterator[str]:
    rows = [
        [f"`{spec.key}`", spec.kind, "everywhere" if spec.required_in("local") else "where deployed"]
        for spec in service.secrets
    ]
    if rows:
        yield from _table(["secret", "kind", "required"], rows)


def _routes(service: Service) -> Iterator[str]:
    rows = [
        [route.name, route.path or "everything else", route.part, str(route.priority)]
        for route in service.routes
    ]
    if rows:
        yield from _table(["router", "path", "part", "priority"], rows)
