"""Policies, roles and secret ids of a Vault's AppRole mount."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.model.credential import Credential, moment
from infra.model.errors import BadInput, CannotTell, NotFound, StoreError
from infra.model.secret import Secret
from infra.model.settings import is_word

if TYPE_CHECKING:
    from infra.store.vault.answers import Answer
    from infra.store.vault.client import VaultClient

MOUNT = "approle"
_TUNE = f"sys/mounts/auth/{MOUNT}/tune"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A new secret id on its way: the single-use token that holds it, and the accessor inside."""

    token: Secret
    accessor: str
    created: datetime
    seconds: int


class AppRole:
    """The AppRole mount of one server. Every method may raise Denied, Sealed, Unreachable or StoreError.

    Reads may be repeated. So may every write but `wrapped_secret_id`, which makes another one each time.
    """

    def __init__(self, client: VaultClient) -> None:
        self._client = client

    def policy(self, name: str) -> str | None:
        """Give a policy's text as it is stored; None when there is none."""
        answer = self._client.call("GET", f"sys/policies/acl/{_lower(name)}")
        return None if answer.status == 404 else str(_good(answer, name).data["policy"])

    def write_policy(self, name: str, text: str) -> None:
        """Write a policy whole."""
        _good(self._client.call("PUT", f"sys/policies/acl/{_lower(name)}", {"policy": text}), name)

    def role(self, name: str) -> Mapping[str, Any] | None:
        """Give a role's settings as the server reads them back; None when there is no such role."""
        answer = self._client.call("GET", _role(name))
        return None if answer.status == 404 else _good(answer, name).data

    def write_role(self, name: str, settings: Mapping[str, Any]) -> None:
        """Write these settings of a role; others that it has stay."""
        _good(self._client.call("POST", _role(name), settings), name)

    def role_id(self, name: str) -> str:
        """Give the id that a role's agents log in with; it is no secret. NotFound without such a role."""
        answer = self._client.call("GET", f"{_role(name)}/role-id")
        if answer.status == 404:
            raise NotFound(f"Vault has no role {name}")
        return str(_good(answer, name).data["role_id"])

    def wrapped_secret_id(self, name: str, marks: Mapping[str, str], seconds: int) -> Wrapped:
        """Give a new secret id inside a wrapping token that lives so many seconds.

        The marks travel into each token that is issued from it: a login with it shows them.
        """
        body = {"metadata": json.dumps(dict(marks))}
        answer = _good(self._client.call("POST", f"{_role(name)}/secret-id", body, wrap_ttl=seconds), name)
        told = answer.body.get("wrap_info") or {}
        try:
            made = moment(told["creation_time"]) or datetime.now(UTC)
            return Wrapped(Secret(told["token"]), told["wrapped_accessor"], made, int(told["ttl"]))
        except KeyError:
            raise StoreError(f"Vault did not wrap the new secret id of {name}") from None

    def accessors(self, name: str) -> tuple[str, ...] | None:
        """Give the accessors of a role, expired ones until they are tidied; None where there is no role."""
        answer = self._client.call("LIST", f"{_role(name)}/secret-id")
        if answer.status == 400 and any("does not exist" in words for words in answer.errors):
            return None
        return () if answer.status == 404 else tuple(_good(answer, name).data["keys"])

    def look_up(self, name: str, accessor: str) -> Credential | None:
        """Give what is known of a secret id; None when it is gone."""
        answer = self._client.call("POST", f"{_role(name)}/secret-id-accessor/lookup", _named(accessor))
        if answer.status in {204, 404}:
            return None
        told = _good(answer, name).data
        return _credential(told) if told else None

    def destroy(self, name: str, accessor: str) -> bool:
        """End a secret id; False when it was gone. Tokens that were issued from it live on."""
        if self.look_up(name, accessor) is None:
            return False
        _good(self._client.call("POST", f"{_role(name)}/secret-id-accessor/destroy", _named(accessor)), name)
        return True

    def tidy(self) -> None:
        """Have the server remove expired secret ids now; until then they log in for up to a minute more."""
        _good(self._client.call("POST", f"auth/{MOUNT}/tidy/secret-id"), MOUNT)

    def is_lockout_off(self) -> bool:
        """Tell whether failed logins leave a role alone; CannotTell when AppRole is not mounted."""
        answer = self._client.call("GET", _TUNE)
        if answer.status in {400, 404}:
            raise CannotTell(
                f"Vault has no auth method at auth/{MOUNT}", next_step=f"vault auth enable {MOUNT}"
            )
        return bool(_good(answer, _TUNE).data.get("user_lockout_disable"))

    def switch_lockout_off(self) -> None:
        """Have failed logins leave roles alone; a role that is locked now is free at once."""
        _good(self._client.call("POST", _TUNE, {"user_lockout_config": {"lockout_disable": True}}), _TUNE)


def _role(name: str) -> str:
    return f"auth/{MOUNT}/role/{_lower(name)}"


def _lower(name: str) -> str:
    """Refuse a name that the server would write in another way, and so over another one."""
    if not is_word(name):
        raise BadInput(f"{name!r} is no name of a role or policy: one word of a-z0-9_- is expected")
    return name


def _named(accessor: str) -> dict[str, str]:
    return {"secret_id_accessor": accessor}


def _good(answer: Answer, what: str) -> Answer:
    if answer.status >= 400:
        words = "; ".join(answer.errors) or f"answer {answer.status}"
        raise StoreError(f"Vault did not take the request about {what}: {words}")
    return answer


def _credential(told: Mapping[str, Any]) -> Credential:
    marks = told.get("metadata") or {}
    return Credential(
        accessor=str(told["secret_id_accessor"]),
        created=moment(told["creation_time"]) or datetime.min.replace(tzinfo=UTC),
        expires=moment(told["expiration_time"]),
        deploy=str(marks.get("deploy_id", "")),
        environment=str(marks.get("environment", "")),
    )
