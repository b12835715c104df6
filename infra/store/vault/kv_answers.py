"""What answers of KV version 2 mean: five shapes of 404, values that are strings, states of versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from infra.model.errors import DeletedVersion, NotFound, StoreError
from infra.model.secret import Secret
from infra.store.interface import Metadata, State, Version, Versioned
from infra.store.vault.answers import Answer

_NO_MOUNT = "no handler for route"


def require_mount(answer: Answer, mount: str) -> Answer:
    """Give the answer back; StoreError when the mount is missing."""
    if answer.status == 404 and answer.says(_NO_MOUNT):
        raise StoreError(
            f"Vault has nothing mounted at {mount}/: set vault.mount, or mount KV version 2 there",
            next_step=f"vault secrets enable -path={mount} -version=2 kv",
        )
    return answer


def versioned_of(answer: Answer, mount: str, path: str, version: int | None) -> Versioned:
    """Give the values of an answer; NotFound, DeletedVersion, or StoreError for what is none of these."""
    if answer.is_nothing:
        words = f"{path} was never written" if version is None else f"{path} has no version {version}"
        raise NotFound(words)
    try:
        known = answer.data["metadata"]
        number, created = int(known["version"]), _moment(known["created_time"])
        values, is_destroyed = answer.data["data"], bool(known["destroyed"])
    except (KeyError, TypeError, ValueError):
        raise unreadable(answer, path) from None
    if answer.status == 404 and values is None:
        raise DeletedVersion(
            f"{path}: version {number} is {'destroyed' if is_destroyed else 'deleted'}",
            next_step=f"vault kv metadata get -mount={mount} {path}",
        )
    if answer.status != 200 or not isinstance(values, dict):
        raise unreadable(answer, path)
    return Versioned(path, number, created, _strings(values, mount, path))


def version_of(answer: Answer, path: str) -> int:
    """Give the version that a write made; StoreError when it made none."""
    number = answer.data.get("version")
    if answer.status != 200 or not isinstance(number, int):
        raise unreadable(answer, path)
    return number


def metadata_of(answer: Answer, path: str, now: Callable[[], datetime]) -> Metadata:
    """Give the versions of a path; NotFound when none was ever written.

    `now` gives the server's own time, and is asked only for versions with a time of deletion.
    """
    if answer.is_nothing or (answer.status == 200 and answer.data.get("current_version") == 0):
        raise NotFound(f"{path} was never written")
    try:
        versions = (
            Version(int(number), _moment(one["created_time"]), _state(one, now))
            for number, one in answer.data["versions"].items()
        )
        ordered = tuple(sorted(versions, key=lambda one: one.number))
        return Metadata(path, int(answer.data["current_version"]), ordered)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise unreadable(answer, path) from None


def names_of(answer: Answer, prefix: str) -> tuple[str, ...]:
    """Give the sorted names of a listing; empty when nothing is there."""
    if answer.is_nothing:
        return ()
    names = answer.data.get("keys")
    if answer.status != 200 or not isinstance(names, list):
        raise unreadable(answer, prefix)
    return tuple(sorted(map(str, names)))


def unreadable(answer: Answer, path: str) -> StoreError:
    """Give the error for an answer that KV version 2 does not give; what it holds is not shown."""
    return StoreError(
        f"{path}: the answer {answer.status} of Vault is none of KV version 2",
        next_step="vault secrets list -detailed",
    )


def _strings(values: Mapping[str, Any], mount: str, path: str) -> Mapping[str, Secret]:
    for key, value in values.items():
        if not isinstance(value, str):
            raise StoreError(
                f"{path}: the value of {key} is no string",
                next_step=f"vault kv patch -mount={mount} {path} {key}=-",
            )
    return {key: Secret(value) for key, value in values.items()}


def _state(one: Mapping[str, Any], now: Callable[[], datetime]) -> State:
    """A deletion time that lies ahead is a plan, and nothing is deleted yet."""
    if one["destroyed"]:
        return "destroyed"
    return "deleted" if one["deletion_time"] and _moment(one["deletion_time"]) <= now() else "live"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
