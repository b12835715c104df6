"""Paths in a store: `<project>/<env>/<service>`, and below `<project>/<env>/_state` what we keep ourselves.

`<env>` is a name or, for a preview, `preview/pr_47`.
"""

from __future__ import annotations

import re

from infra.model.errors import BadInput

RESERVED = frozenset({"_state", "_shared"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


def secrets_path(project: str, env: str, service: str) -> str:
    """Give where a service's values are; BadInput for a name that is reserved or malformed."""
    if service.startswith("_"):
        raise BadInput(f"{service}: names that begin with _ are reserved")
    return checked(f"{project}/{env}/{service}")


def lease_path(project: str, env: str) -> str:
    """Give where the lease of an environment is."""
    return checked(f"{project}/{env}/_state/lease")


def records_path(project: str, env: str, service: str) -> str:
    """Give the folder of a service's records."""
    return checked(f"{project}/{env}/_state/{service}")


def credentials_path(project: str, env: str) -> str:
    """Give where it stands which credentials the agents of an environment were last given."""
    return checked(f"{project}/{env}/_state/credentials")


def derived_path(project: str, env: str, service: str) -> str:
    """Give where the digests of a service's derived values are."""
    return checked(f"{project}/{env}/_state/{service}/derived")


def checked(path: str) -> str:
    """Give the path back when every segment is well formed; else BadInput."""
    for segment in path.split("/"):
        if segment not in RESERVED and not _NAME.fullmatch(segment):
            raise BadInput(f"{path!r}: {segment!r} is no name for a path in the store")
    return path


def is_state(path: str) -> bool:
    """Tell whether the path is one of our own records and not a service's values."""
    return "_state" in path.split("/")


def environment_name(path: str) -> str:
    """Give the name of the environment that a state path belongs to, as `--env` takes it."""
    return path.partition("/_state")[0].rpartition("/")[2]
