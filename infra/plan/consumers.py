"""Which keys follow from which, and which services read them: told by the derivations themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.model.secret import Place, Secret, SecretSpec


def is_derived_here(spec: SecretSpec, addresses: Any) -> bool:
    """Tell whether something is derived for the key in this environment; else an operator's value stands."""
    return spec.derive is not None and spec.derive(_Noted(), addresses) is not None


def followers(place: Place, specs: Iterable[SecretSpec], addresses: Any) -> tuple[Place, ...]:
    """Give the derived keys that change with this one, sorted."""
    return tuple(sorted(spec.place for spec in specs if place in _inputs(spec, addresses)))


def readers(place: Place, specs: Iterable[SecretSpec], addresses: Any) -> tuple[str, ...]:
    """Give the services that read the key: its owner first, then those whose keys follow from it."""
    following = followers(place, specs, addresses)
    return tuple(dict.fromkeys((place[0], *(service for service, _ in following))))


def _inputs(spec: SecretSpec, addresses: Any) -> frozenset[Place]:
    if spec.derive is None:
        return frozenset()
    noted = _Noted()
    spec.derive(noted, addresses)
    return frozenset(noted.asked)


class _Noted(Mapping[Place, Secret]):
    """Values that are all there, made up, and that note which of them were asked for."""

    def __init__(self) -> None:
        self.asked: set[Place] = set()

    def __getitem__(self, place: Place) -> Secret:
        self.asked.add(place)
        return Secret("made up")

    def __iter__(self) -> Iterator[Place]:
        return iter(self.asked)

    def __len__(self) -> int:
        return len(self.asked)
