"""The unit of a service's Vault agent: the sidecar that renders its secrets."""

from __future__ import annotations

from infra.model.container import FILES, SECRETS_GROUP, Box, Mount
from infra.model.service import Health, Limits, Service
from infra.model.unit import Unit
from infra.plan.agent import agent_files
from infra.plan.boxes import our_labels
from infra.plan.container_scene import ContainerScene

LIMITS = Limits(memory_mib=128, processes=50)
HEALTH = Health("agent", interval=5, timeout=3, retries=60, start_period=30)
LOOKUP_SECONDS = 300
PROGRAMS = {"openbao": "bao", "vault": "vault"}
TAKEN_FROM_PLATFORM = (
    ("VAULT_ADDR", "${VAULT_ADDR:?}"),
    ("VAULT_ROLE_ID", "${VAULT_ROLE_ID:?}"),
    ("VAULT_WRAPPED_SECRET_ID", "${VAULT_WRAPPED_SECRET_ID:-}"),
)


def agent_unit(service: Service, scene: ContainerScene) -> Unit:
    """Give the agent of a service: secrets in memory, the bootstrap credential in a volume of its own.

    In strict mode the credential is in memory as well, and dies with the host.
    """
    image = scene.agent_image
    program = PROGRAMS[scene.agent_program]
    config = f"-config={FILES}/vault-agent.hcl"
    return Unit(
        name=f"{service.name}-vault-agent",
        service=service.name,
        program=image.reference,
        argv=("/bin/sh", f"{FILES}/entrypoint.sh", program, "agent", config),
        directory="",
        environment=(
            ("INFRA_DEPLOY", ""),
            ("INFRA_ENV", scene.environment.name),
            ("INFRA_LOOKUP_SECONDS", str(LOOKUP_SECONDS)),
            ("INFRA_SERVICE", service.name),
            ("INFRA_UNIT", f"{service.name}-vault-agent"),
        ),
        port=0,
        health=HEALTH,
        files=agent_files(service, scene.environment, scene.project.name, scene.vault_mount, scene.templates),
        box=_box(service, scene),
    )


def _box(service: Service, scene: ContainerScene) -> Box:
    image = scene.agent_image
    return Box(
        name=scene.names.agent(service.name, scene.environment),
        image=image.reference,
        tag=image.tag,
        limits=LIMITS,
        cpu_weight=scene.environment.cpu_weight,
        check=("/bin/sh", f"{FILES}/health.sh"),
        user="0:0",
        groups=(SECRETS_GROUP,),
        mounts=(
            Mount("volume", "/vault/secrets", "secrets"),
            _credential(scene),
            Mount("memory", "/vault/token", options="size=1m,mode=0700"),
        ),
        networks=("internal",),
        labels=(
            *our_labels(service, scene, image.tag, shares_secrets=True),
            ("traefik.enable", "false"),
        ),
        interpolated=TAKEN_FROM_PLATFORM,
        shares_secrets=True,
    )


def _credential(scene: ContainerScene) -> Mount:
    if scene.is_strict:
        return Mount("memory", "/vault/cred", options="size=1m,mode=0700")
    return Mount("volume", "/vault/cred", "credential")
