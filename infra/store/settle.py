"""What the keys of an environment should be, decided from what the store holds. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from infra.model.addresses import Addresses
from infra.model.earlier import earlier, moved
from infra.model.secret import Place, Secret, SecretSpec

Marks = Mapping[Place, frozenset[str]]
FOLLOWS = "what it follows from has changed"
OVER = "nothing is derived for it any more"
BY_HAND = "another hand changed it"


@dataclass(frozen=True, slots=True)
class Settled:
    """All values by (service, key), and which of them are new, rewritten, foreign or not there.

    `derived` are the keys that now follow from others, rewritten or not; `rewritten` ones without a value go.
    `restored` are those of the `generated` that were known from elsewhere.
    `reasons` say why a key that is held is rewritten.
    """

    values: Mapping[Place, Secret]
    derived: frozenset[Place] = field(default_factory=frozenset)
    generated: frozenset[Place] = field(default_factory=frozenset)
    restored: frozenset[Place] = field(default_factory=frozenset)
    rewritten: frozenset[Place] = field(default_factory=frozenset)
    reasons: Mapping[Place, str] = field(default_factory=dict)
    drifted: frozenset[Place] = field(default_factory=frozenset)
    missing: frozenset[Place] = field(default_factory=frozenset)

    @property
    def unwritten(self) -> frozenset[Place]:
        """The keys that have to be written."""
        return self.generated | self.rewritten


def settle(
    specs: Iterable[SecretSpec],
    held: Mapping[Place, Secret],
    marks: Marks,
    environment: str,
    addresses: Addresses,
    generate: Callable[[SecretSpec], Secret],
    *,
    repair: bool = False,
    rendered: Mapping[Place, Secret] | None = None,
) -> Settled:
    """Give what every declared key should be. `rendered` is what is still known of keys that the store lost.

    A generated key is made once, where it is required and missing. A derived one follows its inputs; one
    without a mark of ours, which no earlier addresses of ours give either, is drift, and stands until
    `repair`. One that is derived no more goes, where it is ours. Operator keys are never touched.
    """
    declared = tuple(specs)
    missing = [spec for spec in declared if spec.derive is None and _is_missing(held, spec.place)]
    known = rendered or {}
    restored = {spec.place: known[spec.place] for spec in missing if not _is_missing(known, spec.place)}
    required = [one for one in missing if one.kind == "generated" and one.required_in(environment)]
    fresh = {one.place: generate(one) for one in required if one.place not in restored} | restored
    values = {**held, **fresh}
    gone = {spec.place for spec in declared if _is_over(spec, values, held, marks, addresses)}
    values = {place: value for place, value in values.items() if place not in gone}
    reasons = dict.fromkeys(gone, OVER)
    derived: set[Place] = set()
    drifted: set[Place] = set()
    for spec in declared:
        wanted = _derived(spec, values, addresses, {one.place for one in declared})
        if wanted is None:
            continue
        reason = _reason(spec, wanted, values, held, marks, addresses)
        if reason == BY_HAND and not repair:
            drifted.add(spec.place)
            continue
        values[spec.place] = wanted
        derived.add(spec.place)
        if reason:
            reasons[spec.place] = reason
    return Settled(
        values,
        derived=frozenset(derived),
        generated=frozenset(fresh),
        restored=frozenset(restored),
        rewritten=frozenset(place for place in derived if held.get(place) != values[place]) | gone,
        reasons=reasons,
        drifted=frozenset(drifted),
        missing=frozenset(
            spec.place
            for spec in declared
            if spec.required_in(environment) and _is_missing(values, spec.place)
        ),
    )


def is_ahead(spec: SecretSpec, held: Mapping[Place, Secret], addresses: Addresses) -> bool:
    """Tell whether a key follows from one that is not written yet: until then what is held of it works."""
    try:
        _ = spec.derive and spec.derive(held, addresses)
    except KeyError:
        return True
    return False


def mark(place: Place, value: Secret) -> str:
    """Give the digest by which a value of ours is known again, in 64 hex digits."""
    service, key = place
    return hmac.new(
        f"{service}/{key}".encode(), value.reveal().encode(errors="surrogatepass"), "sha256"
    ).hexdigest()


def _derived(
    spec: SecretSpec, values: Mapping[Place, Secret], addresses: Addresses, declared: set[Place]
) -> Secret | None:
    """Give the value that follows from the others; None when the spec derives none or an input is missing."""
    if spec.derive is None:
        return None
    try:
        text = spec.derive(values, addresses)
    except KeyError as error:
        if error.args[0] in declared:
            return None
        raise
    return None if text is None else Secret(text)


def _reason(
    spec: SecretSpec,
    wanted: Secret,
    values: Mapping[Place, Secret],
    held: Mapping[Place, Secret],
    marks: Marks,
    addresses: Addresses,
) -> str:
    """Say why a held value is not what is derived now; empty when it is, or there is none."""
    if _is_missing(held, spec.place) or held[spec.place] == wanted:
        return ""
    before = held[spec.place]
    known = earlier(addresses, before.reveal())
    if any(_derived(spec, values, was, set()) == before for was in known):
        return moved(before.reveal(), wanted.reveal())
    return BY_HAND if _is_foreign(spec.place, held, marks) else FOLLOWS


def _is_over(
    spec: SecretSpec,
    values: Mapping[Place, Secret],
    held: Mapping[Place, Secret],
    marks: Marks,
    addresses: Addresses,
) -> bool:
    """Tell whether a value of ours is held for a key that nothing is derived for any more."""
    if spec.derive is None or _is_missing(held, spec.place) or _is_foreign(spec.place, held, marks):
        return False
    try:
        return spec.derive(values, addresses) is None
    except KeyError:
        return False  # an input is missing: that is no word against the value


def _is_missing(values: Mapping[Place, Secret], place: Place) -> bool:
    return place not in values or values[place] == Secret("")


def _is_foreign(place: Place, held: Mapping[Place, Secret], marks: Marks) -> bool:
    return not _is_missing(held, place) and mark(place, held[place]) not in marks.get(place, frozenset())
