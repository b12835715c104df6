"""The facts that a plan stands on, as lines: equal lines mean that the world has not moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from infra.model.observed import Absent, Found, Observed, Running, Sent, Unknown, Unmarked
from infra.model.unit import Bundle


def facts_of(observed: Observed, bundles: Mapping[str, Bundle]) -> tuple[str, ...]:
    """Give what was observed and what is wanted; times, counters and process numbers are left out."""
    return (
        *sorted(f"{name}: {_words(read)}" for name, read in observed.reads()),
        *sorted(f"release {release}" for release in observed.releases),
        *sorted(f"not installed {name}" for name in observed.uninstalled),
        *sorted(f"no account {name}" for name in observed.unmade),
        *sorted(f"owner {service} {name}" for service, name in observed.owners.items()),
        *sorted(f"unhealthy {name}" for name in observed.unhealthy),
        *sorted(f"unkept {name}" for name in observed.unkept),
        *sorted(f"stranger {one.unit} {one.bundle}" for one in observed.strangers),
        *_wanted(bundles),
    )


def _wanted(bundles: Mapping[str, Bundle]) -> Iterator[str]:
    for name, bundle in bundles.items():
        known = bundle.digest or _digest(bundle.text + bundle.env)
        yield f"wanted {name} {known} {' '.join(bundle.unread)}"


def _words(read: Found[Any] | Absent | Unmarked | Unknown) -> str:
    if isinstance(read, Found):
        return f"found {_fact(read.fact)}"
    return type(read).__name__.lower()


def _fact(fact: object) -> str:
    if isinstance(fact, Running):
        return f"bundle {fact.bundle} deploy {fact.deploy}"
    if isinstance(fact, Sent):
        return f"{_digest(fact.text)} {_digest(fact.env)}"
    return str(fact)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
