"""Who can write beside an owner: the other members of a group, and those whom an access list names."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

_LIST = "system.posix_acl_access"
_ENTRY = struct.Struct("<HHI")  # kind, rights, id; a version of four bytes comes before them
_USER, _GROUP, _WRITE = 0x02, 0x08, 2


@cache
def has_others(group: int, owner: int) -> bool:
    """Tell whether a group has a member beside this owner, root and ourselves.

    A directory that lists nobody does not tell whose primary group it is: then only one that is named as its
    owner is his alone.
    """
    import grp
    import pwd

    people = pwd.getpwall()
    known = {one.pw_name for one in people if one.pw_uid in {0, owner, os.geteuid()}}
    members = {one.pw_name for one in people if one.pw_gid == group}
    with suppress(KeyError):  # a number without a name has no other members than those
        found = grp.getgrgid(group)
        members |= set(found.gr_mem)
        unlisted = _unlisted(owner, {one.pw_uid for one in people})
        if unlisted:
            return found.gr_name != unlisted or bool(members - known - {unlisted})
    return bool(members - known)


@cache
def who_is_root() -> frozenset[int]:
    """Give root's number and, in a namespace that does not know the machine's root, the one that he shows as.

    Everybody else who is unknown there shows as that, too: it is good for what lies above ours, not for ours.
    """
    with suppress(OSError, ValueError):
        known = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
        if known != ["0", "0", str(2**32 - 1)]:
            return frozenset({0, int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))})
    return frozenset({0})


def grants(path: Path, owner: int) -> bool:
    """Tell whether an access list lets another user, or a group with others, write: Linux alone has these."""
    return any(
        has_others(number, owner) if kind == _GROUP else number not in {0, owner, os.geteuid()}
        for kind, rights, number in _entries(path)
        if kind in {_USER, _GROUP} and rights & _WRITE
    )


def _unlisted(owner: int, listed: set[int]) -> str:
    """Give the name of an account that can be asked for and is not listed, else nothing."""
    import pwd

    if owner in listed:
        return ""
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return ""


def _entries(path: Path) -> Iterator[tuple[int, int, int]]:
    read = getattr(os, "getxattr", None)
    with suppress(OSError):
        found = read(path, _LIST, follow_symlinks=False)[4:] if read else b""
        yield from _ENTRY.iter_unpack(found)
