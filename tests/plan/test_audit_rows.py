"""What the facts of the secrets audit mean, with the time that each speaks of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.model.errors import CannotTell, KnownBad
from infra.plan.agent_log import errors_since, window
from infra.plan.audit_rows import NAMES, Reader, Rendered, Row, State, consumers_row, rendered_row, verdict

NOW = 10_000.0
KEYS = frozenset({"A", "B"})
RENDERED: dict[str, tuple[Rendered, float, State]] = {
    "as stored": (Rendered("", KEYS), NOW, "ok"),
    "not there": (Rendered("is not there"), NOW, "fail"),
    "without a key": (Rendered("", frozenset({"A"})), NOW, "fail"),
    "behind for nine minutes": (Rendered("", KEYS, is_current=False), NOW - 540, "ok"),
    "behind for eleven minutes": (Rendered("", KEYS, is_current=False), NOW - 660, "fail"),
}
READERS: dict[str, tuple[list[Reader], State]] = {
    "all on the newest": ([Reader("a", 1.0, 4), Reader("b", 1.0, 4)], "ok"),
    "one on an older": ([Reader("a", 1.0, 4), Reader("b", 1.0, 3)], "fail"),
    "no record, started after": ([Reader("a", 600.0, None)], "ok"),
    "no record, started before": ([Reader("a", 400.0, None)], "fail"),
    "nothing runs": ([], "unknown"),
}
VERDICTS: dict[tuple[State, ...], type[Exception] | None] = {
    ("ok", "skipped"): None,
    ("ok", "unknown"): CannotTell,
    ("unknown", "fail"): KnownBad,
    ("skipped",): None,
}
LOG = """
2026-11-21T10:00:00.123Z [ERROR] agent.auth.handler: error authenticating: Code: 403. permission denied
2026-11-21T11:30:00.123Z [INFO]  agent: rendered permission denied
2026-11-21T11:31:00.123Z [ERROR] agent: (runner) map has no entry for key "K"
2026-11-21T11:32:00.123Z [ERROR] agent.auth.handler: Code: 503. Vault is sealed
a banner without a moment: permission denied
"""


@pytest.mark.parametrize("name", RENDERED)
def test_a_rendered_file_may_be_behind_for_ten_minutes(name: str) -> None:
    seen, changed, state = RENDERED[name]
    assert rendered_row("app", seen, KEYS, changed, NOW, "./inv x").state == state


@pytest.mark.parametrize("name", READERS)
def test_who_runs_on_an_old_version_is_told_by_its_record_or_its_start(name: str) -> None:
    readers, state = READERS[name]
    assert consumers_row("app", readers, 4, 500.0, "./inv x").state == state


@pytest.mark.parametrize("states", VERDICTS)
def test_one_fail_is_1_only_unknowns_are_2_and_skipped_rows_do_not_count(states: tuple[State, ...]) -> None:
    rows = [Row(3, str(number), state, "seen", f"./inv {state}") for number, state in enumerate(states)]
    found, wanted = verdict(rows), VERDICTS[states]
    assert type(found) is (wanted or type(None))
    if found is not None:
        assert found.next_step == ("./inv fail" if wanted is KnownBad else "./inv unknown")


def test_there_are_thirteen_rows_each_with_a_name_and_a_window() -> None:
    rows = [Row(number, "", "ok", "") for number in NAMES]
    assert [row.number for row in rows] == list(range(1, 14))
    assert all(row.name and row.window for row in rows)


def test_only_errors_of_the_last_hour_that_a_person_has_to_mend_count() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert errors_since(LOG.splitlines(), window(noon)) == ("template error",)
    assert errors_since(LOG.splitlines(), noon - timedelta(days=1)) == ("denied", "template error")


@pytest.mark.parametrize(
    ("reason", "found"),
    [("wrap_invalid", ("refused wrapping",)), ("wrap_foreign", ("refused wrapping",)), ("denied", ())],
)
def test_a_refused_wrapping_of_the_entry_point_counts(reason: str, found: tuple[str, ...]) -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    line = (
        f'[VAULT-AGENT] at=2026-11-21T11:30:00Z state=fail deploy=d-1 reason={reason} msg="It is not valid"'
    )
    assert errors_since([line], window(noon)) == found
    assert errors_since([line], noon) == ()
