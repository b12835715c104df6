"""A service's Vault agent as a process: the unit that renders its secrets where no container does."""

from __future__ import annotations

from infra.model.environment import Environment
from infra.model.places import Places
from infra.model.service import Health, Service
from infra.model.unit import Unit
from infra.plan.agent import AgentPlaces, agent_files
from infra.plan.templates import Templates

PROGRAM = "vault"
AGENT = "-vault-agent"
HEALTH = Health("agent", interval=5, timeout=10, retries=60, start_period=30)
LOOKUP_SECONDS = 300
OWN_GROUP = "0"  # root's, who runs it: without a group that fits it would write the same file anew each time


def agent_unit(
    service: Service, environment: Environment, project: str, mount: str, templates: Templates, places: Places
) -> Unit:
    """Give the agent of a service. Server, role and credential reach it by a file, never by this unit."""
    name = unit_name(service.name)
    program = places.programs[PROGRAM]
    config = f"-config={places.unit_file(name, 'vault-agent.hcl')}"
    return Unit(
        name=name,
        service=service.name,
        program=program.version,
        argv=("/bin/sh", places.unit_file(name, "entrypoint.sh"), *program.argv, "agent", config),
        directory=places.run,
        environment=(
            ("HOME", places.root),
            ("INFRA_CHECKOUT", places.checkout),
            ("INFRA_ENV", environment.name),
            ("INFRA_LOOKUP_SECONDS", str(LOOKUP_SECONDS)),
            ("INFRA_SECRETS_FILE", places.secrets_file(service.name)),
            ("INFRA_SERVICE", service.name),
            ("INFRA_UNIT", name),
            ("LANG", "C.UTF-8"),
            ("PATH", places.path),
        ),
        port=0,
        health=HEALTH,
        files=agent_files(
            service, environment, project, mount, templates, agent_places(service.name, places)
        ),
    )


def unit_name(service: str) -> str:
    """Give the name of the unit of a service's agent."""
    return f"{service}{AGENT}"


def is_agent(unit: str) -> bool:
    """Tell whether a unit is the agent of some service."""
    return unit.endswith(AGENT)


def agent_places(service: str, places: Places) -> AgentPlaces:
    """Give where the agent keeps things: what it renders is for its service's user alone."""
    return AgentPlaces(
        secrets=places.secrets_file(service).rpartition("/")[0],
        token=places.agent_token(service),
        credential=places.credential(service),
        files=f"{places.run}/{unit_name(service)}",
        owner=places.user(service),
        group=OWN_GROUP if places.user(service) else "",
        mode="0400",
    )
