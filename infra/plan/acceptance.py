"""Acceptance decided: rows read from text, rows chosen, and what evidence makes of a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Any

import yaml
from pydantic import ValidationError

from infra.model import yaml_text
from infra.model.acceptance import Area, Evidence, Finding, Row, State
from infra.model.errors import BadInput

WORST_FIRST: tuple[State, ...] = ("fail", "unknown", "ok")


def parse_area(text: str, file: str) -> Area:
    """Give the area that a YAML text declares; BadInput names file, row and key of every fault."""
    try:
        return Area.model_validate(yaml_text.parse(text))
    except yaml.YAMLError as error:
        raise _refused([f"{file}: {yaml_text.words(error)}"]) from error
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise _refused([f"{file}: {_fault(one)}" for one in details]) from error


def _fault(detail: Any) -> str:
    return f"{'/'.join(map(str, detail['loc']))}: {detail['msg'].removeprefix('Value error, ')}"


def _refused(faults: Sequence[str]) -> BadInput:
    return BadInput(faults[0], next_step="correct the rows of acceptance", evidence=tuple(faults[1:]))


def require_once(areas: Iterable[Area]) -> None:
    """Refuse rows or areas that are there twice, all at once."""
    areas = list(areas)
    names = Counter(chain((area.area for area in areas), (row.id for area in areas for row in area.rows)))
    doubled = [f"{name}: it is there {count} times" for name, count in names.items() if count > 1]
    if doubled:
        raise _refused(doubled)


def choose(areas: Sequence[Area], ids: Sequence[str], names: Sequence[str]) -> tuple[Area, ...]:
    """Give the areas cut down to the rows that are asked for, all of them when nothing is.

    BadInput for an id or an area that is not there names the nearest ones.
    """
    wanted_ids = [_known(one, [row.id for area in areas for row in area.rows], "--id") for one in ids]
    wanted_areas = [_known(one, [area.area for area in areas], "--area") for one in names]
    if not wanted_ids and not wanted_areas:
        return tuple(areas)
    cut = (
        area.model_copy(update={"rows": tuple(row for row in area.rows if row.id in wanted_ids)})
        if area.area not in wanted_areas
        else area
        for area in areas
    )
    return tuple(area for area in cut if area.rows)


def _known(asked: str, known: Sequence[str], flag: str) -> str:
    name = asked.strip().upper()
    if name in known:
        return name
    near = get_close_matches(name, known, n=5, cutoff=0.5) or known
    shown = ", ".join(near[:20])
    raise BadInput(
        f"{flag} {asked!r}: no such row; near are {shown}"
        if flag == "--id"
        else f"{flag} {asked!r}: no such area; there are {', '.join(known)}",
        next_step=f"./inv accept {flag} {near[0]}",
    )


def judge(row: Row, seen: Sequence[Evidence]) -> Finding:
    """Give what the evidence makes of a row: the worst of it, and never ok without its real components."""
    if row.unknown:
        return Finding(row, "unknown", row.unknown)
    state: State = min((one.state for one in seen), key=WORST_FIRST.index, default="unknown")
    missing = sorted(row.components.difference(*(one.real for one in seen)))
    texts = list(dict.fromkeys(one.text for one in sorted(seen, key=_weight)))
    if state == "ok" and missing:
        state, texts = "unknown", [f"without a real {', '.join(missing)}", *texts]
    return Finding(row, state, "; ".join(texts))


def _weight(one: Evidence) -> int:
    return WORST_FIRST.index(one.state)


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Give how many rows are in each state."""
    number = Counter(one.state for one in findings)
    return {state: number[state] for state in ("ok", "fail", "unknown")}


def proven_by(outcomes: Mapping[str, Mapping[str, Any]], nodes: Sequence[str]) -> Evidence:
    """Give what the outcomes of a test run say about these nodes; a node may stand for many tests.

    `outcomes` has an entry for each test: `outcome` (passed, failed or skipped), `said`, and the `real`
    components that the test started.
    """
    found = {node: [test for test in outcomes if _is_of(test, node)] for node in nodes}
    absent = [node for node, tests in found.items() if not tests]
    ran = {test: outcomes[test] for tests in found.values() for test in tests}
    bad = {test: one for test, one in ran.items() if one["outcome"] == "failed"}
    skipped = [f"{test}: {one['said']}" for test, one in ran.items() if one["outcome"] == "skipped"]
    real = frozenset(chain.from_iterable(one["real"] for one in ran.values()))
    if bad:
        lines = [f"{test} failed: {one['said']}" for test, one in bad.items()]
        return Evidence("fail", "; ".join(lines), real)
    if absent or skipped:
        lines = [f"{node} was not run" for node in absent] + skipped
        return Evidence("unknown", "; ".join(lines), real)
    return Evidence("ok", f"pytest: {len(ran)} passed of {', '.join(nodes)}", real)


def _is_of(test: str, node: str) -> bool:
    return test == node or test.startswith((f"{node}[", f"{node}::"))
