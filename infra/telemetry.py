"""Sends records to the telemetry receiver behind a command's back: a bad one costs 2 s at most, no deploy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from urllib.parse import urlsplit

from infra.plan.telemetry import refusal

PATIENCE = 2.0
LONGEST_ANSWER = 65_536


class Outbox:
    """What one command has to tell the receiver. `put` never waits; `flush` does, 2 s at most in all calls.

    A receiver that does not answer is given up for good; one that says no loses that record alone.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._sender: threading.Thread | None = None
        self._left = PATIENCE
        self._is_given_up = self._is_told = False
        self._fault = ""

    def put(self, url: str, text: str) -> None:
        """Have a JSON text posted to this address, after those that were put before."""
        self._jobs.put(partial(self._send, url, text))
        if self._sender is None:
            self._sender = threading.Thread(target=self._work, name="telemetry", daemon=True)
            self._sender.start()

    def flush(self) -> None:
        """Wait until all that was put is sent, or until the command has waited 2 s in all."""
        if self._sender is None or self._is_given_up:
            return
        sent, began = threading.Event(), time.monotonic()
        self._jobs.put(sent.set)
        if not sent.wait(max(0.0, self._left)):
            self._give_up(f"no answer in {PATIENCE:g} s")
        self._left -= time.monotonic() - began

    def complaint(self) -> str:
        """Give what went wrong first, to whoever asks first; empty before that and ever after."""
        if self._is_told or not self._fault:
            return ""
        self._is_told = True
        return self._fault

    def _work(self) -> None:
        while True:
            self._jobs.get()()

    def _send(self, url: str, text: str) -> None:
        """Post one text, unless the receiver was given up; raises nothing that a receiver can cause."""
        from http.client import HTTPException

        if self._is_given_up:
            return
        try:
            why = _post(url, text)
            self._fault = self._fault or why
        except (OSError, HTTPException, ValueError) as error:
            self._give_up(getattr(error, "strerror", None) or str(error) or type(error).__name__)

    def _give_up(self, why: str) -> None:
        self._is_given_up = True
        self._fault = self._fault or why


def _post(url: str, text: str) -> str:
    """Give why the receiver did not take a text, empty when it did. TLS is verified, no redirect followed."""
    from http.client import HTTPConnection, HTTPSConnection

    place = urlsplit(url)
    connect = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = connect(place.netloc, timeout=PATIENCE)
    try:
        connection.request("POST", place.path, text.encode(), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return refusal(answer.status, answer.read(LONGEST_ANSWER))
    finally:
        connection.close()
