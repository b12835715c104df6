"""Checks of secrets in a real Vault: commands on a rehearsal whose agents bring every value."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.accept.ground import Ground, exits, require
from infra.accept.processes import Done, run
from infra.model.acceptance import STACK, Evidence
from infra.model.answer import Answer
from infra.verify.http import ask

if TYPE_CHECKING:
    import psutil

HEALTH = "/api/health?full=1"
BOOT = ("-m", "src.boot", "--mode", "full", "--json")
BOOT_WITHIN = 60.0


def audited(ground: Ground, rows: list[int], services: Iterable[str] = ()) -> Evidence:
    """Prove that the audit finds nothing bad, and these rows ok; with `services` for each of these."""
    done = exits(ground.rehearsal.asked("vault.check"))
    made: list[dict[str, Any]] = done.json["facts"]["rows"]
    asked = [one for one in made if one["number"] in rows and (not services or one["subject"] in services)]
    found = {(one["number"], one["subject"]) for one in asked}
    missing = {(number, name) for number in rows for name in services} - found
    missing |= {(number, "") for number in rows if number not in {known for known, _ in found}}
    require(not missing, f"{done}, without the rows {sorted(missing)}")
    bad = [_audit_row(one) for one in asked if one["state"] != "ok"]
    require(not bad, f"{done}: {'; '.join(bad)}")
    return _in_vault(f"{done}, {'; '.join(map(_audit_row, asked))}")


def _audit_row(row: dict[str, Any]) -> str:
    return f"row {row['number']} {row['name']} {row['subject']} {row['state']}: {row['detail']}"


def keys_kept(ground: Ground, service: str, keys: list[str], *, alone: bool = False) -> Evidence:
    """Prove that a service's keys are there and read by nothing old; with `alone`, that it has no others."""
    done = exits(ground.rehearsal.asked("vault.keys"))
    mine = {one["key"]: one for one in done.json["facts"]["keys"] if one["service"] == service}
    require(set(keys) <= set(mine), f"{done}: {service} has {sorted(mine)}, not {keys}")
    require(not alone or set(keys) == set(mine), f"{done}: {service} has {sorted(mine)}, not {keys} alone")
    for key in keys:
        one = mine[key]
        require(one["state"] == "present", f"{done}: {service} {key} is {one['state']}")
        require(not one["on an old value"], f"{done}: {one['on an old value']} run on an old {key}")
    told = ", ".join(f"{key} {mine[key]['kind']} version {mine[key]['version']}" for key in keys)
    return _in_vault(f"{done}, {service}: {told}")


def credentials_stand(ground: Ground, services: list[str]) -> Evidence:
    """Prove that each of these agents has one credential that is good, and logged in with it."""
    done = exits(ground.rehearsal.asked("vault.status"))
    facts = done.json["facts"]
    mine = {one["service"]: one for one in facts["credentials"]}
    for name in services:
        one = mine.get(name, {"state": "not listed"})
        require(one["state"] == "ok", f"{done}: {name}: {one['state']}")
        require(one["last login"].startswith("20"), f"{done}: {name} last logged in {one['last login']}")
    told = "; ".join(f"{name} {mine[name]['credential']}, {mine[name]['left']} left" for name in services)
    server = facts["server"]
    return _in_vault(f"{done}, Vault {server['version']} is {server['state']}; {told}")


def bucket_answers(ground: Ground) -> Evidence:
    """Prove that the application logs in to its bucket with the keys that its agent brought."""
    answer = ask(ground.rehearsal.url + HEALTH)
    body = answer.json() if isinstance(answer, Answer) else None
    found = body.get("dependencies", {}).get("s3", {}) if isinstance(body, dict) else {}
    require(found.get("status") == "ok", f"GET {HEALTH}: s3 is {found or answer}")
    return Evidence("ok", f"GET {HEALTH}: s3 {found['status']}", STACK | {"VT", "S3"})


def rotated(ground: Ground, service: str, key: str) -> Evidence:
    """Prove that a rotation makes the next version of a key: all run on it, and the old one is refused."""
    before = _key(exits(ground.rehearsal.asked("vault.keys")), service, key)
    done = exits(ground.rehearsal.changed(f"vault.rotate --service {service} --key {key}"))
    proof = next((line for line in done.err.splitlines() if "refused by" in line), "")
    require(proof, f"{done}, and nothing says that the old value is refused")
    after = _key(exits(ground.rehearsal.asked("vault.keys")), service, key)
    made = f"{service} {key} version {before['version']}, then {after['version']}"
    require(after["version"] == before["version"] + 1, f"{done}: {made}")
    require(not after["on an old value"], f"{done}: {after['on an old value']} run on an old {key}")
    return _in_vault(f"{done}, {made}; {' '.join(proof.split())}")


def _key(done: Done, service: str, key: str) -> dict[str, Any]:
    kept: list[dict[str, Any]] = done.json["facts"]["keys"]
    return next(one for one in kept if (one["service"], one["key"]) == (service, key))


def deploys_meet(ground: Ground, service: str) -> Evidence:
    """Prove that of two deploys at once one is carried out, and the other is told who holds the lease."""
    task = f"{ground.project.name}.{service}.setup --force"
    with ThreadPoolExecutor(2) as both:
        done = sorted(both.map(ground.rehearsal.changed, (task, task)), key=lambda one: one.code)
    exits(done[0])
    exits(done[1], 2)
    error = done[1].json["errors"][0]
    require(error["kind"] == "lease_held", f"{done[1]}: {error}")
    return _in_vault(f"{done[0]}, {done[0].json['outcome']}; at once {done[1]}: {error['message']}")


def freshness_told(ground: Ground, unit: str) -> Evidence:
    """Prove what the application's boot check says of an agent's file: fresh, then stale, then missing."""
    process = ground.rehearsal.unit(unit)
    file = Path(process.environ()["INFRA_SECRETS_FILE"])
    copy = ground.trial.memory / "stale"
    shutil.copytree(file.parent, copy)
    hours_ago = time.time() - 2 * 3600
    os.utime(copy / ".heartbeat", (hours_ago, hours_ago))
    cases = {
        "fresh": (file, "ok"),
        "stale": (copy / file.name, "warning"),
        "missing": (copy / "gone/.env", "warning"),
    }
    told = []
    for name, (place, status) in cases.items():
        row = _boot_row(process, place)
        require(row["status"] == status, f"{name}: {row}")
        require(status == "ok" or "vault.setup-tokens" in row["next"], f"{name}: {row}")
        told.append(f"{name}: {status}, {row['message'].replace(str(place), place.name)}")
    return _in_vault(f"python {' '.join(BOOT)} beside a real agent: {'; '.join(told)}")


def _boot_row(process: psutil.Process, file: Path) -> dict[str, Any]:
    """Give what the boot check says of the secrets, in the place and environment of a running unit."""
    given = {**process.environ(), "INFRA_SECRETS_FILE": str(file)}
    words = " ".join(BOOT)
    done = run([sys.executable, *BOOT], words, Path(process.cwd()), given, stdin="", within=BOOT_WITHIN)
    rows: list[dict[str, Any]] = done.json.get("rows", [])
    return next(
        (one for one in rows if one["name"] == "secrets"), {"status": f"exit {done.code}", "next": ""}
    )


def _in_vault(text: str) -> Evidence:
    """Give good evidence that was seen on the rehearsal, beside its Vault."""
    return Evidence("ok", text, STACK | {"VT"})
