"""One request over the kept connection: its headers, its deadline, its redirects."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from infra.store.vault.address import Astray, host_of, redirected
from infra.store.vault.answers import Answer, answer_of

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

PATIENCE = 5.0
CONNECTIONS = 16
PIECE = 64 * 1024
MOST = 16 * 1024 * 1024  # of one answer; a value of Vault is 1 MiB at most
_HOPS = 3
_REDIRECTS = frozenset({307, 308})


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; its repr shows neither the token nor what is sent."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)


class Broken(Exception):
    """No answer of Vault came: the words say why, `was_sent` whether it may have been carried out."""

    def __init__(
        self,
        words: str,
        *,
        was_sent: bool = True,
        is_passing: bool = True,
        is_silence: bool = True,
        next_step: str = "",
    ) -> None:
        super().__init__(words)
        self.next_step = next_step
        self.was_sent = was_sent
        self.is_passing = is_passing
        self.is_silence = is_silence


class Wire:
    """The connections of one run to one Vault; many threads may use it at once.

    Proxies, cookies, `.netrc` and the variables that hvac and requests read by themselves are left out: a
    token goes to the address that was given and to nobody else.
    """

    def __init__(self, address: str, root: str = "", nodes: Collection[str] = ()) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        self._address = address
        self._hosts = frozenset({host_of(address), *nodes})
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS))
        self._session.mount("https://", _pinned(root) if root else HTTPAdapter(pool_maxsize=CONNECTIONS))

    def send(self, ask: Ask) -> Answer:
        """Give the answer, also when it says no; Broken when there is none within 5 seconds."""
        address = self._address
        for _ in range(_HOPS):
            answer = self._exchange(address, ask)
            if answer.status not in _REDIRECTS:
                return answer
            try:
                address = redirected(address, ask.path, answer.location, self._hosts)
            except Astray as astray:
                raise Broken(str(astray), is_passing=False, next_step=astray.next_step) from None
        raise Broken("it sends us in a circle")

    def _exchange(self, address: str, ask: Ask) -> Answer:
        import requests
        from urllib3.exceptions import HTTPError

        try:
            status, content, location = self._sent(address, ask)
        except requests.exceptions.SSLError:
            words = "its certificate is not trusted"
            raise Broken(words, was_sent=False, is_passing=False) from None
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            # The cause holds the request, and the request holds the token and the values.
            raise _broken(error) from None
        answer = answer_of(status, content, location)
        if answer is None:
            raise Broken(f"its answer {status} is not what Vault writes", is_silence=False)
        return answer

    def _sent(self, address: str, ask: Ask) -> tuple[int, bytes, str]:
        from hvac.adapters import RawAdapter

        deadline = time.monotonic() + PATIENCE
        adapter = RawAdapter(address, session=self._session, timeout=PATIENCE, allow_redirects=False)
        response = adapter.request(
            ask.method,
            f"/v1/{ask.path}",
            headers=dict(ask.headers),
            raise_exception=False,
            data=ask.content,
            stream=True,
        )
        with closing(response):
            content = b"".join(_pieces(response.raw, deadline))
            expected = int(response.headers.get("Content-Length") or len(content))
            if len(content) != expected:
                raise HTTPException
            return response.status_code, content, response.headers.get("Location", "")


def _pinned(root: str) -> HTTPAdapter:
    from infra.store.vault.pin import Pinned

    return Pinned(root, CONNECTIONS)


def _pieces(raw: Any, deadline: float) -> Iterator[bytes]:
    """Give what comes, piece by piece: a server that drips is as silent as one that says nothing."""
    left = MOST
    while piece := raw.read1(PIECE):
        yield piece
        left -= len(piece)
        if time.monotonic() > deadline:
            raise TimeoutError
        if left < 0:
            words = f"its answer is longer than {MOST // 1024 // 1024} MiB"
            raise Broken(words, is_passing=False, is_silence=False)


def _broken(error: Exception) -> Broken:
    import requests
    from urllib3.exceptions import NewConnectionError, ReadTimeoutError

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.ConnectTimeout):
        return Broken(f"no connection within {PATIENCE:g} s", was_sent=False)
    if isinstance(reason, NewConnectionError):
        return Broken("nobody takes the connection", was_sent=False)
    if isinstance(error, requests.Timeout | ReadTimeoutError | TimeoutError):
        return Broken(f"no whole answer within {PATIENCE:g} s")
    return Broken("the connection broke before the answer was whole")
