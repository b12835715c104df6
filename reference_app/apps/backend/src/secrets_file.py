"""How fresh the rendered secrets are: the file that an agent writes, and the heartbeat beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

STALE_SECONDS = 3600
RENEW = "./inv vault.setup-tokens --project=finance_report"


class Freshness(NamedTuple):
    """What can be said of the file. It never holds anything of the file's content."""

    status: Literal["ok", "warning", "error"]
    message: str
    next_step: str = ""


def freshness(file: Path, now: float) -> Freshness:
    """The freshness at this moment, in seconds since 1970.

    The agent rewrites the file only when its content changes, and the heartbeat with each good look at it:
    an old file with a fresh heartbeat is normal. Without a heartbeat no agent is known, and age says nothing.
    """
    try:
        fault = _fault(file)
        age, has_heartbeat = _age(file, now)
    except FileNotFoundError:
        return Freshness("warning", f"{file} is missing", RENEW)
    except OSError as error:
        return Freshness("error", f"{file} cannot be read: {error.strerror}")
    if fault:
        return Freshness("error", f"{file} {fault}")
    if not has_heartbeat:
        return Freshness("ok", f"rendered {_span(age)} ago (information: there is no heartbeat)")
    if age > STALE_SECONDS:
        return Freshness("warning", f"heartbeat {_span(age)} ago, the agent may have stopped", RENEW)
    return Freshness("ok", f"heartbeat {_span(age)} ago")


def _fault(file: Path) -> str:
    content = file.read_bytes()
    if not content.strip():
        return "is empty"
    return "holds <no value>" if b"<no value>" in content else ""


def _age(file: Path, now: float) -> tuple[float, bool]:
    heartbeat = file.with_name(".heartbeat")
    has_heartbeat = heartbeat.exists()
    moment = (heartbeat if has_heartbeat else file).stat().st_mtime
    return max(0.0, now - moment), has_heartbeat


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
