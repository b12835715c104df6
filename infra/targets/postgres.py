"""Sessions with PostgreSQL in which nothing counts but what is said: no variable and no file of a person."""

from __future__ import annotations

from typing import Any

from infra.model.addresses import LOOPBACK

NOWHERE = "/dev/null/none"
PROOF = "scram-sha-256"  # it shows neither side's password, and a server that does not know it proves nothing
SINCE = 160000  # the libpq that can be told to take nothing less
SETTLED = {"client_encoding": "utf8", "gssencmode": "disable", "passfile": NOWHERE, "options": ""}
HERE = {"hostaddr": LOOPBACK, "sslmode": "disable"}


def connect(
    address: str = "", *, is_here: bool = True, socket: str = "", takes_any: bool = False, **own: Any
) -> Any:
    """Give a session with the server of this address, or of these parameters; psycopg's own errors.

    One that `is_here` is asked on loopback alone, whatever its name may be resolved to, or by the `socket` in
    this folder. No password is told to a server that asks for one in clear or takes anything for it, save
    where it `takes_any` way in: that is a job's own.
    """
    import psycopg

    where = {"host": socket} if socket else HERE if is_here else {}
    can_require = psycopg.pq.version() >= SINCE and not takes_any
    proof = {"require_auth": PROOF} if can_require else {}
    return psycopg.connect(address, **{**SETTLED, **proof, **own, **where})
