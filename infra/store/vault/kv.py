"""The store of deployed environments: KV version 2 of Vault or OpenBao."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from infra.model.errors import CasLost, DeletedVersion, NotFound, StoreError
from infra.model.secret import Secret
from infra.store.interface import Metadata, Versioned, checked_values
from infra.store.paths import checked
from infra.store.vault.answers import Answer
from infra.store.vault.client import Settle, VaultClient
from infra.store.vault.kv_answers import (
    metadata_of,
    names_of,
    require_mount,
    unreadable,
    version_of,
    versioned_of,
)
from infra.store.vault.server import Server
from infra.store.vault.wire import CONNECTIONS

_CAS_LOST = "did not match the current version"
_CAS_REQUIRED = "parameter required"


class VaultStore:
    """A `Store` in one mount of KV version 2.

    How many versions stay is the mount's to say, ten by default. Values must be strings: what is not is a
    StoreError that names path and key.
    """

    def __init__(self, client: VaultClient, mount: str) -> None:
        self._client = client
        self._mount = mount.strip("/")

    def get(self, path: str, version: int | None = None) -> Versioned:
        """Give the newest or the asked version; NotFound when never written or pruned, or DeletedVersion."""
        checked(path)
        if version is not None and version < 1:
            raise NotFound(f"{path} has no version {version}")
        query = "" if version is None else f"?version={version}"
        return versioned_of(self._call("GET", "data", path + query), self._mount, path, version)

    def read_all(self, paths: Iterable[str]) -> Mapping[str, Versioned]:
        """Give the newest versions by path, read side by side; what was never written is absent."""
        asked = tuple(dict.fromkeys(map(checked, paths)))
        with ThreadPoolExecutor(max(1, min(CONNECTIONS, len(asked))), "vault") as pool:
            found = tuple(pool.map(self._found, asked))
        return {one.path: one for one in found if one}

    def put(self, path: str, values: Mapping[str, Secret], cas: int | None = None) -> int:
        """Write all values of the path and give the new version; CasLost when `cas` is not the current.

        A write whose answer was lost is looked for before it is repeated.
        """
        checked_values(checked(path), values)
        doubt = _Doubt(self, path, values, cas)
        options = {} if cas is None else {"cas": cas}
        body = {"data": {key: value.reveal() for key, value in values.items()}, "options": options}
        answer = self._call("POST", "data", path, body, doubt.settle)
        if answer.status == 400 and answer.says(_CAS_LOST):
            answer = (doubt.settle() if doubt.is_raised else None) or answer
        if answer.status == 400 and answer.says(_CAS_LOST):
            raise CasLost(f"{path} is not at version {cas} any more")
        if answer.status == 400 and answer.says(_CAS_REQUIRED):
            raise StoreError(
                f"{path}: the mount {self._mount}/ takes writes with check-and-set only",
                next_step=f"vault write {self._mount}/config cas_required=false",
            )
        return version_of(answer, path)

    def metadata(self, path: str) -> Metadata:
        """Give the versions of a path; NotFound when it was never written."""
        return metadata_of(self._call("GET", "metadata", checked(path)), path, Server(self._client).now)

    def list(self, prefix: str) -> tuple[str, ...]:
        """Give the sorted names below a prefix, folders with a `/` at their end; empty when there is none."""
        return names_of(self._call("LIST", "metadata", checked(prefix)), prefix)

    def delete(self, path: str, versions: tuple[int, ...] = ()) -> None:
        """Delete versions, the newest by default; a repeat changes nothing.

        The newest is named by its number: a repeated request must not delete what came after it.
        """
        with suppress(NotFound):
            self._mark("delete", path, versions or (self.metadata(path).current,))

    def undelete(self, path: str, versions: tuple[int, ...]) -> None:
        """Bring deleted versions back; destroyed ones stay destroyed."""
        self._mark("undelete", path, versions)

    def destroy(self, path: str, versions: tuple[int, ...]) -> None:
        """Remove the values of these versions for good."""
        self._mark("destroy", path, versions)

    def purge(self, path: str) -> None:
        """Remove the path with all its versions; the next write there is version 1."""
        self._done(self._call("DELETE", "metadata", checked(path)), path)

    def _found(self, path: str) -> Versioned | None:
        with suppress(NotFound):
            return self.get(path)
        return None

    def _mark(self, act: str, path: str, versions: tuple[int, ...]) -> None:
        checked(path)
        if versions:
            self._done(self._call("POST", act, path, {"versions": list(versions)}), path)

    def _done(self, answer: Answer, path: str) -> None:
        if answer.status >= 300 and not answer.is_nothing:
            raise unreadable(answer, path)

    def _call(
        self,
        method: str,
        part: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        settle: Settle | None = None,
    ) -> Answer:
        answer = self._client.call(method, f"{self._mount}/{part}/{path}", body, settle=settle)
        return require_mount(answer, self._mount)


class _Doubt:
    """A write whose answer was lost: what stands at its version tells whether it was stored."""

    def __init__(self, store: VaultStore, path: str, values: Mapping[str, Secret], cas: int | None) -> None:
        self._store = store
        self._path = path
        self._values = dict(values)
        self._version = None if cas is None else cas + 1
        self.is_raised = False

    def settle(self) -> Answer | None:
        """Give the answer that was lost; None when the write was not stored."""
        self.is_raised = True
        with suppress(NotFound, DeletedVersion):
            held = self._store.get(self._path, self._version)
            if held.values == self._values:
                return Answer(200, {"data": {"version": held.version}})
        return None
