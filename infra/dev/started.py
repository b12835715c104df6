"""Which deploys `dev.*` made: what they started is theirs to stop."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from infra.session import Session
from infra.store import private_file

NAME = "development.json"
PATIENCE = 10.0


def add(session: Session, deploy: str) -> None:
    """Note a deploy; none is noted where nothing was deployed."""
    if deploy:
        with private_file.locked(_file(session), PATIENCE):
            _write(session, {*read(session), deploy})


def read(session: Session) -> frozenset[str]:
    """Give the ids of the deploys; none where the file is missing or says nothing."""
    try:
        found = json.loads(private_file.read(_file(session)) or "[]")
    except ValueError:
        return frozenset()
    return frozenset(map(str, found)) if isinstance(found, list) else frozenset()


def keep(session: Session, deploys: Collection[str]) -> None:
    """Forget all deploys but these."""
    if _file(session).exists():
        with private_file.locked(_file(session), PATIENCE):
            _write(session, set(deploys) & read(session))


def _write(session: Session, deploys: Collection[str]) -> None:
    private_file.replace(_file(session), json.dumps(sorted(deploys)) + "\n")


def _file(session: Session) -> Path:
    return Path(session.places.root) / NAME
