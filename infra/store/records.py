"""JSON objects in a store: one key that holds the text, because stores keep strings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from infra.model.errors import StoreError
from infra.model.secret import Secret
from infra.store.interface import Store, Versioned

_KEY = "RECORD"


def read(store: Store, path: str) -> tuple[dict[str, Any], int]:
    """Give the object at a path and its version; NotFound, or StoreError when it is no object."""
    held = store.get(path)
    return parsed(held), held.version


def parsed(held: Versioned) -> dict[str, Any]:
    """Give the object that a version holds; StoreError when it is no object."""
    try:
        return dict(json.loads(held.values[_KEY].reveal()))
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{held.path}: version {held.version} is no record") from None


def write(store: Store, path: str, record: Mapping[str, Any], cas: int | None = None) -> int:
    """Write the object and give its version; CasLost as in `Store.put`."""
    return store.put(path, as_values(record), cas)


def as_values(record: Mapping[str, Any]) -> dict[str, Secret]:
    """Give the object as a store keeps it."""
    return {_KEY: Secret(json.dumps(record, sort_keys=True))}
