"""Does what runs match what was sent? Decided on facts of the running processes alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infra.model.observed import Observed, Running
from infra.model.unit import Bundle


def mismatches(
    observed: Observed,
    bundles: Mapping[str, Bundle],
    started_units: frozenset[str],
    before: Observed,
    deploy: str,
) -> list[str]:
    """Give a line for each fact that speaks against the deploy; none when all of them agree.

    `started_units` had to start in this deploy; `before` is what was seen ahead of it.
    """
    return [
        *_units(observed, bundles, started_units, before, deploy),
        *(f"{one.unit}: {one.identity} is left from bundle {one.bundle[:12]}" for one in observed.strangers),
    ]


def _units(
    observed: Observed,
    bundles: Mapping[str, Bundle],
    started_units: frozenset[str],
    before: Observed,
    deploy: str,
) -> Iterator[str]:
    for bundle in bundles.values():
        for unit in bundle.units:
            running = observed.running(unit.name)
            if running is None:
                yield f"{unit.name}: does not run"
                continue
            if running.bundle != bundle.digest:
                yield f"{unit.name}: runs bundle {running.bundle[:12]}, sent was {bundle.digest[:12]}"
            if unit.name in started_units:
                yield from _fresh(running, before.running(unit.name), deploy)


def _fresh(running: Running, before: Running | None, deploy: str) -> Iterator[str]:
    if running.deploy != deploy:
        yield f"{running.unit}: carries deploy {running.deploy or 'none'}, not {deploy}"
    if before is not None and before.identity == running.identity:
        yield f"{running.unit}: accepted but not recreated, {running.identity} ran before this deploy"
