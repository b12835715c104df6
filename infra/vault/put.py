"""Puts one operator key. Its value comes from stdin or a prompt; no argument ever holds it."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from infra import consent
from infra.model.errors import BadInput
from infra.model.secret import Secret, SecretSpec
from infra.plan.consumers import readers
from infra.plan.key_choice import to_put
from infra.store.paths import secrets_path
from infra.vault.one_key import write_keys

if TYPE_CHECKING:
    from infra.vault.desk import Desk

LARGEST = 64 * 1024  # what reads it gets it as an environment variable, and those end at 128 KiB


def put(desk: Desk, service: str, key: str, *, yes: bool) -> None:
    """Write the key and say what brings it to its service; the value that stands already is left alone."""
    keys = desk.keys
    spec = to_put(keys.specs, service, key, keys.addresses, desk.commands.choice)
    desk.outcome.service = spec.service
    again = f"./inv vault.put {desk.commands.choice} --service {spec.service} --key {spec.key}"
    consent.require_in_production(
        desk.console,
        desk.environment,
        f"put {spec.service} {spec.key}",
        f"{again} --yes",
        yes=yes,
    )
    value = _asked(spec, again)
    keys.redactor.learn(*(() if spec.is_plain else (value,)))
    _require_fit(spec, value, again)
    path = secrets_path(desk.project.name, keys.environment, spec.service)
    written = write_keys(desk.store, path, {spec.key: value})
    _tell(desk, spec, written.version, is_new=written.is_new)


def _tell(desk: Desk, spec: SecretSpec, version: int, *, is_new: bool) -> None:
    desk.outcome.facts |= {"service": spec.service, "key": spec.key, "version": version}
    if not is_new:
        desk.outcome.outcome = "nothing to do"
        desk.console.line(f"{spec.service} {spec.key} already has this value, in version {version}")
        return
    desk.outcome.changes = [f"put {spec.service} {spec.key}: version {version}"]
    desk.console.line(f"{spec.service} {spec.key} is in the store, version {version}", "green")
    names = readers(spec.place, desk.keys.specs, desk.keys.addresses)
    steps = [desk.say(f"{name}.setup") for name in names]
    desk.outcome.facts["redeploy"] = steps
    for step in steps:
        desk.console.line(f"→ {step} brings it to what runs")


def _asked(spec: SecretSpec, again: str) -> Secret:
    """Give the value from a prompt without echo, or all of stdin without its last line end."""
    if sys.stdin.isatty():
        return Secret(getpass.getpass(f"value of {spec.service} {spec.key} (it is not shown): "))
    try:
        plain = sys.stdin.buffer.read(2 * LARGEST).decode()
    except UnicodeDecodeError:
        raise BadInput(
            f"{spec.service} {spec.key}: what came on stdin is no UTF-8 text", next_step=again
        ) from None
    return Secret(plain.removesuffix("\n").removesuffix("\r"))


def _require_fit(spec: SecretSpec, value: Secret, again: str) -> None:
    size = len(value.reveal().encode(errors="surrogatepass"))
    fault = spec.fault(value) or (f"is over {LARGEST} bytes" if size > LARGEST else "")
    if fault:
        raise BadInput(f"{spec.service} {spec.key} {fault}; nothing was written", next_step=again)
