"""State folders of checkouts that no longer exist: shown always, removed with --all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial

from infra.cleanup import folder
from infra.cleanup.item import Item
from infra.homes import NAME, Home
from infra.model.errors import CannotTell
from infra.targets.process import census
from infra.targets.process.bearers import Marks

ASKED_FOR = "removed with --all"
UNKNOWN = "nothing says where its checkout is"
USED = "a test run uses it"


def items(
    found: Iterable[Home],
    used: Collection[str],
    look: Callable[[str], Home | None],
    marks: Marks,
    *,
    everything: bool,
) -> list[Item]:
    """Give what is kept of checkouts that are gone or not known; `used` are those that a test run uses.

    `look` looks at a home again: a checkout that came back keeps what is its own. `marks` are those of any
    environment of this user.
    """
    removing = partial(_remove, look, marks)
    return [_item(home, used, removing, everything=everything) for home in found if home.presence != "there"]


def _item(home: Home, used: Collection[str], removing: Callable[[Home], str], *, everything: bool) -> Item:
    name = f"{home.path or 'an unknown checkout'}: {home.state}"
    if home.presence == "unknown":
        return Item("checkout", name, UNKNOWN, folder.size(home.folders))
    why = USED if home.checkout in used else "" if everything else ASKED_FOR
    return Item("checkout", name, why, folder.size(home.folders), partial(removing, home))


def _remove(look: Callable[[str], Home | None], marks: Marks, home: Home) -> str:
    """End what still runs of it, then take its folders; what says whose they are goes last."""
    now = look(home.checkout)
    if now is None or now.presence != "gone":
        return "it is there again" if now else ""
    left = census.end_all(replace(marks, checkout=home.checkout))
    if left:
        raise CannotTell(f"pid {left[0]} does not end", next_step=f"kill -9 {left[0]}")
    for one in home.folders[:-1]:
        folder.remove(one)
    for one in home.state.iterdir():
        if one.is_dir() and not one.is_symlink():
            folder.remove(one)
        elif one.name != NAME:
            one.unlink()
    folder.remove(home.state)
    return ""
