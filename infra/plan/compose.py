"""A service's declared facts to the units of its containers, and to the compose text that is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from infra.model.container import FILES, SECRETS_OPTIONS, Box
from infra.model.service import Service
from infra.model.unit import Bundle, Unit
from infra.plan.agent_unit import agent_unit
from infra.plan.boxes import container_unit
from infra.plan.container_scene import ContainerScene
from infra.plan.platform_env import declared, encode, released
from infra.plan.telemetry import variables

TEMPLATE = "compose/compose.yaml.j2"
_MARK = re.compile(r'(infra\.bundle|infra\.deploy|INFRA_DEPLOY)=[0-9A-Za-z-]*"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Volume:
    """One entry of a compose file's `volumes`; without a name the compose project owns it."""

    key: str
    name: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """One entry of a compose file's `networks`."""

    key: str
    name: str
    is_external: bool


def bundle_of(service: Service, scene: ContainerScene) -> Bundle:
    """Give what this service is sent: units, compose text and the platform's env, with blank marks."""
    units = units_of(service, scene)
    read = scene.versions
    versions = ((service.name, (read or {}).get(service.name, 0)),) if service.secrets else ()
    unread = ("the secrets' versions",) if read is None and service.secrets else ()
    unresolved = tuple(f"the image of {unit.name}" for unit in units if _is_unresolved(unit))
    return Bundle(
        service=service.name,
        units=units,
        release=scene.release.commit if service.from_source else "",
        secret_versions=versions,
        text=text_of(service, units, scene),
        env=encode(_env(service, scene)),
        unread=(*unread, *unresolved),
    )


def units_of(service: Service, scene: ContainerScene) -> tuple[Unit, ...]:
    """Give the containers of a service: its agent, where secrets come from Vault, then its parts."""
    agents = (agent_unit(service, scene),) if scene.has_agent(service) else ()
    return (*agents, *(container_unit(service, part, scene) for part in service.parts if part.container))


def text_of(service: Service, units: Iterable[Unit], scene: ContainerScene) -> str:
    """Give the compose text of these units; the marks of bundle and deploy stay blank."""
    units = tuple(units)
    boxes = [unit.box for unit in units if unit.box]
    return scene.templates.render(
        TEMPLATE,
        project=scene.project.name,
        service=service.name,
        environment=scene.environment.name,
        units=units,
        files_at=FILES,
        volumes=tuple(_volumes(boxes, service, scene)),
        networks=tuple(_networks(boxes, service, scene)),
    )


def stamped(text: str, bundle: str, deploy: str) -> str:
    """Give a compose text with the marks of its bundle and its deploy filled in."""
    marks = {"infra.bundle": bundle, "infra.deploy": deploy, "INFRA_DEPLOY": deploy}
    return _MARK.sub(lambda mark: f'{mark[1]}={marks[mark[1]]}"', text)


def blank(text: str) -> str:
    """Give a compose text with its marks blank again: what two texts are compared by."""
    return stamped(text, "", "")


def _is_unresolved(unit: Unit) -> bool:
    return unit.box is not None and not unit.box.build and "<unresolved>" in unit.box.image


def _env(service: Service, scene: ContainerScene) -> Mapping[str, str]:
    shared = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL")
    telemetry = variables(scene.environment, service.name, scene.release.version, scene.telemetry)
    reported = {key: telemetry[key] for key in shared if key in telemetry}
    named = declared(scene.environment, scene.app_domain, scene.platform_domain, reported)
    return {**named, **released(scene.release)} if service.from_source else named


def _volumes(boxes: Iterable[Box], service: Service, scene: ContainerScene) -> Iterator[Volume]:
    names = {
        "secrets": scene.volume(f"{service.name}-secrets"),
        "credential": scene.volume(f"{service.name}-vault-agent-cred"),
    }
    sources = [mount.source for box in boxes for mount in box.mounts if mount.kind == "volume"]
    for key in dict.fromkeys(sources):
        yield Volume(key, names.get(key, ""), SECRETS_OPTIONS if key == "secrets" else "")


def _networks(boxes: Iterable[Box], service: Service, scene: ContainerScene) -> Iterator[Network]:
    joined = dict.fromkeys(name for box in boxes for name in box.networks)
    if "internal" in joined:
        is_owner = service.name == scene.project.services[0].name
        yield Network("internal", scene.internal_network, is_external=not is_owner)
    if "ingress" in joined:
        is_owner = service.only_with == "router"
        yield Network("ingress", scene.ingress, is_external=not is_owner)
