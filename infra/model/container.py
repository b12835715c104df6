"""What a unit is when it runs in a container: facts that any container target can print or call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from infra.model.service import Limits

SECRETS_GROUP = "10001"
FILES = "/infra"
MEMORY = "/run/infra"
SECRETS_FILE = "/secrets/.env"
SECRETS_OPTIONS = "size=10m,mode=2750,uid=0,gid=10001"
MountKind = Literal["volume", "bind", "memory"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A place in a container. `source` is a volume's name or a host path, empty for memory of its own.

    `options` are those of a tmpfs, as mount(8) takes them.
    """

    kind: MountKind
    target: str
    source: str = ""
    read_only: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A unit's container: its name, its image by digest, and what is around it.

    `tag` is the image's tag, for people only. `shares_secrets` tells that it renders or mounts secrets, so
    each deploy starts it anew. `interpolated` are variables that the platform fills in at start: they hold
    compose's own `${NAME...}`. `starts_itself` leaves entry point and command to the image. `build` is the
    folder that the image is built from where it is not pulled.
    """

    name: str
    image: str
    limits: Limits
    cpu_weight: int
    check: tuple[str, ...]
    tag: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    published: tuple[str, ...] = ()
    interpolated: tuple[tuple[str, str], ...] = ()
    shares_secrets: bool = False
    starts_itself: bool = False
    restart: Literal["always", "no"] = "always"
    build: str = ""
    build_args: tuple[tuple[str, str], ...] = ()
