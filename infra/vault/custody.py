"""The credentials of one environment: what its agents should have, and what is seen of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra.model import dotenv
from infra.model.credential import Login, moment
from infra.model.errors import BadInput, CannotTell, Denied, Sealed
from infra.plan import deployer, rights
from infra.plan.agent import is_in_preview_zone, policy_text, role_name
from infra.plan.credentials import Declared, Seen, role_settings
from infra.store.vault.approle import AppRole
from infra.store.vault.server import Server
from infra.store.vault.tokens import Token, Tokens
from infra.targets.process import credentials

if TYPE_CHECKING:
    from infra.model.credential import Credential
    from infra.model.environment import Environment
    from infra.model.places import Places
    from infra.model.service import Service
    from infra.model.settings import Vault
    from infra.plan.templates import Templates
    from infra.store.vault.client import VaultClient

LEFT_AT_LEAST = 300


@dataclass(frozen=True, slots=True)
class Custody:
    """One environment with its Vault, as the caller's token lets us see it.

    `services` have an agent here, each after its needs. `places` is where agents run on this machine, None
    where they run elsewhere.
    """

    project: str
    environment: Environment
    services: tuple[Service, ...]
    settings: Vault
    templates: Templates
    client: VaultClient
    places: Places | None

    @property
    def approle(self) -> AppRole:
        """Policies, roles and secret ids."""
        return AppRole(self.client)

    @property
    def tokens(self) -> Tokens:
        """Questions about tokens."""
        return Tokens(self.client)

    @property
    def server(self) -> Server:
        """The server itself."""
        return Server(self.client)

    def now(self) -> datetime:
        """Give this moment by its Vault's clock: the ages of credentials and values are told by it."""
        return self.server.now()

    def service(self, name: str) -> Service:
        """Give a service that has an agent here; BadInput names those that have one."""
        for one in self.services:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self.services)
        words = f"--service: {name!r} has no agent in {self.environment.name}; {names} have one"
        raise BadInput(words, next_step=f"--service {self.services[0].name}")

    def role(self, service: str) -> str:
        """Give the name of a service's role and policy."""
        return role_name(self.project, self.environment, service)

    def declared(self, service: str) -> Declared:
        """Give what a service's agent should have."""
        name = self.role(service)
        text = policy_text(service, self.environment, self.project, self.settings.mount, self.templates)
        return Declared(name, text, role_settings(name, tuple(self.settings.bound_cidrs)))

    def deployer(self) -> tuple[str, str]:
        """Give name and text of the policy of who deploys here."""
        roles = tuple(self.role(one.name) for one in self.services)
        where = (self.environment, self.project, self.settings.mount)
        name = deployer.deployer_name(self.project, self.environment)
        return name, deployer.deployer_text(roles, *where, self.templates)

    def seen(self, service: str) -> Seen:
        """Give what a service's agent has; without a role nothing more is asked of the server."""
        name, login = self.role(service), self.login(service)
        is_wrapped = self.is_wrapped(service)
        listed = self.approle.accessors(name)
        if listed is None:
            return Seen(False, None, None, (), login, is_wrapped)
        mine = self.credentials(service, listed)
        return Seen(True, self.approle.policy(name), self.approle.role(name), mine, login, is_wrapped)

    def credentials(self, service: str, accessors: tuple[str, ...]) -> tuple[Credential, ...]:
        """Give what these accessors of a service's role name, where they are this environment's."""
        found = (self.approle.look_up(self.role(service), accessor) for accessor in accessors)
        return tuple(one for one in found if one is not None and self.owns(one))

    def login(self, service: str) -> Login | None:
        """Give what the agent's heartbeat shows; None without one."""
        beat = credentials.heartbeat(self.places, service) if self.places else None
        at = moment(beat.time) if beat else None
        if beat is None or at is None:
            return None
        return Login(at, beat.accessor, beat.token_deploy, beat.token_accessor, beat.token_expires)

    def is_wrapped(self, service: str) -> bool:
        """Tell whether a wrapped credential still lies where it was delivered."""
        found = credentials.delivered(self.places, service) if self.places else None
        return found is not None and bool(found.wrapped.reveal())

    def is_rendered(self, service: str) -> bool:
        """Tell whether the secrets file of a service is there, and whole."""
        if self.places is None:
            return False
        try:
            return bool(dotenv.parse(Path(self.places.secrets_file(service)).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return False

    def owns(self, credential: Credential) -> bool:
        """Tell whether a credential is this environment's; previews share roles, and nothing else."""
        is_shared = is_in_preview_zone(self.environment)
        return not is_shared or credential.environment == self.environment.name

    def marks(self, deploy: str) -> dict[str, str]:
        """Give what a credential of this environment is made with."""
        return {"deploy_id": deploy, "environment": self.environment.name}

    def require_open(self) -> None:
        """Return when the server answers questions about values; Sealed when it does not."""
        health = self.server.health()
        if not health.is_open:
            keys = (
                f", {health.progress} of {health.threshold} unseal keys are given" if health.threshold else ""
            )
            raise Sealed(f"Vault is {health.state}{keys}", next_step="./inv vault.status")

    def own_token(self) -> Token:
        """Give the caller's token; CannotTell when it ends before the work could be done."""
        token = self.tokens.own()
        if token.seconds is not None and token.seconds < LEFT_AT_LEAST:
            words = f"your token ends in {token.seconds} s, and {LEFT_AT_LEAST} are needed"
            raise CannotTell(words, next_step="vault token renew, or vault login")
        return token

    def rights(self) -> Mapping[str, frozenset[str]]:
        """Give what the caller may do at every path that this room touches; one request."""
        of_roles = {path for one in self.services for path in rights.paths_of(self.role(one.name))}
        more = {rights.TUNE, rights.END_TOKEN, rights.policy_path(self.deployer()[0])}
        return self.tokens.rights(of_roles | more)


def require(held: Mapping[str, frozenset[str]], wanted: tuple[rights.Right, ...]) -> None:
    """Return when all these rights are held; Denied names the paths and capabilities that are lacking."""
    lacking = rights.lacking(held, wanted)
    if lacking:
        words = [f"{word} is needed on {path}" for path, word in lacking]
        raise Denied(
            f"your token may not: {words[0]}",
            evidence=tuple(words[1:]),
            next_step="repeat it with an admin's token in VAULT_TOKEN",
        )
