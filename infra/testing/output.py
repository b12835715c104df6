"""The output of the tests on its way to a person: read from a pipe, redacted by whole lines."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from infra.model.redaction import CUT

LOOKS_EVERY = 0.1
PIECE = 65_536
LONGEST = 1_048_576
PROGRESS: Final = frozenset(b".FEsxX")


class Output(threading.Thread):
    """Hands on what is written into `number`, line by line; a row of progress marks is not kept back.

    At the end of the body what is in the pipe is handed on, also when somebody still holds the other end.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(name="output", daemon=True)
        self._show = show
        self._reads, self.number = os.pipe()
        self._over = threading.Event()
        self._kept = b""
        self._is_cut = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        os.close(self.number)
        self._over.set()
        self.join()
        os.close(self._reads)

    def run(self) -> None:
        """Hand on until the other end is closed, or the body is over and the pipe empty."""
        while True:
            if not select.select([self._reads], [], [], LOOKS_EVERY)[0]:
                if self._over.is_set():
                    break
                self._hand_on_progress()
                continue
            piece = os.read(self._reads, PIECE)
            if not piece:
                break
            self._take(piece)
        self._hand_on(len(self._kept))

    def _take(self, piece: bytes) -> None:
        self._kept += piece
        if self._is_cut:
            self._drop_line()
        self._hand_on(self._kept.rfind(b"\n") + 1)
        if len(self._kept) > LONGEST:
            self._kept += f"{CUT} (cut: a line of over {LONGEST} bytes)\n".encode()
            self._hand_on(len(self._kept))
            self._is_cut = True

    def _drop_line(self) -> None:
        """Leave the rest of a line out that was cut: in two pieces no secret in it would be known."""
        _, end, self._kept = self._kept.partition(b"\n")
        self._is_cut = not end

    def _hand_on_progress(self) -> None:
        if PROGRESS.issuperset(self._kept):
            self._hand_on(len(self._kept))

    def _hand_on(self, count: int) -> None:
        if count:
            text, self._kept = self._kept[:count], self._kept[count:]
            self._show(text.decode("utf-8", "replace"))
