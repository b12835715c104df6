"""The client of one run: what was refused, what passes by itself, and what may have been done already."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from infra.model.errors import BadInput, InfraError
from infra.model.secret import Secret
from infra.store.vault import refusals
from infra.store.vault.address import checked_address
from infra.store.vault.answers import Answer
from infra.store.vault.wire import Ask, Broken, Wire

Settle = Callable[[], Answer | None]
_ANSWERS = frozenset({400, 404, 405})
_NOT_DONE = frozenset({412, 429})
_RETRIES = 3


class VaultClient:
    """One client of one run: the connection is kept, a request has 5 seconds.

    Only 412, 429, 5xx and a broken connection are tried again, three times with growing pauses; `pause` is
    the first in seconds. `root` is the one certificate, in PEM, that vouches for the server; without it this
    machine's own do. `nodes` are the hosts that a redirect may lead to, beside the address' own. BadInput
    when the address is neither encrypted nor this machine nor `allow_http`, or when the token cannot be one.
    """

    def __init__(
        self,
        address: str,
        token: Secret | None,
        *,
        root: str = "",
        allow_http: str = "",
        nodes: Collection[str] = (),
        pause: float = 0.1,
    ) -> None:
        self.address, self.root = checked_address(address, allow_http), root
        self._token = _checked(token)
        self._pauses = tuple(pause * 2**number for number in range(_RETRIES))
        self._wire = Wire(self.address, root, nodes)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        token: Secret | None = None,
        wrap_ttl: int = 0,
        anonymous: bool = False,
        content_type: str = "",
        expected: Collection[int] = (),
        settle: Settle | None = None,
    ) -> Answer:
        """Give the answer to `/v1/<path>`; 400, 404, 405 and the statuses `expected` are answers too.

        Sealed, Denied, Unreachable and StoreError are all else. `token` stands in for the client's own,
        `wrap_ttl` is in seconds. What may have been done already is done again, unless `settle` finds it: its
        answer then ends the call, and where it cannot tell either the failure is raised.
        """
        sent_token = None if anonymous else token or self._token
        content = None if body is None else json.dumps(body).encode()
        ask = Ask(method, path, _headers(sent_token, wrap_ttl, content_type), content)
        is_own = not anonymous and token is None
        for pause in (*self._pauses, None):
            try:
                return self._once(ask, expected, is_own=is_own)
            except _Passing as passing:
                done = _settled(passing, settle)
                if done is not None:
                    return done
                if pause is None:
                    raise passing.error from None
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _once(self, ask: Ask, expected: Collection[int], *, is_own: bool) -> Answer:
        try:
            answer = self._wire.send(ask)
        except Broken as broken:
            error = refusals.silent(self.address, ask, broken)
            raise (_Passing(error, broken.was_sent) if broken.is_passing else error) from None
        if answer.status < 300 or answer.status in _ANSWERS or answer.status in expected:
            return answer
        if answer.status == 403:
            raise refusals.denied(self.address, ask, self._token_state() if is_own else "lent")
        if answer.is_sealed:
            raise refusals.sealed(self.address, self._seal_status())
        error = refusals.bad(ask, answer)
        is_passing = answer.status in _NOT_DONE or answer.status >= 500
        raise _Passing(error, answer.status not in _NOT_DONE) if is_passing else error

    def _seal_status(self) -> Mapping[str, Any]:
        with suppress(Broken):
            return self._wire.send(Ask("GET", "sys/seal-status", _headers(None))).body
        return {}

    def _token_state(self) -> refusals.TokenState:
        """Tell whether our own token lives. A lent one is never asked: a question may use it up."""
        if self._token is None:
            return "none"
        with suppress(Broken):
            asked = Ask("GET", "auth/token/lookup-self", _headers(self._token))
            return "unknown" if self._wire.send(asked).status == 403 else "living"
        return "living"


class _Passing(Exception):
    """A failure that may be over at the next try; the request may have been carried out all the same."""

    def __init__(self, error: InfraError, may_be_done: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.may_be_done = may_be_done


def _settled(passing: _Passing, settle: Settle | None) -> Answer | None:
    if settle is None or not passing.may_be_done:
        return None
    try:
        return settle()
    except InfraError:
        raise passing.error from None


def _headers(token: Secret | None, wrap_ttl: int = 0, content_type: str = "") -> dict[str, str]:
    headers = {"Content-Type": content_type or "application/json"}
    if token is not None:
        headers["X-Vault-Token"] = token.reveal()
    if wrap_ttl:
        headers["X-Vault-Wrap-TTL"] = f"{wrap_ttl}s"
    return headers


def _checked(token: Secret | None) -> Secret | None:
    if token is not None and not re.fullmatch(r"[!-~]+", token.reveal()):
        raise BadInput("the Vault token is empty or holds signs that no token has, such as a line end")
    return token
