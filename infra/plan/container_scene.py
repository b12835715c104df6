"""What rendering one environment's containers needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from infra.model.addresses import LOOPBACK
from infra.model.environment import Environment, Target
from infra.model.errors import BadInput
from infra.model.hosts import AppDomain, PlatformDomain, app_host
from infra.model.naming import Names
from infra.model.release import Image, Release
from infra.model.service import Part, Project, Service
from infra.plan.data_paths import data_folder
from infra.plan.templates import Templates


@dataclass(frozen=True, slots=True)
class ContainerScene:
    """One environment of one project on a container target.

    `versions` are secret versions by service, None when they could not be read. `images` are third-party
    ones by name; those of our own come from the release. `ports` are published on loopback, locally only.
    `secrets_folder` is the host's folder of rendered files where no agent renders them. `source` is the
    application's checkout, where images are built from it instead of pulled.
    """

    project: Project
    environment: Environment
    target: Target
    templates: Templates
    app_domain: AppDomain
    platform_domain: PlatformDomain
    images: Mapping[str, Image]
    registry: str
    ingress_network: str
    data_root: str
    vault_mount: str
    agent_program: Literal["openbao", "vault"]
    is_strict: bool
    telemetry: str
    release: Release = field(default_factory=Release)
    versions: Mapping[str, int] | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    secrets_folder: str = ""
    source: str = ""

    @property
    def names(self) -> Names:
        """The naming rules of this project."""
        return Names(self.project.name)

    @property
    def host(self) -> str:
        """The public host of the application; locally this machine's own."""
        if not self.environment.is_deployed:
            return LOOPBACK
        return app_host(self.project.host, self.environment, self.app_domain)

    @property
    def url(self) -> str:
        """The address that people open."""
        deployed = self.environment.is_deployed
        return f"https://{self.host}" if deployed else f"http://{LOOPBACK}:{self.ports.get('router', 3000)}"

    @property
    def internal_network(self) -> str:
        """The network that the services of this environment share, and nobody else."""
        return self.volume("internal")

    @property
    def ingress(self) -> str:
        """The network that the router reaches containers through."""
        return self.ingress_network if self.environment.is_deployed else self.volume("ingress")

    def volume(self, name: str) -> str:
        """Give the name of a volume or network of this environment."""
        project = self.project.name
        prefix = project if self.environment.is_deployed else project.replace("_", "-")
        return f"{prefix}-{name}{self.environment.suffix}"

    def container(self, part: str) -> str:
        """Give the name of a part's container; a test environment's stores are named as the local ones."""
        name = self.names.container(part, self.environment)
        return name or f"{self.project.name.replace('_', '-')}-{part}"

    def has_agent(self, service: Service) -> bool:
        """Tell whether an agent of its own renders this service's secrets."""
        return self.environment.has_vault and bool(service.secrets)

    def image(self, service: Service, part: Part) -> Image:
        """Give a part's image: the release's for our own code, else the pinned one; BadInput for none."""
        named = part.container.image if part.container else ""
        if service.from_source:
            return self.release.image(part.name, f"{self.registry}/{self.project.name}-{part.name}")
        return self.pinned(named)

    @property
    def agent_image(self) -> Image:
        """The image of the agents; BadInput when the images file does not have it."""
        return self.pinned(self.agent_program)

    def pinned(self, name: str) -> Image:
        """Give a third-party image by its name; BadInput when the images file does not have it."""
        if name not in self.images:
            raise BadInput(
                f"the image {name!r} is not in {self.project.images}",
                next_step=f"add it with its digest to {self.project.images}",
            )
        return self.images[name]

    def data_folder(self, service: str) -> str:
        """Give the host folder of a service's data, where data lies on the host."""
        return data_folder(self.data_root, self.project.name, service, self.environment.suffix)
