"""What a rotation will do, in the order in which it does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.model.secret import Place


@dataclass(frozen=True, slots=True)
class Rotation:
    """The keys of one service that get new values, and what follows.

    `followers` are the derived keys that change with them, `services` those that are redeployed, each after
    its needs. `at_servers` names the logins that are changed while they run, `at_start` those that their
    restart changes. `behind` are logins that do not take what the store holds: an earlier run was cut short.
    """

    service: str
    keys: tuple[str, ...]
    version: int
    followers: tuple[Place, ...]
    services: tuple[str, ...]
    at_servers: tuple[str, ...] = ()
    at_start: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()

    def steps(self) -> Iterator[tuple[str, str]]:
        """Give each step by its name, with what it does in words."""
        if self.behind:
            yield "heal", f"make {_and(self.behind)} take version {self.version}, as an earlier run meant to"
        yield "write", f"new values of {self.service} {_and(self.keys)}: version {self.version + 1}"
        if self.at_servers:
            yield "change", f"set them at {_and(self.at_servers)}"
        if self.followers:
            yield "derive", f"rewrite {_and(' '.join(place) for place in self.followers)}"
        yield "redeploy", f"redeploy {_and(self.services)}, and nothing else"
        if self.at_servers or self.at_start:
            names = (*self.at_servers, *self.at_start)
            yield "prove", f"log in to {_and(names)} with the new value, and see the old one refused"


def _and(names: Iterable[str]) -> str:
    return ", ".join(names)
