"""Doing something again and again beside a test's body."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def again_and_again(act: Callable[[], None], pause: float) -> Iterator[None]:
    """Call it while the body runs, with so many seconds between two calls."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(pause):
            act()

    watcher = threading.Thread(target=repeat)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
