"""Sessions with PostgreSQL in which nothing counts but what is said: no variable and no file of a person."""

from __future__ import annotations

from typing import Any

from infra.model.addresses import LOOPBACK

NOWHERE = "/dev/null/none"
SETTLED = {"client_encoding": "utf8", "gssencmode": "disable", "passfile": NOWHERE, "options": ""}
HERE = {"hostaddr": LOOPBACK, "sslmode": "disable"}


def connect(address: str = "", *, is_here: bool = True, **own: Any) -> Any:
    """Give a session with the server of this address, or of these parameters; psycopg's own errors.

    One that `is_here` is asked on loopback alone, whatever its name may be resolved to.
    """
    import psycopg

    return psycopg.connect(address, **{**SETTLED, **(HERE if is_here else {}), **own})
