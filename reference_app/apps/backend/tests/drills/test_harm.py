"""Tests that harm their run on purpose: TEST_DRILL names one of them, without it none is collected.

leak       passes, and leaves a connection to its database and a child process that holds another
hang       never ends, and obeys the first signal
stubborn   never ends, and obeys nothing but SIGKILL
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading

import asyncpg
import pytest

pytestmark = pytest.mark.drill

HOLD = """
import asyncio, os, asyncpg
async def hold():
    kept = await asyncpg.connect(os.environ["PLACE"])
    print("holding", flush=True)
    await asyncio.Event().wait()
asyncio.run(hold())
"""
KEPT: list[object] = []


def test_leak(place: str) -> None:
    url = place.replace("+asyncpg", "", 1)
    loop = asyncio.new_event_loop()
    KEPT.extend((loop, loop.run_until_complete(asyncpg.connect(url))))
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD], env=os.environ | {"PLACE": url}, stdout=subprocess.PIPE
    )
    assert child.stdout
    assert child.stdout.readline() == b"holding\n"
    KEPT.append(child)


def test_hang(place: str) -> None:
    threading.Event().wait()


def test_stubborn(place: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    threading.Event().wait()
