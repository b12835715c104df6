"""The user that a process runs as, when it must not be root."""

from __future__ import annotations

import os
import pwd
from typing import Any

EARLIER = "nobody"  # whom root ran servers as before they had accounts, and does where none can be made


def identity(user: str) -> dict[str, Any]:
    """Give the options with which a subprocess runs as this user; none for ourselves."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def uid_of(user: str) -> int:
    """Give the number of this user, our own where none is named."""
    return pwd.getpwnam(user).pw_uid if user else os.getuid()


def ids(user: str) -> tuple[int, int]:
    """Give uid and gid of this user; our own where none is named."""
    found = pwd.getpwnam(user) if user else None
    return (found.pw_uid, found.pw_gid) if found else (os.getuid(), os.getgid())
