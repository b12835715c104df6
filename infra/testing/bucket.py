"""The bucket of one run: made when the tests ask for an object store, removed at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.embedded_store import UNIT
from infra.model.errors import CannotTell, Denied, InfraError
from infra.model.naming import get_s3_bucket
from infra.model.secret import Secret
from infra.targets.object_store import ObjectStore
from infra.testing.ground import Ground
from infra.verify.bucket import write_fault

ANSWERS_WITHIN = 30.0
LOOKS_EVERY = 0.05


@dataclass(slots=True)
class Bucket:
    """What this run has in the object store; `start` makes the store run. Any thread may ask."""

    ground: Ground
    start: Callable[[], None]
    _store: ObjectStore | None = None
    _variables: dict[str, str] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> dict[str, str]:
        """Give the variables that name the bucket, made empty at the first call; CannotTell when it fails."""
        with self._turn:
            if not self._variables:
                self._variables = self._made()
            return self._variables

    def remove(self) -> list[str]:
        """Remove the bucket where it was asked for, and give a line when it is still there."""
        with self._turn:
            if self._store is None:
                return []
            try:
                self._store.remove(self.ground.bucket)
                is_there = self.ground.bucket in self._store.buckets()
            except InfraError as error:
                return [f"the bucket {self.ground.bucket}: {error.message}"]
            return [f"the bucket {self.ground.bucket}: it came back"] if is_there else []

    def _made(self) -> dict[str, str]:
        if self.ground.servers.session and self.ground.servers.session.environment.has_object_store:
            self.start()
        store = self.ground.servers.object_store()
        self._store = store
        _emptied(store, self.ground.bucket)
        keys = {
            "S3_ENDPOINT": Secret(store.endpoint),
            "S3_BUCKET": Secret(self.ground.bucket),
            "S3_ACCESS_KEY": store.access_key,
            "S3_SECRET_KEY": store.secret_key,
        }
        fault = write_fault(keys)
        if fault:
            raise CannotTell(f"the object store keeps nothing: {fault}", next_step="./inv test.status")
        return {name: value.reveal() for name, value in keys.items()}


def remove_of(ground: Ground, namespace: str) -> None:
    """Remove the bucket that a killed run of a namespace left, where the environment's own store runs."""
    if namespace and UNIT in ground.servers.living():
        ground.servers.object_store().remove(get_s3_bucket(namespace))


def _emptied(store: ObjectStore, bucket: str) -> None:
    """Make the bucket anew; a store that has just started takes its first request late."""
    deadline = time.monotonic() + ANSWERS_WITHIN
    while True:
        try:
            store.remove(bucket)
            store.make(bucket)
        except Denied:
            raise
        except InfraError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOKS_EVERY)
        else:
            return
