"""Does the object store keep what it is given? It is a soft need: whoever asks first waits for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import uuid4

from infra.model.errors import Denied, InfraError
from infra.model.secret import Secret
from infra.targets.object_store import ObjectStore, object_store

WAITS = 20.0
LOOKS_EVERY = 0.05


def write_fault(secrets: Mapping[str, Secret]) -> str:
    """Give why an object could not be put, read and removed within 20 s; empty when it could.

    A login that is refused is told at once. `secrets` are the application's.
    """
    found = object_store(secrets)
    if found is None:
        return "no object store is set"
    deadline = time.monotonic() + WAITS
    fault: Exception | None = None
    while fault is None or (time.monotonic() < deadline and not isinstance(fault, Denied)):
        try:
            return _write(*found)
        except InfraError as error:
            fault = error
            time.sleep(LOOKS_EVERY)
    return str(fault)


def _write(store: ObjectStore, bucket: str) -> str:
    key, mark = f"infra-write-probe/{uuid4().hex}", uuid4().hex.encode()
    try:
        store.put(bucket, key, mark)
    except Denied:  # also while its bucket is being made, where the login may not make it: NotFound tells so
        store.require(bucket)
        store.put(bucket, key, mark)
    found = store.get(bucket, key)
    store.delete(bucket, key)
    return "" if found == mark else "the object that was written could not be read again"


def login_fault(secrets: Mapping[str, Secret]) -> str:
    """Give why the bucket is not open to the application's login now; empty when it is."""
    found = object_store(secrets)
    if found is None:
        return "no object store is set"
    store, bucket = found
    try:
        store.require(bucket)
    except InfraError as error:
        return error.message
    return ""
