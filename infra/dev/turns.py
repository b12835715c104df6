"""Development commands change what runs one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.session import Session
from infra.store import private_file

NAME = "development"
PATIENCE = 300.0


@contextmanager
def turn(session: Session) -> Iterator[None]:
    """Hold the turn for the body; Unreachable when another command holds it for 300 s.

    A lease is too short for this: it is free between a deploy and the server that takes the place of a unit.
    """
    root = Path(session.places.root)
    if not root.is_dir():
        yield  # nothing has ever run here
        return
    session.console.show("waiting for another development command")
    with private_file.locked(root / NAME, PATIENCE):
        session.console.show("")
        yield
