"""Where a target keeps things and which addresses its units have: paths and numbers, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """A program as the target has it: the words that start it, and the version that it is.

    `copy_of` is the original of a program that first has to be copied to where its user can enter.
    """

    argv: tuple[str, ...]
    version: str
    copy_of: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """The process target's answer to "where": everything of one environment of one checkout.

    `root` holds state, `secrets` is memory where the machine has it, `ports` are by unit name. `users` are
    the accounts of services that do not run as whoever starts them, `without_accounts` is why some have none.
    """

    root: str
    secrets: str
    checkout: str
    bind: str
    ports: Mapping[str, int]
    programs: Mapping[str, Program]
    python: tuple[str, ...]
    path: str
    users: Mapping[str, str]
    without_accounts: str = ""

    def user(self, service: str) -> str:
        """Give the account that a service's servers run as, empty for whoever starts them."""
        return self.users.get(service, "")

    @property
    def run(self) -> str:
        """The folder of the supervisor and of the units' files."""
        return f"{self.root}/run"

    @property
    def logs(self) -> str:
        """The folder of the units' output."""
        return f"{self.root}/logs"

    @property
    def releases(self) -> str:
        """The folder of the application's snapshots."""
        return f"{self.root}/releases"

    def data(self, service: str) -> str:
        """Give the data folder of a service."""
        return f"{self.root}/data/{service}"

    def secrets_file(self, service: str) -> str:
        """Give the rendered secrets file of a service."""
        return f"{self.secrets}/{service}/.env"

    def server_folder(self, service: str) -> str:
        """Give the folder in memory that a service's server may write: its account's own."""
        return f"{self.secrets}/{service}/server"

    def passed_file(self, digest: str) -> str:
        """Give the file of the caller's variables that the application was started with; memory as well."""
        return f"{self.secrets}/passed/{digest}.json"

    def agent_token(self, service: str) -> str:
        """Give the folder of the token of a service's Vault agent; memory, as the secrets are."""
        return f"{self.secrets}/vault-token/{service}"

    def credential(self, service: str) -> str:
        """Give the folder of the bootstrap credential of a service's Vault agent."""
        return f"{self.root}/credentials/{service}"

    def release(self, digest: str) -> str:
        """Give the folder of one snapshot."""
        return f"{self.releases}/{digest}"

    def unit_file(self, unit: str, name: str) -> str:
        """Give the path of a file that is rendered for a unit."""
        return f"{self.run}/{unit}/{name}"
