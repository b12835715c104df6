"""Hot reload: from saving a file of the backend to the new answer."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from pathlib import Path

from bench.checkout import Checkout

FILE = "reference_app/apps/backend/src/health.py"
PLACE = '"git_sha":'
COMES_WITHIN = 30.0


def seconds(checkout: Checkout, runs: int) -> list[float]:
    """Give the seconds of so many reloads of `dev.backend`; SystemExit when an answer does not come."""
    file = checkout.root / FILE
    text = file.read_text(encoding="utf-8")
    window = checkout.spawn("dev.backend")
    try:
        _until(checkout, "version")
        _reload(checkout, file, text, "warm")
        return [_reload(checkout, file, text, f"word{number}") for number in range(runs)]
    finally:
        window.send_signal(signal.SIGINT)
        window.communicate()
        file.write_text(text, encoding="utf-8")
        checkout.run("dev.down")


def _reload(checkout: Checkout, file: Path, text: str, word: str) -> float:
    file.write_text(text.replace(PLACE, f'"{word}": True, {PLACE}', 1), encoding="utf-8")
    return _until(checkout, word)


def _until(checkout: Checkout, word: str) -> float:
    """Give the seconds until the backend's health has this word, asked behind the router."""
    began = time.monotonic()
    while time.monotonic() - began < COMES_WITHIN:
        if word in _health(checkout):
            return time.monotonic() - began
        time.sleep(0.005)
    raise SystemExit(f"dev.backend does not answer with {word!r}")


def _health(checkout: Checkout) -> dict[str, object]:
    try:
        with urllib.request.urlopen(f"{checkout.url}/api/health", timeout=5) as answer:
            health: dict[str, object] = json.load(answer)
            return health
    except (OSError, ValueError, StopIteration):
        return {}
