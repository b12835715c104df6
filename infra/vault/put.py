"""Puts one operator key. Its value comes from stdin or a prompt; no argument ever holds it."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from infra import consent
from infra.model.errors import BadInput
from infra.model.invisible import invisible
from infra.model.secret import WHITE_SPACE, Secret, SecretSpec
from infra.plan.consumers import readers
from infra.plan.key_choice import to_put
from infra.store.paths import secrets_path
from infra.vault.one_key import write_keys

if TYPE_CHECKING:
    from infra.vault.desk import Desk

TRIES = 3
LARGEST = 64 * 1024  # what reads it gets it as an environment variable, and those end at 128 KiB


def put(desk: Desk, service: str, key: str, *, yes: bool, as_is: bool = False) -> None:
    """Write the key and say what brings it to its service; the value that stands already is left alone.

    A person is asked again for a value that cannot be right; `as_is` takes characters that nobody sees.
    """
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
    value = _asked(desk, spec, again, as_is=as_is)
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


def _asked(desk: Desk, spec: SecretSpec, again: str, *, as_is: bool) -> Secret:
    """Give a value that fits; a person may type it three times. BadInput says what is wrong with it."""
    tries = TRIES if sys.stdin.isatty() else 1
    for left in reversed(range(tries)):
        value = _typed(spec, again) if tries > 1 else _piped()
        desk.keys.redactor.learn(*(() if spec.is_plain or value is None else (value,)))
        fault = "is no UTF-8 text" if value is None else _fault(spec, value, as_is=as_is)
        if value is not None and not fault:
            return value
        words = f"{spec.service} {spec.key} {fault}; nothing was written"
        if not left:
            raise BadInput(words, next_step=again)
        desk.console.line(f"! {words}. Once more:", "yellow")
    raise AssertionError  # the last try returns or raises


def _typed(spec: SecretSpec, again: str) -> Secret | None:
    """Give what was typed at a prompt without echo; None where it is no text."""
    try:
        return Secret(getpass.getpass(f"value of {spec.service} {spec.key} (it is not shown): "))
    except UnicodeDecodeError:
        return None
    except EOFError:
        raise BadInput(f"{spec.service} {spec.key}: no value was typed", next_step=again) from None


def _piped() -> Secret | None:
    """Give all of stdin without its last line end; None where it is no text."""
    try:
        plain = sys.stdin.buffer.read(2 * LARGEST).decode()
    except UnicodeDecodeError:
        return None
    return Secret(plain.removesuffix("\n").removesuffix("\r"))


def _fault(spec: SecretSpec, value: Secret, *, as_is: bool) -> str:
    """Give what is wrong with a value in words that do not show it; empty when nothing is."""
    plain = value.reveal()
    if len(plain.encode(errors="surrogatepass")) > LARGEST:
        return f"is over {LARGEST} bytes"
    seen, fault = invisible(plain), spec.fault(value)
    if fault:
        return seen if seen and fault == WHITE_SPACE else fault
    return "" if as_is or not seen else f"{seen} (--as-is takes it)"
