"""What an environment keeps: the objects in its buckets, and its data folders. Only --all takes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infra import embedded_store, remove
from infra.cleanup import folder
from infra.cleanup.item import Item
from infra.model.errors import CannotTell
from infra.model.observed import DataFolder, Found
from infra.session import Session
from infra.targets.object_store import ObjectStore
from infra.targets.process import data_folders


def buckets(session: Session) -> list[Item]:
    """Give the buckets of the environment's own store where it runs; else they go with its data."""
    store = embedded_store.own(session)
    if store is None or embedded_store.UNIT not in session.target.living():
        return []
    return [_bucket(store, name) for name in store.buckets()]


def _bucket(store: ObjectStore, name: str) -> Item:
    sizes = [one.size for one in store.objects(name)]
    return Item(
        "bucket", f"{len(sizes)} objects in {name}", size=sum(sizes), remove=lambda: _empty(store, name)
    )


def _empty(store: ObjectStore, name: str) -> str:
    store.empty(name)
    if next(store.objects(name), None) is not None:
        raise CannotTell(f"{name} still holds objects", next_step="./inv cleanup.dev --all")
    return ""


def data(session: Session) -> list[Item]:
    """Give the data folders; one whose marker does not say that it is ours stays."""
    found = sorted(one for one in Path(session.places.root, "data").glob("*") if one.is_dir())
    return [
        Item("data", str(one), _why_kept(session, one), folder.size([one]), _removing(session, one))
        for one in found
    ]


def _why_kept(session: Session, place: Path) -> str:
    seen = data_folders.read(place)
    ours = session.project.name, session.environment.name, place.name, session.places.checkout
    if isinstance(seen, Found) and _owner(seen.fact) == ours:
        return ""
    return "nothing in it says that it is ours"


def _owner(marker: DataFolder) -> tuple[str, ...]:
    return marker.project, marker.environment, marker.service, marker.checkout


def _removing(session: Session, place: Path) -> Callable[[], str]:
    def take() -> str:
        if session.target.living():
            raise CannotTell("something of it runs", next_step=session.say("down"))
        with remove.remembered(session, place.name):
            folder.remove(place)
        return ""

    return take
