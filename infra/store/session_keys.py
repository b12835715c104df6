"""The secrets of one environment, as the engine needs them: forecast, made, learnt by the redactor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from infra.model.addresses import Addresses
from infra.model.command_line import CommandLine
from infra.model.errors import Refused
from infra.model.redaction import Redactor
from infra.model.secret import Place, Secret, SecretSpec
from infra.store import keys as store_keys
from infra.store.environment_keys import Rendered
from infra.store.interface import Store
from infra.store.kept_values import older_values
from infra.store.keyring import Keyring
from infra.store.paths import secrets_path


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an environment in its store. Every value that is read is masked from then on.

    `rendered` gives what lies rendered of a service, where that can stand in for a store that was lost.
    `locate` gives the addresses as they are now: ports may move while a command runs.
    """

    store: Store
    commands: CommandLine
    environment: str
    specs: tuple[SecretSpec, ...]
    locate: Callable[[], Addresses]
    redactor: Redactor
    rendered: Rendered = lambda _service: {}

    @property
    def addresses(self) -> Addresses:
        """Where the stores of the environment are reached now."""
        return self.locate()

    def forecast(self, *, repair: bool = False) -> Keyring:
        """Give the keys as they stand, with the versions that `make` would lead to; writes nothing."""
        return self._learnt(
            store_keys.pending(
                self.store,
                self.commands.project,
                self.environment,
                self.specs,
                self.addresses,
                repair=repair,
                rendered=self.rendered,
            ),
        )

    def make(self, *, repair: bool = False) -> Keyring:
        """Make what is missing and give all keys; Refused names keys that a foreign hand changed."""
        made = self._learnt(
            store_keys.ensure(
                self.store,
                self.commands.project,
                self.environment,
                self.specs,
                self.addresses,
                repair=repair,
                choice=self.commands.choice,
                rendered=self.rendered,
            ),
        )
        lacking = [(service, key) for service, found in made.missing.items() for key in found]
        if lacking:
            service, key = lacking[0]
            raise Refused(
                f"required keys have no value: {', '.join('/'.join(pair) for pair in lacking)}",
                next_step=f"./inv vault.put {self.commands.choice} --service {service} --key {key}",
            )
        return made

    def readable(self) -> Mapping[str, Mapping[str, Secret]]:
        """Give the values that the store holds, by service; derived ones as they follow from the others."""
        return self.forecast().readable

    def older(self) -> Iterator[Secret]:
        """Give the secrets that the store still keeps of older versions."""
        services = {spec.service for spec in self.specs}
        paths = ((name, secrets_path(self.commands.project, self.environment, name)) for name in services)
        plain = self._plain
        return (value for place, value in older_values(self.store, paths) if place not in plain)

    @property
    def _plain(self) -> frozenset[Place]:
        return frozenset(spec.place for spec in self.specs if spec.is_plain)

    def _learnt(self, ring: Keyring) -> Keyring:
        plain = self._plain
        for service, values in ring.readable.items():
            self.redactor.learn(*(value for key, value in values.items() if (service, key) not in plain))
        return ring
