"""An agent's credential as Vault lists it, and the login that an agent shows for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ALARM = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret id, named by its accessor, which is no secret. Moments are aware.

    `expires` is None for one that never does. `deploy` and `environment` are what it was made with; empty
    where nobody said so.
    """

    accessor: str
    created: datetime
    expires: datetime | None
    deploy: str = ""
    environment: str = ""

    def left(self, now: datetime) -> timedelta | None:
        """Give how long it lives, negative when it is over; None when it never ends."""
        return self.expires - now if self.expires else None

    def is_expired(self, now: datetime) -> bool:
        """Tell whether its time is over."""
        return self.expires is not None and self.expires <= now

    def is_short(self, now: datetime) -> bool:
        """Tell whether less is left of it than the seven days in which it has to be renewed."""
        return self.expires is not None and self.expires - now < ALARM


@dataclass(frozen=True, slots=True)
class Login:
    """What an agent's heartbeat shows: when, the credential it holds, and the token that it got for one.

    `deploy` is that of the credential which the token was made from, as the server says it.
    """

    time: datetime
    accessor: str
    deploy: str
    token_accessor: str = ""
    token_expires: str = ""

    def proves(self, credential: Credential) -> bool:
        """Tell whether an agent has logged in with this very credential."""
        is_same = self.accessor == credential.accessor
        return is_same and bool(credential.deploy) and self.deploy == credential.deploy


def moment(text: str) -> datetime | None:
    """Give a moment as Vault writes it, in UTC; None for its zero and for what is no moment."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.year <= 1 else found.astimezone(UTC)
