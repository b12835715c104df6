"""The declared keys of an environment as a run finds, makes or foresees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infra.model.secret import Place, Secret

Keys = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Keyring:
    """Values and findings, all by service; a service without a finding is not in that finding's mapping.

    `values` are those in the store, `versions` what the paths have, or will have in a forecast.
    `restored` are those of the generated keys that are not new: the store lost them, and they lay rendered.
    `reasons` say of each key that is there and rewritten why that is, `following` what works in its place.
    `missing` keys are required and absent or empty, `drifted` ones were changed by a foreign hand,
    `undeclared` ones are in the store and in no declaration. `unfit` says which keys break their rule.
    """

    values: Mapping[str, Mapping[str, Secret]]
    versions: Mapping[str, int]
    generated: Keys = field(default_factory=dict)
    restored: Keys = field(default_factory=dict)
    rewritten: Keys = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    following: Mapping[str, Mapping[str, Secret]] = field(default_factory=dict)
    missing: Keys = field(default_factory=dict)
    drifted: Keys = field(default_factory=dict)
    undeclared: Keys = field(default_factory=dict)
    unfit: tuple[str, ...] = ()

    @property
    def unwritten(self) -> Keys:
        """In a forecast the keys that `ensure` will write, in its answer those that it wrote."""
        names = sorted({*self.generated, *self.rewritten})
        return {name: (*self.generated.get(name, ()), *self.rewritten.get(name, ())) for name in names}

    @property
    def readable(self) -> Mapping[str, Mapping[str, Secret]]:
        """The values of all keys that are there, derived ones as they follow from the others now."""
        return {name: {**values, **self.following.get(name, {})} for name, values in self.values.items()}

    @property
    def lacking(self) -> Keys:
        """The unwritten keys that the store does not hold yet."""
        held = {name: reasons.keys() for name, reasons in self.reasons.items()}
        found = {
            name: tuple(key for key in keys if key not in held.get(name, ()))
            for name, keys in self.unwritten.items()
        }
        return {name: keys for name, keys in found.items() if keys}


def by_service(places: Iterable[Place]) -> Keys:
    """Give sorted keys by service."""
    found: dict[str, tuple[str, ...]] = {}
    for service, key in sorted(places):
        found[service] = (*found.get(service, ()), key)
    return found
