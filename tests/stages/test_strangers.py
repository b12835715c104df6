"""Beside other stacks: what nobody wrote makes way, what is soft blocks nobody, what is written stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra import deploy, reports
from infra.dev.seat import Seat
from infra.model.errors import PortTaken
from infra.model.verdict import Outcome, Verdict
from infra.session import Request, Session
from infra.stages import prove
from infra.stages.ports import strangers
from tests.stages import machine
from tests.stages.machine import held

LOUD = ("backend", "frontend", "postgres", "redis", "router")
ALL = Request(("postgres", "redis", "router", "app", "minio"))
APP = Request(("app",))


@pytest.fixture
def ours(tmp_path: Path) -> Session:
    return machine.session(tmp_path)


@pytest.fixture(autouse=True)
def _proven_by_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deploy is good when nobody else has a port of what it started."""

    def gate(session: Session, attempt: Any, _stage: object) -> Verdict:
        found = strangers(session, attempt.picture)
        return Verdict(ok=not found, category="exited", cause="it ended with code 1" if found else "")

    monkeypatch.setattr(prove, "PROVERS", {"gate": gate})


@pytest.fixture
def stranger() -> Iterator[Callable[[int], None]]:
    with ExitStack() as stack:
        yield lambda port: stack.enter_context(held(port))


def recorded(session: Session) -> dict[str, int]:
    found: dict[str, int] = json.loads((session.ports.root / "ports.json").read_text(encoding="utf-8"))
    return found


def moved(session: Session, before: dict[str, int]) -> dict[str, int]:
    """Give how far each name is now from where it was, those that stayed left out."""
    return {name: port - before[name] for name, port in session.ports.now.items() if port != before[name]}


def changes(session: Session, kind: str) -> list[str]:
    return [step for step in session.outcome.changes if step.startswith(kind)]


def test_a_recorded_port_that_a_stranger_holds_moves_the_block_as_the_first_step(
    ours: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dict(ours.ports.now)
    with held(before["postgres"]):
        deploy.setup(ours, APP)
    said = capsys.readouterr().err
    assert ours.outcome.outcome == "deployed"
    assert moved(ours, before) == dict.fromkeys(LOUD, 100)
    assert recorded(ours) == ours.ports.now
    assert f"move ports backend {before['backend'] + 100}, " in said
    assert f": {before['postgres']} is held by " in ours.outcome.changes[0]
    url = ours.keys.readable()["app"]["DATABASE_URL"].reveal()
    assert f":{before['postgres'] + 100}/" in url


def test_a_plan_shows_the_move_and_writes_nothing(ours: Session) -> None:
    before = dict(ours.ports.now)
    with held(before["router"]):
        deploy.show(ours, APP)
    assert (ours.outcome.exit_code, len(changes(ours, "move ports"))) == (3, 1)
    assert recorded(ours) == before
    assert ours.target.done == []  # type: ignore[attr-defined]


def test_what_runs_stays_where_it_is_and_what_depends_on_the_move_follows_it(ours: Session) -> None:
    deploy.setup(ours, APP)
    before = dict(ours.ports.now)
    del ours.target.units["backend"]  # type: ignore[attr-defined]
    ours.outcome.changes.clear()
    with held(before["backend"]):
        deploy.setup(ours, APP)
    assert moved(ours, before) == {"backend": 100}
    assert [step.split(":")[0] for step in changes(ours, "restart")] == [
        "restart unit router",
        "restart unit frontend",
    ]


def test_a_port_that_is_lost_on_the_way_moves_the_block_and_the_same_command_goes_on(
    ours: Session, stranger: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = dict(ours.ports.now)

    def rob(unit: str) -> None:
        if ours.ports.now["backend"] == before["backend"] and unit == "backend":
            stranger(before["backend"])

    ours.target.on_start = rob  # type: ignore[attr-defined]
    deploy.setup(ours, APP)
    assert ours.outcome.outcome == "deployed"
    assert moved(ours, before) == dict.fromkeys(LOUD, 100)
    assert [step.split(":")[0].split()[-1] for step in changes(ours, "stop unit")] == [
        *("minio", "frontend", "backend", "router", "redis", "postgres"),
    ]
    assert "the deploy goes on with other ports" in capsys.readouterr().err
    assert [one.verdict for one in ours.records.all("app")] == ["ok"]


def test_a_soft_parts_port_that_is_lost_on_the_way_moves_that_part_alone(
    ours: Session, stranger: Callable[[int], None]
) -> None:
    before = dict(ours.ports.now)

    def rob(unit: str) -> None:
        if unit == "minio" and ours.ports.now == before:
            stranger(before["minio_admin"])

    ours.target.on_start = rob  # type: ignore[attr-defined]
    deploy.setup(ours, APP)
    assert ours.outcome.outcome == "deployed"
    assert moved(ours, before) == dict.fromkeys(machine.QUIET, 100)
    living = ours.target.running()
    assert {one.deploy for one in living} == {one.deploy for one in ours.records.all("app")}


def test_a_deploy_whose_every_block_is_lost_ends_after_a_few_moves(
    ours: Session, stranger: Callable[[int], None]
) -> None:
    def rob(unit: str) -> None:
        if unit == "redis":
            stranger(ours.ports.now[unit])

    ours.target.on_start = rob  # type: ignore[attr-defined]
    deploy.setup(ours, APP)
    assert ours.outcome.outcome == "failed"
    assert len(changes(ours, "move ports")) == deploy.MOVES
    (error,) = ours.outcome.errors
    assert "for redis is held by" in str(error)
    assert "repeat the command: it takes other ports" in str(error)


def test_a_plan_that_was_agreed_to_is_not_carried_out_on_other_ports(
    ours: Session, stranger: Callable[[int], None]
) -> None:
    deploy.show(ours, APP)
    agreed = replace(APP, plan=ours.outcome.facts["plan"])
    ours.target.on_start = lambda unit: stranger(ours.ports.now[unit])  # type: ignore[attr-defined]
    deploy.setup(ours, agreed)
    assert ours.outcome.outcome == "failed"
    assert changes(ours, "move ports") == []


def test_a_port_that_another_checkout_chose_meanwhile_is_left_to_it(
    ours: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(ours.ports.now)
    beside = tmp_path / "two" / "local" / "ports.json"

    def claim(*_: object) -> str:
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps({"router": before["router"] + 100}), encoding="utf-8")
        return ""

    monkeypatch.setattr(deploy, "check", claim)
    with held(before["redis"]):
        deploy.setup(ours, APP)
    assert ours.outcome.outcome == "deployed"
    assert moved(ours, before) == dict.fromkeys(LOUD, 200)
    assert recorded(ours) == ours.ports.now


def test_a_soft_part_moves_alone_also_for_one_of_its_further_ports(ours: Session) -> None:
    before = dict(ours.ports.now)
    with held(before["minio_filer"]):
        deploy.setup(ours, APP)
    assert moved(ours, before) == dict.fromkeys(machine.QUIET, 100)
    assert ours.keys.readable()["app"]["S3_ENDPOINT"].reveal().endswith(f":{before['minio'] + 100}")


@pytest.mark.parametrize("request_", [APP, ALL], ids=["app", "all"])
def test_a_soft_part_with_a_written_port_that_is_held_is_left_out_with_a_line(
    tmp_path: Path, request_: Request, capsys: pytest.CaptureFixture[str]
) -> None:
    first = machine.usual()
    ours = machine.session(tmp_path, {"minio": first["minio"] + 50}, first)
    with held(ours.ports.now["minio"]):
        deploy.setup(ours, request_)
        assert ours.outcome.outcome == "deployed"
        assert "minio" not in ours.target.living()
        said = capsys.readouterr().err
        assert f"! minio is left out: port {first['minio'] + 50} for minio is held by " in said
        assert "write another number: ports: {minio: N}" in ours.outcome.facts["not_started"]["minio"]
        with pytest.raises(PortTaken, match="for minio is held by"):
            deploy.setup(replace(ours, outcome=Outcome("setup", "local")), Request(("minio",)))


def test_written_ports_are_never_moved_and_one_error_names_all_of_them_and_their_holders(
    tmp_path: Path,
) -> None:
    first = machine.usual()
    numbers = {name: first[name] + 50 for name in ("postgres", "router")}
    ours = machine.session(tmp_path, numbers, first)
    both = held(numbers["postgres"]), held(numbers["router"])
    with both[0], both[1], held(first["redis"]), pytest.raises(PortTaken) as raised:
        deploy.setup(ours, APP)
    for name, port in numbers.items():
        assert f"port {port} for {name} is held by " in raised.value.message
    assert "redis" not in raised.value.message
    assert (
        raised.value.next_step == "write other numbers: ports: {postgres: N, router: N} in invoke.local.yaml"
    )
    assert ours.target.done == []  # type: ignore[attr-defined]
    assert recorded(ours)["redis"] == first["redis"]


def test_a_written_port_that_is_lost_on_the_way_is_the_cause_that_is_told(
    tmp_path: Path, stranger: Callable[[int], None]
) -> None:
    first = machine.usual()
    ours = machine.session(tmp_path, {"backend": first["backend"] + 50}, first)
    ours.target.on_start = lambda unit: stranger(ours.ports.now[unit]) if unit == "backend" else None  # type: ignore[attr-defined]
    deploy.setup(ours, APP)
    assert ours.outcome.outcome == "failed"
    (error,) = ours.outcome.errors
    assert f"port {first['backend'] + 50} for backend is held by " in str(error)
    assert "write another number: ports: {backend: N}" in str(error)


def test_the_doctor_names_the_ports_in_force_and_the_strangers_on_them(ours: Session) -> None:
    now = ours.ports.now
    with held(now["redis"]):
        reports.doctor(ours)
    facts = ours.outcome.facts
    assert facts["port postgres"] == str(now["postgres"])
    assert facts["port redis"].startswith(f"{now['redis']} (held by ")
    assert facts["limits health deadline"] == "60 s"


def test_a_development_server_by_itself_takes_another_port_than_a_strangers(ours: Session) -> None:
    before, service = dict(ours.ports.now), ours.project.service("app")
    place = Seat(ours, service, service.parts[0], is_alone=True)
    with held(before["backend"]):
        place.make_room()
        place.require_free()
    assert moved(ours, before) == {"backend": 100}
    assert place.address.endswith(f":{before['backend'] + 100}")
    assert recorded(ours) == ours.ports.now


def test_a_rollback_brings_the_release_back_on_the_ports_of_now(ours: Session) -> None:
    deploy.setup(ours, APP)
    deploy.setup(replace(ours, release="b" * 40), APP)
    before = dict(ours.ports.now)
    ours.target.units.clear()  # type: ignore[attr-defined]
    with held(before["backend"]):
        deploy.setup(replace(ours, release="b" * 40), APP)
        deploy.rollback(ours, APP, "")
    newest = ours.records.newest("app")
    assert newest is not None
    assert newest.bundle is not None
    assert newest.release == "a" * 40
    assert {unit.name: unit.port for unit in newest.bundle.units} == {
        name: before[name] + 100 for name in ("backend", "frontend")
    }
