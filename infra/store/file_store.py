"""The store of local environments: private files of the user, with the rules of KV version 2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from infra.model.errors import NotFound
from infra.model.secret import Secret
from infra.store.interface import Metadata, Versioned, checked_values
from infra.store.paths import checked, is_state
from infra.store.shelf import Shelf

KEPT_VERSIONS = 10
KEPT_STATES = 1


def utc_now() -> datetime:
    """Give this moment, aware and UTC."""
    return datetime.now(UTC)


class FileStore:
    """A `Store` in `<name>.json`; ledger and leases lie beside it in `<name>.state.json`.

    The last ten versions of secrets are kept, and of our own records the newest.
    A kill at any moment leaves the old or the new file. Many processes may write at once.
    """

    def __init__(
        self, directory: Path, name: str, forbidden_root: Path, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._secrets = Shelf(directory / f"{name}.json", forbidden_root)
        self._states = Shelf(directory / f"{name}.state.json", forbidden_root)
        self._clock = clock

    def get(self, path: str, version: int | None = None) -> Versioned:
        """Give the newest or the asked version; NotFound when never written or pruned, or DeletedVersion."""
        return self._shelf(path).entry(path).read(version)

    def read_all(self, paths: Iterable[str]) -> Mapping[str, Versioned]:
        """Give the newest versions by path; what was never written is absent."""
        found: dict[str, Versioned] = {}
        for path in paths:
            with suppress(NotFound):
                found[path] = self.get(path)
        return found

    def put(self, path: str, values: Mapping[str, Secret], cas: int | None = None) -> int:
        """Write all values of the path and give the new version; CasLost when `cas` is not the current."""
        checked_values(path, values)
        keep = KEPT_STATES if is_state(path) else KEPT_VERSIONS
        with self._shelf(path).changing(path) as entry:
            return entry.write(values, cas, self._clock(), keep)

    def metadata(self, path: str) -> Metadata:
        """Give the versions of a path; NotFound when it was never written."""
        entry = self._shelf(path).entry(path)
        if not entry.current:
            raise NotFound(f"{path} was never written")
        return entry.metadata()

    def list(self, prefix: str) -> tuple[str, ...]:
        """Give the sorted names below a prefix, folders with a `/` at their end."""
        folder = checked(prefix) + "/"
        below = [
            path.removeprefix(folder).partition("/")
            for path in (*self._secrets.paths(), *self._states.paths())
            if path.startswith(folder)
        ]
        return tuple(sorted({name + slash for name, slash, _ in below}))

    def delete(self, path: str, versions: tuple[int, ...] = ()) -> None:
        """Delete versions, the newest by default; a repeat changes nothing."""
        with self._shelf(path).changing(path) as entry:
            entry.mark(versions or (entry.current,), "live", "deleted")

    def undelete(self, path: str, versions: tuple[int, ...]) -> None:
        """Bring deleted versions back; destroyed ones stay destroyed."""
        with self._shelf(path).changing(path) as entry:
            entry.mark(versions, "deleted", "live")

    def destroy(self, path: str, versions: tuple[int, ...]) -> None:
        """Remove the values of these versions for good."""
        with self._shelf(path).changing(path) as entry:
            entry.destroy(versions)

    def purge(self, path: str) -> None:
        """Remove the path with all its versions; the next write there is version 1."""
        self._shelf(path).remove(path)

    def _shelf(self, path: str) -> Shelf:
        return self._states if is_state(checked(path)) else self._secrets
