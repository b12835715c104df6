"""Waits until a stack is ready for its smoke test, and knows the two ways in which it never will be."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from infra.model.answer import Answer, Category, NoAnswer
from infra.model.errors import BadInput, Unreachable
from infra.model.smoke import Profile
from infra.plan.health import classify

Get = Callable[[str], Answer | NoAnswer]


class Wait(NamedTuple):
    """How long to wait: the number of tries, and the seconds between two of them."""

    tries: int = 30
    pause: float = 5.0


class Ready(NamedTuple):
    """How the wait ended: the number of tries made, and the last answer."""

    tries: int
    last: Answer | NoAnswer


OnWait = Callable[[Ready], None]


def wait_until_ready(
    profile: Profile,
    get: Get,
    wait: Wait,
    *,
    sleep: Callable[[float], None],
    on_wait: OnWait,
    router_url: str,
) -> Ready:
    """Give the last answer, healthy or not; `on_wait` hears of each try that was not.

    Raises Unreachable when no try got any answer, BadInput when the address is the backend's own.
    """
    was_reached = False
    for number in range(1, wait.tries + 1):
        ready = Ready(number, get(profile.ready))
        category = classify(ready.last, None)
        was_reached = was_reached or isinstance(ready.last, Answer)
        if category is Category.OK:
            return ready
        if category is Category.HTTP_404 and _is_backend(profile, get):
            raise _not_the_router(ready.last.url, router_url)
        on_wait(ready)
        if number < wait.tries:
            sleep(wait.pause)
    if not was_reached:
        raise _never_reached(ready)
    return ready


def _is_backend(profile: Profile, get: Get) -> bool:
    if profile.backend_ready is None:
        return False
    root = get("/")
    is_api = isinstance(root, Answer) and root.status == 404 and root.json() is not None
    return is_api and classify(get(profile.backend_ready), None) in {Category.OK, Category.UNHEALTHY}


def _not_the_router(url: str, router_url: str) -> BadInput:
    return BadInput(
        f"{url} is the backend's own address; smoke asks the router, which serves pages and /api",
        next_step=f"./inv smoke --base-url {router_url}" if router_url else "give the router's address",
    )


def _never_reached(ready: Ready) -> Unreachable:
    return Unreachable(
        f"{ready.last.url} could not be reached at all in {ready.tries} tries: {ready.last}",
        next_step="start it, or correct --base-url",
        evidence=(str(ready.last),),
    )
