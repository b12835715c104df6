"""What is linted: the texts of one service, and what a rule has to know of the place they are for."""

from __future__ import annotations

from dataclasses import dataclass

from infra.model.environment import Environment


@dataclass(frozen=True, slots=True)
class Sent:
    """The compose text and the env text of one service, as they would be sent.

    `file` is how people call the compose text. `ingress` is the network of the router, which only the parts
    in `routed` join. Host paths lie below `data_root`; `secrets_folder` is the one of a machine without
    agents. `from_source` allows images that are built on the host.
    """

    file: str
    text: str
    env: str
    environment: Environment
    project: str
    service: str
    ingress: str
    data_root: str
    from_source: bool = False
    routed: tuple[str, ...] = ("backend", "frontend")
    secrets_folder: str = ""
