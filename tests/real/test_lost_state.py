"""A state that was deleted while the stack ran: every next step that is printed leads on."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.real.conftest import Done
from tests.real.test_cleanup_dev import Apart
from tests.real.testing_stack import variables_of

pytestmark = pytest.mark.real
STEP = re.compile(r"^→ .*?\./inv (.+)$", re.MULTILINE)


class Losing(Apart):
    """A stack of which parts are deleted while it runs."""

    def follow(self, *words: str) -> list[str]:
        """Run a command, then each next step that is printed, literally, until one ends well; give them."""
        walked: list[str] = []
        done = self.do(*words)
        while done.code:
            walked.append(self.next_of(done))
            assert walked[-1].partition(" ")[0].rpartition(".")[2] in {"setup", "destroy"}, done.err
            assert len(walked) <= 2, f"{walked}\n{done.err}"
            done = self.do(*walked[-1].split())
        return walked

    @staticmethod
    def next_of(done: Done) -> str:
        found = STEP.findall(done.err)
        assert found, done.err
        assert "fault of this tool" not in done.err
        return str(found[-1])

    def lose(self, *places: Path) -> None:
        for place in places:
            shutil.rmtree(place) if place.is_dir() else place.unlink()

    def require_serving(self) -> None:
        done = self.do("finance_report.status")
        assert done.code == 0, done.out + done.err
        assert len(self.keepers()) == 1

    def keepers(self) -> list[int]:
        """Give the supervisors of this checkout, whether their folder is there or not."""
        found = ((one.pid, variables_of(one)) for one in psutil.process_iter())
        mine = ((pid, known) for pid, known in found if known.get("INFRA_CHECKOUT") == self.checkout_id)
        return [pid for pid, known in mine if "INFRA_UNIT" not in known]

    @property
    def memory(self) -> Path:
        return Path(f"/dev/shm/finance_report-{os.getuid()}") / self.checkout_id

    @property
    def share(self) -> Path:
        return self.checkout.folder / "share/finance_report/secrets" / self.checkout_id


@pytest.fixture(scope="module")
def stack() -> Iterator[Losing]:
    made = Losing()
    try:
        written = (made.checkout.root / "invoke.local.yaml").read_text(encoding="utf-8")
        made.checkout.settings(f"{written}object_store: none\n")
        yield made
    finally:
        made.remove()


def test_a_state_that_was_deleted_is_no_dead_end(stack: Losing) -> None:
    assert stack.do("finance_report.setup").code == 0
    old = stack.units()["supervisor"]
    stack.lose(stack.state.parent)
    status = stack.do("finance_report.status")
    assert (status.code, f"pid {old.pid} goes on without its folder" in status.out) == (1, True), status.out
    assert stack.next_of(status) == "finance_report.setup"
    assert stack.do("finance_report.plan").code == 3
    leaking, sections = stack.sections()
    names = [one["name"] for one in sections["run list and cache"]["items"]]
    assert leaking.code == 1, leaking.err
    assert any(f"the lost supervisor of local (pid {old.pid})" in one for one in names), names
    assert f"supervisor (pid {old.pid})" in stack.do("cleanup.dev", "--dry-run").out
    assert stack.follow("finance_report.setup") == ["finance_report.setup --init"]
    stack.require_serving()
    assert not old.is_running()
    assert stack.sections()[0].code == 0


@pytest.mark.parametrize(
    "words", [["finance_report.down"], ["cleanup.dev", "--all", "--yes"], ["finance_report.destroy", "--yes"]]
)
def test_what_lost_its_state_is_ended_by_each_command_that_ends(stack: Losing, words: list[str]) -> None:
    stack.follow("finance_report.setup")
    stack.lose(stack.state)
    done = stack.do(*words)
    assert done.code == 0, done.err
    assert stack.units() == {}
    assert stack.sections()[0].code == 0
    assert "nothing was running" in stack.do("finance_report.down").err


def rows(stack: Losing) -> list[tuple[int]]:
    return stack.sql("SELECT n FROM precious", "finance_report")


KEEPS: dict[str, Callable[[Losing], list[Path]]] = {
    "the socket and the units": lambda stack: [stack.state / "run"],
    "the ports": lambda stack: [stack.state / "ports.json"],
    "the snapshots": lambda stack: [stack.state / "releases"],
    "the secrets": lambda stack: [stack.share / "local.json"],
    "the records": lambda stack: [stack.share / "local.state.json"],
    "the rendered files": lambda stack: [stack.memory],
}


def test_each_part_alone_comes_back_and_no_data_go(stack: Losing) -> None:
    stack.follow("finance_report.setup")
    stack.sql("CREATE TABLE precious AS SELECT 42 AS n", "finance_report")
    for name, places in KEEPS.items():
        stack.lose(*places(stack))
        assert stack.follow("finance_report.setup") == [], name
        stack.require_serving()
        assert rows(stack) == [(42,)], name


def test_data_that_are_gone_are_never_replaced_unasked(stack: Losing) -> None:
    stack.follow("finance_report.setup")
    stack.lose(stack.state / "data")
    assert stack.follow("finance_report.setup") == ["finance_report.setup --init"]
    stack.require_serving()


def test_data_whose_password_is_lost_are_said_to_be_and_the_way_on_is_a_new_start(stack: Losing) -> None:
    stack.follow("finance_report.setup")
    stack.lose(stack.share / "local.json", stack.memory)
    refused = stack.do("finance_report.setup")
    assert "the store has lost the secrets" in refused.err
    assert stack.next_of(refused) == "finance_report.destroy"
    assert stack.do("finance_report.destroy", "--yes").code == 0
    assert stack.follow("finance_report.setup") == []
    stack.require_serving()
