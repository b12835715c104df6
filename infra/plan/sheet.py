"""All that is computed of an environment: every name, host, path and limit, with where each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from infra.model.container import Box
from infra.model.passed import Passed
from infra.model.unit import Unit
from infra.plan.agent import role_name, secret_path
from infra.plan.compose import units_of
from infra.plan.container_scene import ContainerScene
from infra.plan.roster import roster

TABLE = "table of environments"
NAMES = "naming rules"


class Row(NamedTuple):
    """One fact: what it is about, its name, its value, and where it comes from."""

    kind: str
    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Where written settings stand, by path, and where unwritten ports are from; the rest are defaults."""

    places: Mapping[str, str]
    ports: Mapping[str, str] = field(default_factory=dict)

    def of(self, path: str) -> str:
        """Give where a setting comes from."""
        return f"{path}, {self.places[path]}" if path in self.places else f"{path}, default"

    def port(self, name: str) -> str:
        """Give where a port comes from."""
        path = f"ports/{name}"
        return self.of(path) if path in self.places else self.ports.get(name, self.of(path))

    def first(self, *paths: str) -> str:
        """Give where the first written one of these settings comes from, else the last one's default."""
        return self.of(next((path for path in paths if path in self.places), paths[-1]))


def sheet(scene: ContainerScene, sources: Sources) -> list[Row]:
    """Give every fact of the scene's environment; equal input gives equal rows."""
    return [
        *_environment(scene, sources),
        *_addresses(scene, sources),
        *_limits(scene, sources),
        *_stores(scene, sources),
        *_services(scene, sources),
        *_secrets(scene, sources),
    ]


def passed_rows(passed: Passed, sources: Sources) -> list[Row]:
    """Give a row for each variable of the caller that the application gets; never a value."""
    own = sources.of("app/environment")
    rows = [Row("variable", name, "from the shell of who deploys", own) for name in passed.values]
    return [*rows, *(Row("variable", name, "not set here", own) for name in passed.unset)]


def _environment(scene: ContainerScene, sources: Sources) -> Iterator[Row]:
    found = scene.environment
    target = f"environments/{found.name}/target"
    yield Row("environment", "name", found.name, "asked for")
    yield Row("environment", "kind", found.kind, TABLE)
    yield Row("environment", "suffix", found.suffix or "none", TABLE)
    yield Row("environment", "domain suffix", found.domain_suffix or "none", TABLE)
    yield Row("environment", "ENV", found.app_env, TABLE)
    yield Row("environment", "telemetry tag", found.tag, TABLE)
    own = sources.of(target) if target in sources.places else TABLE
    yield Row("environment", "default target", found.default_target, TABLE)
    yield Row("environment", "target", scene.target, own)
    yield Row("environment", "other targets", ", ".join(found.other_targets), TABLE)
    yield Row("environment", "secret store", found.secret_store, TABLE)
    yield Row("environment", "data", found.data_kept, TABLE)
    yield Row("environment", "consent to changes", "typed, or --yes" if found.asks_consent else "none", TABLE)


def _addresses(scene: ContainerScene, sources: Sources) -> Iterator[Row]:
    domain = sources.first("app_domain", "internal_domain") if scene.environment.is_deployed else TABLE
    yield Row("address", "url", scene.url, domain)
    yield Row("address", "host", scene.host, domain)
    yield Row("address", "platform domain", scene.platform_domain.name, sources.of("internal_domain"))
    yield Row("address", "telemetry", scene.telemetry or "off", sources.of("telemetry/endpoint"))
    for part, port in scene.ports.items():
        yield Row("port", part, f"127.0.0.1:{port}", sources.port(part))


def _limits(scene: ContainerScene, sources: Sources) -> Iterator[Row]:
    found, path = scene.environment, f"environments/{scene.environment.name}/deadline"
    own = sources.of(path) if path in sources.places else TABLE
    yield Row("limit", "health deadline", f"{found.health_deadline} s", own)
    for name in ("secrets", "migrations", "server"):
        yield Row("limit", f"checkpoint {name}", f"{getattr(found.checkpoints, name)} s", TABLE)
    yield Row(
        "limit", "gate interval", f"{found.gate_interval:g} s, then {found.settled_interval:g} s", TABLE
    )
    yield Row("limit", "watch", f"{found.watch_seconds:g} s", TABLE)
    yield Row("limit", "CPU weight", str(found.cpu_weight), TABLE)


def _stores(scene: ContainerScene, sources: Sources) -> Iterator[Row]:
    found, names = scene.environment, scene.names
    namespace = "<namespace>" if found.namespaced == "always" else None
    if namespace:
        yield Row("store", "database", f"{scene.project.name}_test_{namespace}", NAMES)
        yield Row("store", "bucket", f"{found.bucket}-{namespace}", NAMES)
    else:
        yield Row("store", "database", names.database(found), NAMES)
        yield Row("store", "bucket", names.bucket(found), NAMES)
    yield Row("store", "role", scene.project.role, NAMES)
    if found.kind in {"staging", "production"}:
        root = sources.first(f"environments/{found.name}/data_root", "containers/data_root")
        for service in roster(scene.project, found, scene.target):
            if service.data_version:
                yield Row("data folder", service.name, scene.data_folder(service.name), root)


def _services(scene: ContainerScene, sources: Sources) -> Iterator[Row]:
    yield Row("network", "internal", scene.internal_network, NAMES)
    ingress = sources.of("containers/ingress") if scene.environment.is_deployed else NAMES
    yield Row("network", "ingress", scene.ingress, ingress)
    for service in roster(scene.project, scene.environment, scene.target):
        for unit in units_of(service, scene):
            if unit.box:
                yield from _container(unit, unit.box, scene, sources)


def _container(unit: Unit, box: Box, scene: ContainerScene, sources: Sources) -> Iterator[Row]:
    declared = f"{scene.project.name}/{unit.service}.py"
    is_ours = scene.project.service(unit.service).from_source and unit.health.probe != "agent"
    image = "release" if is_ours else scene.project.images
    yield Row("container", unit.name, box.name, NAMES)
    yield Row("image", unit.name, box.image, sources.of("containers/registry") if is_ours else image)
    size = f"{box.limits.memory_mib} MiB, {box.limits.processes} processes, weight {box.cpu_weight}"
    yield Row("limit", unit.name, size, declared)


def _secrets(scene: ContainerScene, sources: Sources) -> Iterator[Row]:
    if not scene.environment.has_vault:
        return
    place = scene.project.name, scene.environment
    for service in roster(scene.project, scene.environment, scene.target):
        if service.secrets:
            path = secret_path(*place, service.name, scene.vault_mount)
            yield Row("secrets", service.name, path, sources.of("vault/mount"))
            yield Row("policy and role", service.name, role_name(*place, service.name), NAMES)
