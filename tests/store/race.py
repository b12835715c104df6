"""Ten writers at once, each with check-and-set on nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from infra.model.errors import CasLost
from infra.model.secret import Secret
from infra.store.interface import Store


def require_one_winner(path: str, store: Callable[[], Store]) -> None:
    """Let ten write to a path where nothing is: one makes version 1, the others learn that they lost."""
    results: list[object] = []

    def write(number: int) -> None:
        try:
            results.append(store().put(path, {"A": Secret(str(number))}, cas=0))
        except CasLost as error:
            results.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(1) == 1
    assert sum(isinstance(result, CasLost) for result in results) == 9
