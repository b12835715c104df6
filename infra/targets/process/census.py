"""Every live process of a checkout, its supervisors included, recognised by the mark in its environment."""

from __future__ import annotations

from collections.abc import Collection

import psutil

from infra.targets.process import processes

GRACE = 15.0


def of_checkouts(checkouts: Collection[str]) -> dict[str, list[psutil.Process]]:
    """Give the processes of each of these checkouts that has any, the youngest first."""
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            checkout = process.environ().get("INFRA_CHECKOUT", "")
            if checkout in checkouts and process.status() != psutil.STATUS_ZOMBIE:
                found.setdefault(checkout, []).append(process)
        except (psutil.Error, OSError):
            continue
    return {one: sorted(many, key=psutil.Process.create_time, reverse=True) for one, many in found.items()}


def end_all(checkout: str) -> list[int]:
    """End every process of a checkout, its supervisors first; give the pids that stay."""
    for _ in range(3):  # a supervisor may start a unit while it is being ended
        found = of_checkouts([checkout]).get(checkout, [])
        keepers = [one for one in found if _is_supervisor(one)]
        processes.end(keepers, GRACE)
        processes.end([one for one in found if one not in keepers], GRACE)
    return [one.pid for one in of_checkouts([checkout]).get(checkout, [])]


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return "INFRA_UNIT" not in process.environ()
    except psutil.Error:
        return False
