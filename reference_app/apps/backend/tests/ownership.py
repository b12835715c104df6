"""Which database the suite may use: every table in it is emptied before each test."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

MAIN_WORKER = "master"
LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "postgres"})


class NotOurs(Exception):
    """The suite must not touch this database; the message shows no password."""


def database_of(url: str) -> str:
    """The name of the database in this address."""
    return urlsplit(url).path.removeprefix("/")


def wanted_name(namespace: str, worker: str) -> str:
    """The exact name that a worker's database has; without a namespace that of a CI job."""
    name = "finance_report_test" + (f"_{namespace}" if namespace else "")
    return name if worker == MAIN_WORKER else f"{name}_{worker}"


def refuse_foreign(url: str, worker: str, environment: Mapping[str, str] = os.environ) -> None:
    """Raise NotOurs unless this address is exactly the one that this worker was made for."""
    if environment.get("ENVIRONMENT") != "testing":
        raise NotOurs("ENVIRONMENT must be testing")
    if not re.fullmatch(r"master|gw\d{1,2}", worker):
        raise NotOurs(f"{worker} is no worker")
    name, host = database_of(url), urlsplit(url).hostname
    wanted = wanted_name(environment.get("TEST_NAMESPACE", ""), worker)
    if name != wanted:
        raise NotOurs(f"the database is {name!r}, this worker's own is {wanted!r}")
    if host not in LOCAL:
        raise NotOurs(f"the database is on {host}, which is not this machine")
