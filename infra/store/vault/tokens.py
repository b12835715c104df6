"""Tokens: the caller's own, others by their accessor, and wrapping tokens, which nothing here consumes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.model.errors import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from infra.model.secret import Secret
    from infra.store.vault.answers import Answer
    from infra.store.vault.client import VaultClient


@dataclass(frozen=True, slots=True)
class Token:
    """What the server says of a token; `seconds` are left of it, None when it never ends."""

    accessor: str
    policies: tuple[str, ...]
    seconds: int | None
    whole: int
    is_renewable: bool
    marks: Mapping[str, str]

    @property
    def is_root(self) -> bool:
        """True for a token that may do everything."""
        return "root" in self.policies


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What a wrapping token holds, by the path that made it, and since when; `seconds` is its whole life."""

    creation_path: str
    created: datetime | None
    seconds: int


class Tokens:
    """Questions about tokens. Each may raise Denied, Sealed, Unreachable or StoreError."""

    def __init__(self, client: VaultClient) -> None:
        self._client = client

    def own(self) -> Token:
        """Give what the caller's token is."""
        return _token(_good(self._client.call("GET", "auth/token/lookup-self")).data)

    def renew_own(self) -> None:
        """Give the caller's token another period, up to its maximum."""
        _good(self._client.call("POST", "auth/token/renew-self", {}))

    def revoke_own(self) -> None:
        """End the caller's token; nothing can be asked with it afterwards."""
        _good(self._client.call("POST", "auth/token/revoke-self", {}))

    def look_up(self, accessor: str) -> Token | None:
        """Give what a token is, by its accessor; None when it has ended."""
        answer = self._client.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})
        return None if answer.status in {400, 403, 404} else _token(_good(answer).data)

    def revoke(self, accessor: str) -> None:
        """End a token by its accessor; one that has ended stays so."""
        answer = self._client.call("POST", "auth/token/revoke-accessor", {"accessor": accessor})
        if not any("invalid accessor" in words for words in answer.errors):
            _good(answer)

    def rights(self, paths: Collection[str]) -> dict[str, frozenset[str]]:
        """Give what the caller may do at each of these paths; `root` is everything."""
        told = _good(self._client.call("POST", "sys/capabilities-self", {"paths": sorted(paths)})).data
        return {path: frozenset(told.get(path) or ()) for path in paths}

    def wrapping(self, token: Secret) -> Wrapping | None:
        """Give what a wrapping token is, without using it up; None when it is used, expired or unknown.

        It is asked without a token of the caller: any other call would burn the wrapping token.
        """
        body = {"token": token.reveal()}
        answer = self._client.call("POST", "sys/wrapping/lookup", body, anonymous=True)
        if answer.status == 400:
            return None
        told = _good(answer).data
        return Wrapping(str(told["creation_path"]), _moment(told), int(told["creation_ttl"]))


def _moment(told: Mapping[str, Any]) -> datetime | None:
    from infra.model.credential import moment

    return moment(str(told.get("creation_time", "")))


def _token(told: Mapping[str, Any]) -> Token:
    return Token(
        accessor=str(told["accessor"]),
        policies=tuple(told.get("policies") or ()),
        seconds=int(told["ttl"]) if told.get("expire_time") else None,
        whole=int(told.get("creation_ttl") or 0),
        is_renewable=bool(told.get("renewable")),
        marks=dict(told.get("meta") or {}),
    )


def _good(answer: Answer) -> Answer:
    if answer.status >= 400:
        raise StoreError(f"Vault answered {answer.status}: {'; '.join(answer.errors) or 'without a reason'}")
    return answer
