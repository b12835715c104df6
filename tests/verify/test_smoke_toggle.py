"""A write that is taken back, whatever happens in the middle."""

from __future__ import annotations

import json

import pytest

from infra.model.answer import Answer, Category, NoAnswer
from infra.model.smoke import Toggle
from infra.verify.smoke_toggle import toggle_fault

PING = Toggle(read="/ping", key="state")
SILENCE = NoAnswer(Category.TIMEOUT, "not done in time", 1.0, "http://localhost/ping")


class Switch:
    """A state in memory; `silent` reads by their number get no answer, `stuck` flips change nothing."""

    def __init__(self, *, silent: tuple[int, ...] = (), stuck: tuple[int, ...] = (), fault: str = "") -> None:
        self.state, self.reads, self.flips = "ping", 0, 0
        self.silent, self.stuck, self.fault = silent, stuck, fault

    def read(self) -> Answer | NoAnswer:
        """Give the answer to a read of the state."""
        self.reads += 1
        if self.reads in self.silent:
            return SILENCE
        return Answer(200, {}, json.dumps({"state": self.state}).encode(), 1.0, "http://localhost/ping")

    def flip(self) -> str:
        """Give what is wrong with the answer to a flip."""
        self.flips += 1
        if self.flips not in self.stuck:
            self.state = "pong" if self.state == "ping" else "ping"
        return self.fault


CASES: dict[str, tuple[Switch, str, str, int]] = {
    "changed and restored": (Switch(), "", "ping", 2),
    "a change that is not kept": (Switch(stuck=(1,)), "state is still 'ping'", "ping", 1),
    "a bad answer to the change": (Switch(fault="500"), "500", "ping", 2),
    "a bad answer and no change": (Switch(fault="500", stuck=(1,)), "500", "ping", 1),
    "a middle check that cannot read": (Switch(silent=(2,)), "state unknown after the change", "ping", 2),
    "a restore that does nothing": (
        Switch(stuck=(2,)),
        "NOT RESTORED: state was 'ping', now 'pong'",
        "pong",
        2,
    ),
    "a restore that cannot be checked": (
        Switch(silent=(4,)),
        "NOT RESTORED: state was 'ping', now unknown",
        "ping",
        2,
    ),
    "a state that is unknown before the restore": (Switch(silent=(2, 3)), "NOT RESTORED", "pong", 1),
    "a state that cannot be read beforehand": (Switch(silent=(1,)), "nothing written", "ping", 0),
}


@pytest.mark.parametrize(("switch", "fault", "state", "flips"), CASES.values(), ids=CASES)
def test_the_state_is_restored_where_it_is_known_and_it_is_said_where_not(
    switch: Switch, fault: str, state: str, flips: int
) -> None:
    said = toggle_fault(PING, switch.read, switch.flip)
    assert (said == "") if not fault else (fault in said)
    assert (switch.state, switch.flips) == (state, flips)


def test_an_interrupt_in_the_middle_restores_first() -> None:
    switch = Switch()

    def interrupted() -> str:
        switch.flip()
        if switch.flips == 1:
            raise KeyboardInterrupt
        return ""

    with pytest.raises(KeyboardInterrupt):
        toggle_fault(PING, switch.read, interrupted)
    assert switch.state == "ping"
