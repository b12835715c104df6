"""A server known by one root certificate alone: none of this machine's roots can vouch for another."""

from __future__ import annotations

import ssl
from typing import Any

from requests.adapters import HTTPAdapter

from infra.model.errors import BadInput


class Pinned(HTTPAdapter):
    """Connections to whoever shows a certificate of this root, in PEM; BadInput where it is none."""

    def __init__(self, root: str, connections: int) -> None:
        try:
            self._context = ssl.create_default_context(cadata=root)
        except (ssl.SSLError, ValueError):
            raise BadInput("the root certificate of this Vault is not one in PEM") from None
        super().__init__(pool_maxsize=connections)

    def init_poolmanager(self, *words: Any, **more: Any) -> None:
        """Give the connections our own trust."""
        super().init_poolmanager(*words, ssl_context=self._context, **more)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Add no root of this machine, as requests would."""
