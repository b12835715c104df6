"""What every store can do: versioned values at paths, with the rules of Vault's KV version 2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from infra.model.errors import BadInput
from infra.model.secret import KEY, Secret

State = Literal["live", "deleted", "destroyed"]


@dataclass(frozen=True, slots=True)
class Versioned:
    """The values of one version; `created` is aware and UTC."""

    path: str
    version: int
    created: datetime
    values: Mapping[str, Secret]


@dataclass(frozen=True, slots=True)
class Version:
    """One version without its values."""

    number: int
    created: datetime
    state: State


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a path without reading values; `versions` are those still kept, oldest first."""

    path: str
    current: int
    versions: tuple[Version, ...]


def checked_values(path: str, values: Mapping[str, Secret]) -> None:
    """Raise BadInput when a key is not written as keys are."""
    for key in values:
        if not KEY.fullmatch(key):
            raise BadInput(f"{path}: {key!r} is no key: keys are written {KEY.pattern}")


class Store(Protocol):
    """Versioned values at paths as `infra.store.paths` makes them.

    Every method may raise Denied, Unreachable (a retry is safe) or StoreError (it cannot be read or written);
    none of these ever means that nothing is there.
    """

    def get(self, path: str, version: int | None = None) -> Versioned:
        """Give the newest or the asked version; NotFound when never written or pruned, or DeletedVersion."""

    def read_all(self, paths: Iterable[str]) -> Mapping[str, Versioned]:
        """Give the newest versions by path, in about the time of one; what was never written is absent.

        DeletedVersion when one of them was deleted or destroyed.
        """

    def put(self, path: str, values: Mapping[str, Secret], cas: int | None = None) -> int:
        """Write all values of the path and give the new version's number.

        `cas` is the version that must be the current one, 0 when nothing may be there; else CasLost.
        """

    def metadata(self, path: str) -> Metadata:
        """Give the versions of a path; NotFound when it was never written."""

    def list(self, prefix: str) -> tuple[str, ...]:
        """Give the sorted names below a prefix, folders with a `/` at their end; empty when there is none."""

    def delete(self, path: str, versions: tuple[int, ...] = ()) -> None:
        """Delete versions, the newest by default; `undelete` brings them back. A repeat changes nothing."""

    def undelete(self, path: str, versions: tuple[int, ...]) -> None:
        """Bring deleted versions back; destroyed ones stay destroyed."""

    def destroy(self, path: str, versions: tuple[int, ...]) -> None:
        """Remove the values of these versions for good."""

    def purge(self, path: str) -> None:
        """Remove the path with all its versions; the next write there is version 1."""
