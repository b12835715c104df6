"""Whether the application has what it needs to start: `python -m src.boot --mode dry-run|critical|full`.

    dry-run    the settings load
    critical   and the database answers
    full       and Redis, the bucket, the AI provider; and how fresh the secrets are

Exit code 0; 1 when a line says error; 2 for bad arguments or settings that cannot be loaded; 130 for Ctrl+C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from src import stores
from src.checks import DEPENDENCIES, Dependency, fault
from src.config import ConfigError, Settings
from src.secrets_file import freshness

ANSWER_SECONDS = 5.0
SECRETS_FILE = "/secrets/.env"
DEPTHS = {"dry-run": 0, "critical": 1, "full": len(DEPENDENCIES)}  # how many dependencies a mode asks


@dataclass(frozen=True)
class Row:
    """One thing that was looked at: `ok`, `warning`, `error`, or `skipped` when it is not set."""

    name: str
    status: str
    message: str = ""
    ms: float = 0.0
    next: str = ""


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code; the rows go to stdout, as lines or as one JSON object."""
    asked = _parser().parse_args(arguments)
    show = _as_json if asked.json else _as_lines
    try:
        settings = Settings.read(environment)
        rows = [Row("settings", "ok", f"{settings.env}, providers: {settings.providers}")]
        rows += asyncio.run(_asked(settings, DEPTHS[asked.mode]))
    except ConfigError as error:
        show(asked.mode, [Row("settings", "error", str(error))], 2)
        return 2
    except KeyboardInterrupt:
        return 130
    if asked.mode == "full":
        rows.append(_secrets(settings, environment))
    code = int(any(row.status == "error" for row in rows))
    show(asked.mode, rows, code)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.boot", description="Check what the application needs to start."
    )
    parser.add_argument("--mode", choices=[*DEPTHS], default="full", help="how much to ask (default: full)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


async def _asked(settings: Settings, depth: int) -> list[Row]:
    async with stores.opened(settings) as opened:
        return list(await asyncio.gather(*(_row(each, opened) for each in DEPENDENCIES[:depth])))


async def _row(dependency: Dependency, opened: stores.Stores) -> Row:
    store = dependency.of(opened)
    if store is None:
        return Row(dependency.name, "skipped", "not set")
    started = time.monotonic()
    reason = await fault(store, ANSWER_SECONDS)
    ms = round((time.monotonic() - started) * 1000, 1)
    return Row(dependency.name, "error" if reason else "ok", reason, ms)


def _secrets(settings: Settings, environment: Mapping[str, str]) -> Row:
    if settings.is_mocked:
        return Row("secrets", "skipped", "mock providers need none")
    file = Path(environment.get("INFRA_SECRETS_FILE") or SECRETS_FILE)
    found = freshness(file, time.time())
    return Row("secrets", found.status, found.message, next=found.next_step)


def _as_lines(mode: str, rows: Sequence[Row], code: int) -> None:  # noqa: ARG001  # the lines say it all
    for row in rows:
        took = f"{row.ms:.0f} ms" if row.ms else ""
        print(f"{row.status:8} {row.name:9} {', '.join(filter(None, [row.message, took]))}".rstrip())
        if row.next:
            print(f"{'':18} {row.next}")


def _as_json(mode: str, rows: Sequence[Row], code: int) -> None:
    print(json.dumps({"mode": mode, "exit_code": code, "rows": [asdict(row) for row in rows]}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
