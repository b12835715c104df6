"""A service's declared facts to the units that run it, and to the bundle that is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from infra.model.addresses import LOOPBACK
from infra.model.environment import Environment
from infra.model.naming import Names
from infra.model.passed import FILE
from infra.model.places import Places
from infra.model.service import Part, Project, Service
from infra.model.unit import Bundle, Unit, UnitFile
from infra.plan import agent_process, routes, telemetry
from infra.plan.templates import Templates

CERTIFICATE = "own.pem"
_ON_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost):\d+")


@dataclass(frozen=True, slots=True)
class Scene:
    """What rendering one environment for one target needs to know.

    `release` is the 40 hex digits of the application's code, `versions` are secret versions by service,
    `commands` and `variables` are a person's own wishes for parts, by part name. `vault_mount` is where Vault
    keeps the secrets, empty where no agent renders them. `passed` is the digest of the caller's variables
    that the application gets, empty for none.
    """

    project: Project
    environment: Environment
    places: Places
    templates: Templates
    release: str
    versions: Mapping[str, int]
    public_url: str
    commands: Mapping[str, tuple[str, ...]]
    telemetry: str = ""
    vault_mount: str = ""
    passed: str = ""

    def has_agent(self, service: Service) -> bool:
        """Tell whether an agent of its own renders this service's secrets."""
        return bool(self.vault_mount and service.secrets)


def bundle_of(service: Service, scene: Scene) -> Bundle:
    """Give what this service is sent in this scene; where it has an agent, that comes first."""
    versions = ((service.name, scene.versions.get(service.name, 0)),) if service.secrets else ()
    agents = (_agent(service, scene),) if scene.has_agent(service) else ()
    units = (*agents, *(_unit(service, part, scene) for part in service.parts))
    return Bundle(service.name, units, scene.release if service.from_source else "", versions)


def at_these_addresses(bundle: Bundle, service: Service, scene: Scene) -> Bundle:
    """Give a recorded bundle as it was, or its release rendered anew where it names other addresses."""
    fresh = bundle_of(service, replace(scene, release=bundle.release or scene.release))
    return bundle if _addresses(bundle) <= _addresses(fresh) else fresh


def _addresses(bundle: Bundle) -> set[str]:
    named = _ON_LOOPBACK.findall(json.dumps(bundle.as_json()))
    return {*named, *(f"{LOOPBACK}:{unit.port}" for unit in bundle.units)}


def _agent(service: Service, scene: Scene) -> Unit:
    where = scene.environment, scene.project.name, scene.vault_mount
    return agent_process.agent_unit(service, *where, scene.templates, scene.places)


def _unit(service: Service, part: Part, scene: Scene) -> Unit:
    places = scene.places
    folder = f"{places.release(scene.release)}/{part.folder}" if service.from_source else places.run
    return Unit(
        name=part.name,
        service=service.name,
        program=places.programs[part.program].version,
        argv=_argv(service, part, scene),
        directory=folder,
        environment=tuple(sorted(_environment(service, part, scene, folder).items())),
        port=places.ports[part.name],
        health=part.health,
        files=_files(service, part, scene),
        needs=_needs(service, part, scene),
        stop_signal=part.stop_signal,
        user=places.user(service.name),
        yields=service.is_soft,
    )


def _argv(service: Service, part: Part, scene: Scene) -> tuple[str, ...]:
    places, words = scene.places, _words(service, part, scene)
    own = scene.commands.get(part.name)
    start = own or (*places.programs[part.program].argv, *part.command)
    argv = tuple(_filled(word, words) for word in start)
    return ("/bin/sh", places.unit_file(part.name, "entrypoint.sh"), *argv) if part.entrypoint else argv


def _words(service: Service, part: Part, scene: Scene) -> dict[str, str]:
    places = scene.places
    folder = places.server_folder(service.name)
    return {
        "$BIND": places.bind,
        "$PORT": str(places.ports[part.name]),
        "$DATA_DIR": places.data(service.name),
        "$RUN_DIR": f"{places.run}/{part.name}",
        "$CONFIG_FILE": f"{folder}/server.conf",
        "$CONFIG_DIR": folder,
        "$CERTIFICATE_FILE": f"{folder}/{CERTIFICATE}",
        "$BUCKET": Names(scene.project.name).bucket(scene.environment),
        **{f"${name.upper()}_PORT": str(places.ports[f"{part.name}_{name}"]) for name, _ in part.more_ports},
    }


def _filled(word: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


def _environment(service: Service, part: Part, scene: Scene, folder: str) -> dict[str, str]:
    places, environment = scene.places, scene.environment
    words = _words(service, part, scene)
    variables = {
        "PATH": places.path,
        "HOME": places.root,
        "LANG": "C.UTF-8",
        "INFRA_CHECKOUT": places.checkout,
        "INFRA_ENV": environment.name,
        "INFRA_SERVICE": service.name,
        "INFRA_UNIT": part.name,
        "BIND": places.bind,
        "PORT": str(places.ports[part.name]),
        **dict(part.environment),
        **{name: _filled(text, words) for name, text in part.process_environment},
    }
    if part.reads_secrets and service.secrets:
        variables |= {
            "INFRA_SECRETS_FILE": places.secrets_file(service.name),
            "INFRA_CONFIG_FILE": words["$CONFIG_FILE"],
        }
    if service.from_source:
        variables |= _application_variables(part, scene, folder)
    return variables


def _application_variables(part: Part, scene: Scene, folder: str) -> dict[str, str]:
    limits, version = scene.environment.checkpoints, scene.release[:12]
    name = telemetry.service_name(scene.project.name, part.name)
    return {
        **telemetry.variables(scene.environment, name, version, scene.telemetry),
        "APP_DIR": folder,
        "PYTHONPATH": folder,
        "PYTHONUNBUFFERED": "1",
        "ENV": scene.environment.app_env,
        "GIT_COMMIT_SHA": scene.release,
        "APP_VERSION": version,
        "PUBLIC_URL": scene.public_url,
        "INFRA_PYTHON": scene.places.python[0],
        "INFRA_BOOT": scene.places.unit_file(part.name, "boot.py"),
        "INFRA_MIGRATION_SECONDS": str(limits.migrations),
        "INFRA_SERVER_SECONDS": str(limits.server),
        "INFRA_POLL_SECONDS": str(limits.poll),
        **({FILE: scene.places.passed_file(scene.passed)} if scene.passed else {}),
    }


def _files(service: Service, part: Part, scene: Scene) -> tuple[UnitFile, ...]:
    files = []
    if part.entrypoint:
        limits = scene.environment.checkpoints
        text = scene.templates.render(
            f"entrypoint/{part.entrypoint}.sh.j2",
            required_keys=[spec.key for spec in service.secrets if spec.required_in(scene.environment.name)],
            secrets_limit=limits.secrets,
            poll_seconds=limits.poll,
        )
        files.append(UnitFile("entrypoint.sh", text))
    if part.entrypoint == "backend":
        files.append(UnitFile("boot.py", scene.templates.text("entrypoint/boot.py")))
    if part.program == "traefik":
        files += routes.traefik_files(scene.project, scene.environment, scene.places)
    return tuple(files)


def _needs(service: Service, part: Part, scene: Scene) -> tuple[str, ...]:
    agent = (agent_process.unit_name(service.name),) if scene.has_agent(service) else ()
    first = part.after or tuple(scene.project.service(need).parts[0].name for need in service.needs)
    return (*agent, *first)
