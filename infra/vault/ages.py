"""When each key of a path last changed, read off the versions that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from infra.model.age import age, in_words
from infra.model.errors import NotFound
from infra.store.interface import Store


@dataclass(frozen=True, slots=True)
class Change:
    """The version in which a key got its present value; not `is_exact` when it may be older."""

    version: int
    at: datetime
    is_exact: bool = True

    def age(self, now: datetime) -> str:
        """Give its age in words, or that a clock is in doubt."""
        seconds = age(self.at, now)
        return in_words(seconds) if self.is_exact or seconds is None else f"over {in_words(seconds)}"


def changes(store: Store, path: str) -> Mapping[str, Change]:
    """Give the last change of each key of a path; nothing when it was never written."""
    try:
        known = store.metadata(path)
        present = store.get(path).values
    except NotFound:
        return {}
    live = [one for one in known.versions if one.state == "live" or one.number == known.current]
    since = dict.fromkeys(present, live[-1])
    open_keys = set(present)
    for version in reversed(live[:-1]):
        if not open_keys:
            break
        values = store.get(path, version.number).values
        open_keys = {key for key in open_keys if values.get(key) == present[key]}
        since |= dict.fromkeys(open_keys, version)
    is_whole = live[0].number == 1
    return {
        key: Change(one.number, one.created, is_whole or key not in open_keys) for key, one in since.items()
    }
