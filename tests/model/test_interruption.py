"""What the first signal, a second one and the doubles of a closing terminal ask of a command."""

from __future__ import annotations

import pytest

from infra.model.interruption import Interrupted, Interruption, LeftAtOnce

INT, TERM, HUP = 2, 15, 1


@pytest.mark.parametrize(("number", "code"), [(INT, 130), (TERM, 143), (HUP, 129)])
def test_by_itself_the_first_signal_raises_where_it_arrives(number: int, code: int) -> None:
    with pytest.raises(Interrupted) as ended:
        Interruption().arrive(number, 0.0)
    assert ended.value.exit_code == code


def test_while_it_is_held_it_waits_for_the_next_place_and_is_raised_once() -> None:
    stop = Interruption()
    with stop.held():
        stop.arrive(TERM, 0.0)
        with pytest.raises(Interrupted):
            stop.require()
        stop.require()
    stop.require()


def ended(
    stop: Interruption, *signals: tuple[int, float], then: Exception | None = None
) -> BaseException | None:
    """Give what a way back raises in which these signals arrive, and then perhaps something fails."""
    try:
        with stop.held(), stop.deferred():
            for signal in signals:
                stop.arrive(*signal)
            stop.require()
            if then:
                raise then
    except (Interrupted, ValueError) as error:
        return error
    return None


def test_what_is_still_due_at_the_end_of_the_body_is_raised_there() -> None:
    assert isinstance(ended(Interruption(), (INT, 0.0)), Interrupted)
    assert ended(Interruption()) is None


def test_a_failure_of_the_body_is_told_before_the_signal() -> None:
    stop, failure = Interruption(), ValueError("first")
    assert ended(stop, (INT, 0.0), then=failure) is failure
    assert stop.is_due


@pytest.mark.parametrize("first", [INT, TERM, HUP])
@pytest.mark.parametrize("second", [INT, TERM])
def test_a_second_signal_leaves_at_once_also_from_a_way_back(first: int, second: int) -> None:
    left = ended(Interruption(), (first, 10.0), (second, 11.0))
    assert isinstance(left, LeftAtOnce)
    assert left.number == first


@pytest.mark.parametrize(("again", "at"), [(HUP, 99.0), (INT, 10.1), (TERM, 10.2)])
def test_a_terminal_that_hangs_up_twice_and_one_press_that_comes_twice_are_one_signal(
    again: int, at: float
) -> None:
    stop = Interruption()
    with stop.held():
        stop.arrive(HUP, 10.0)
        stop.arrive(again, at)
        with pytest.raises(Interrupted):
            stop.require()
    assert stop.arrived == [HUP]
