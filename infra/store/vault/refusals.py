"""The errors for what Vault refuses: sealed, denied, overloaded, broken, each with its next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from infra.model.errors import Denied, InfraError, Sealed, StoreError, Unreachable
from infra.store.vault.answers import Answer, needed
from infra.store.vault.wire import Ask, Broken

TokenState = Literal["living", "unknown", "none", "lent"]
_PASSES_BY_ITSELF = frozenset({412, 429, 502, 503, 504})
_STATUS = "./inv vault.status"
_WHY = {
    "none": "; no token was given",
    "unknown": "; the token is expired, revoked or not allowed to look at itself",
}


def silent(address: str, ask: Ask, broken: Broken) -> InfraError:
    """Give the error for a request that Vault did not answer, or not in its own words."""
    is_write = broken.was_sent and ask.method not in {"GET", "LIST"}
    told = f"; {ask.path} may have been written" if is_write else ""
    kind = Unreachable if broken.is_silence and broken.is_passing else StoreError
    return kind(f"Vault at {address}: {broken}{told}", next_step=broken.next_step or _STATUS)


def bad(ask: Ask, answer: Answer) -> InfraError:
    """Give the error for an answer that is no answer.

    What was sent may come back in its words, so they are shown only where nothing was.
    """
    said = f": {answer.errors[0]:.200}" if answer.errors and ask.content is None else ""
    kind = Unreachable if answer.status in _PASSES_BY_ITSELF else StoreError
    return kind(f"{ask.path}: Vault answered {answer.status}{said}", next_step=_STATUS)


def sealed(address: str, status: Mapping[str, Any]) -> Sealed:
    """Give the error for a server that is not open, with what `sys/seal-status` says of it."""
    if status.get("initialized") is False:
        step = f"vault operator init -address={address}"
        return Sealed(f"Vault at {address} is not initialised", next_step=step)
    given, wanted = status.get("progress"), status.get("t")
    has_progress = isinstance(given, int) and isinstance(wanted, int)
    progress = f", {given} of {wanted} keys are given" if has_progress else ""
    step = f"vault operator unseal -address={address}"
    return Sealed(f"Vault at {address} is sealed{progress}", next_step=step)


def denied(address: str, ask: Ask, token: TokenState) -> Denied:
    """Give the error for a refusal: the path, the capability it needs, and what is known of the token."""
    path = ask.path.partition("?")[0]
    words = f"Vault refused: {needed(ask.method)} is needed on {path}{_WHY.get(token, '')}"
    if token in _WHY:
        return Denied(words, next_step=f"vault login -address={address}")
    return Denied(words, next_step=f"vault token capabilities -address={address} {path}")
