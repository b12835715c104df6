"""The keys of an environment in a store: made, derived and checked as their declarations say."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from infra.model.addresses import Addresses
from infra.model.errors import CasLost, Refused, StoreError
from infra.model.secret import Place, Secret, SecretSpec
from infra.store.environment_keys import EnvironmentKeys, Rendered, Write
from infra.store.interface import Store
from infra.store.keyring import Keyring, by_service
from infra.store.settle import Settled


def generate(spec: SecretSpec) -> Secret:
    """Give a new random value of the declared length and alphabet."""
    return Secret("".join(secrets.choice(spec.alphabet) for _ in range(spec.length)))


def pending(
    store: Store,
    project: str,
    env: str,
    specs: Iterable[SecretSpec],
    addresses: Addresses,
    *,
    repair: bool = False,
    rendered: Rendered = lambda _service: {},
) -> Keyring:
    """Give what `ensure` would do and write nothing: the values that stay, the versions that would result."""
    keys = EnvironmentKeys(store, project, env, tuple(specs), generate, rendered)
    look = keys.look(addresses, repair=repair)
    return keys.keyring(look, look.settled.generated, look.settled.rewritten)


def ensure(
    store: Store,
    project: str,
    env: str,
    specs: Iterable[SecretSpec],
    addresses: Addresses,
    *,
    repair: bool = False,
    choice: str = "",
    rendered: Rendered = lambda _service: {},
) -> Keyring:
    """Make missing generated keys and bring derived ones up to date; a repeat changes nothing.

    `choice` is how a person chooses the environment on a command line, when it is not by `--env` alone.
    `rendered` gives what lies rendered of a service: keys that the store has lost are put back from there.

    Refused names derived keys that somebody else changed, unless `repair`, and nothing is written then.
    CasLost when other writers were faster twice at one path. Keys that nobody declared stay.
    """
    keys = EnvironmentKeys(store, project, env, tuple(specs), generate, rendered)
    chosen = choice or f"--env {env.rpartition('/')[2]}"
    lost: set[str] = set()
    written: set[Place] = set()
    while True:
        look = keys.look(addresses, repair=repair)
        _refuse_drift(look.settled, project, chosen)
        beaten = _put(store, keys.writes(look), written)
        if beaten is None:
            break
        if beaten in lost:
            raise CasLost(
                f"{beaten}: other writers were faster twice",
                next_step=f"./inv lock.status {chosen}",
            )
        lost.add(beaten)
    read_back = keys.look(addresses)
    if read_back.settled.unwritten:
        raise StoreError(f"{project}/{env}: the store does not hold what was just written")
    made = {spec.place for spec in keys.specs if spec.kind == "generated"} & written
    return keys.keyring(read_back, made, written - made)


def _put(store: Store, writes: Iterable[Write], written: set[Place]) -> str | None:
    """Put them in order and note the keys; give the path where another writer was faster, if one was."""
    for write in writes:
        try:
            store.put(write.path, write.values, cas=write.cas)
        except CasLost:
            return write.path
        written |= write.places
    return None


def _refuse_drift(settled: Settled, project: str, chosen: str) -> None:
    if settled.drifted:
        (service, _), *_ = by_service(settled.drifted).items()
        named = ", ".join(f"{owner} {key}" for owner, key in sorted(settled.drifted))
        raise Refused(
            f"derived keys were changed by another hand: {named}",
            next_step=f"./inv {project}.{service}.setup {chosen} --repair-derived",
        )
