"""The supervisor with real processes: order of needs, restarts, its own death, adoption, doubles."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from infra.model.service import Health
from infra.model.unit import Unit
from infra.targets.process import door, logfiles, processes
from infra.targets.process.client import Client
from infra.targets.process.supervisor import Supervisor
from tests.proven import KEY, marks_of
from tests.waiting import until

SERVER = """
import http.server, os, sys
print("started", os.environ["INFRA_UNIT"], flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


CHATTER = """
import threading, time
def talk():
    while True:
        print("tick", flush=True)
        time.sleep(0.02)
threading.Thread(target=talk, daemon=True).start()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stage:
    """A run folder with a supervisor of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.marks = marks_of(uuid4().hex[:8])
        (root / "run").mkdir(parents=True)
        (root / "logs").mkdir()
        self.client = Client(root / "run", self.marks)

    def unit(self, name: str, code: str = SERVER, needs: tuple[str, ...] = ()) -> Unit:
        port = free_port()
        variables = {"INFRA_CHECKOUT": self.marks.checkout, "INFRA_ENV": "local", "INFRA_UNIT": name}
        return Unit(
            name=name,
            service=name,
            program="python",
            argv=(sys.executable, "-I", "-c", code, str(port)),
            directory=str(self.root),
            environment=(*sorted(variables.items()), ("PATH", os.environ["PATH"])),
            port=port,
            health=Health("answers", timeout=2),
            needs=needs,
        ).with_markers("b" * 64, "deploy-1")

    def start(self, unit: Unit) -> None:
        self.client.ask("start", unit=unit.as_json())

    def state(self, name: str) -> dict[str, object]:
        return self.client.units().get(name, {})

    def until_ready(self, name: str) -> None:
        until(lambda: self.state(name).get("state") == "ready")

    def supervisor(self) -> psutil.Process:
        return psutil.Process(int(self.client.ask("hello")["pid"]))

    def mains(self) -> dict[str, list[int]]:
        return {name: [p.pid for p, _ in found] for name, found in processes.mains(self.marks).items()}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    stage.client.start()
    yield stage
    if stage.client.running_version() is None:
        stage.client.start()
    for name in stage.mains():
        stage.client.ask("stop", name=name)
    stage.client.ask("shutdown")
    assert stage.mains() == {}


def test_a_unit_starts_only_when_what_it_needs_is_ready(stage: Stage) -> None:
    second = stage.unit("second", needs=("first",))
    stage.start(second)
    until(lambda: stage.state("second").get("state") == "waiting")
    assert stage.state("second")["why"] == "needs first"
    assert "second" not in stage.mains()
    stage.start(stage.unit("first"))
    stage.until_ready("second")


def test_a_unit_that_yields_starts_when_no_other_is_on_its_way(stage: Stage) -> None:
    door = stage.root / "door"
    stage.start(
        stage.unit(
            "slow",
            code=f"import os, time\nwhile not os.path.exists({str(door)!r}): time.sleep(0.01)\n{SERVER}",
        )
    )
    stage.start(replace(stage.unit("soft"), yields=True))
    until(lambda: stage.state("soft").get("why") == "lets the others start first")
    assert "soft" not in stage.mains()
    door.touch()
    stage.until_ready("soft")
    assert stage.state("slow")["state"] == "ready"


def test_a_unit_that_yields_does_not_wait_for_one_that_fails(stage: Stage) -> None:
    stage.start(stage.unit("bad", code="raise SystemExit(3)"))
    stage.start(replace(stage.unit("soft"), yields=True))
    stage.until_ready("soft")


def test_a_unit_that_dies_is_restarted_and_its_exits_are_counted(stage: Stage) -> None:
    stage.start(stage.unit("web"))
    stage.until_ready("web")
    first = stage.mains()["web"][0]
    os.kill(first, signal.SIGKILL)
    until(lambda: stage.state("web").get("exits") == 1)
    stage.until_ready("web")
    assert stage.mains()["web"] != [first]
    assert stage.state("web")["last_exit"] == "signal SIGKILL"


def test_a_crash_loop_backs_off_and_stays_a_fact(stage: Stage) -> None:
    stage.start(stage.unit("bad", code="raise SystemExit(3)"))
    until(lambda: int(str(stage.state("bad").get("exits", 0))) >= 3)
    assert stage.state("bad")["last_exit"] == "code 3"
    assert stage.state("bad")["state"] in {"restarting", "starting"}


def test_a_unit_whose_secrets_file_is_gone_is_not_ready_and_says_so(stage: Stage, tmp_path: Path) -> None:
    unit = stage.unit("cache")
    (tmp_path / "empty").write_text("", encoding="utf-8")
    named = (*unit.environment, ("INFRA_SECRETS_FILE", str(tmp_path / "empty")))
    stage.start(replace(unit, environment=named, health=Health("redis", timeout=2)))
    until(lambda: stage.state("cache").get("why") == "its secrets file cannot be used")


def test_a_program_that_is_missing_is_a_fact_and_no_crash_of_the_supervisor(stage: Stage) -> None:
    stage.start(replace(stage.unit("ghost"), argv=("/nowhere/program",)))
    until(lambda: stage.state("ghost").get("exits"))
    assert "cannot start /nowhere/program" in logfiles.tail(stage.root / "logs/ghost.log", 5).lines[0]


def test_killing_the_supervisor_ends_no_unit_and_the_next_one_adopts_them(stage: Stage) -> None:
    stage.start(stage.unit("web"))
    stage.until_ready("web")
    before = stage.mains()["web"]
    keeper = stage.supervisor()
    keeper.kill()
    psutil.wait_procs([keeper], timeout=5)
    assert stage.client.running_version() is None
    assert stage.mains()["web"] == before
    stage.client.start()
    stage.until_ready("web")
    assert stage.mains()["web"] == before
    os.kill(before[0], signal.SIGKILL)
    until(lambda: stage.mains().get("web") not in (None, before))
    stage.until_ready("web")


def test_a_unit_keeps_writing_its_log_after_the_supervisor_died(stage: Stage) -> None:
    stage.start(stage.unit("chatty", code=CHATTER + SERVER))
    stage.until_ready("chatty")
    stage.supervisor().kill()
    log = stage.root / "logs/chatty.log"
    size = log.stat().st_size
    until(lambda: log.stat().st_size > size + 20)
    assert len(stage.mains()["chatty"]) == 1


def test_starting_a_unit_again_replaces_it_and_doubles_nothing(stage: Stage) -> None:
    unit = stage.unit("web")
    stage.start(unit)
    stage.until_ready("web")
    before = stage.mains()["web"]
    stage.start(unit.with_markers("c" * 64, "deploy-2"))
    stage.until_ready("web")
    after = processes.mains(stage.marks)["web"]
    assert len(after) == 1
    assert after[0][0].pid != before[0]
    assert (after[0][1].bundle, after[0][1].deploy) == ("c" * 64, "deploy-2")


def test_two_supervisors_for_one_folder_are_impossible(stage: Stage) -> None:
    pid = stage.supervisor().pid
    module = [sys.executable, "-m", "infra.targets.process.supervisor"]
    second = stage.client._spawn([*module, str(stage.root / "run"), stage.marks.checkout, "local", "v"])
    assert second.wait(10) == 3
    assert stage.supervisor().pid == pid


def test_a_unit_that_ignores_its_signal_is_killed_after_the_grace(stage: Stage) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
    unit = stage.unit("deaf", code=code)
    stage.start(unit)
    stage.until_ready("deaf")
    assert stage.client.ask("stop", name="deaf", grace=0.2)["left"] == []
    assert "deaf" not in stage.mains()


def test_a_stranger_with_similar_marks_is_not_touched(stage: Stage) -> None:
    unit = stage.unit("web")
    other = {**dict(unit.environment), "INFRA_CHECKOUT": stage.marks.checkout + "0"}
    foreign = psutil.Popen([sys.executable, "-I", "-c", SERVER, str(free_port())], env=other)
    try:
        stage.start(unit)
        stage.until_ready("web")
        stage.client.ask("stop", name="web")
        assert foreign.is_running()
    finally:
        foreign.kill()
        foreign.wait(5)


def test_logs_are_rotated_without_losing_the_writers_place(tmp_path: Path) -> None:
    log = tmp_path / "unit.log"
    descriptor = logfiles.open_log(log)
    os.write(descriptor, b"x" * 100 + b"\nlast\n")
    logfiles.rotate(log, largest=50)
    os.write(descriptor, b"new\n")
    os.close(descriptor)
    assert log.read_bytes() == b"new\n"
    assert logfiles.tail(log, 2).lines == ["last", "new"]
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_log_that_grew_much_too_large_is_kept_from_the_beginning_of_a_line(tmp_path: Path) -> None:
    log = tmp_path / "unit.log"
    log.write_bytes(b"".join(b"%07d\n" % number for number in range(100_000)))
    logfiles.rotate(log, largest=1000)
    kept = (tmp_path / "unit.log.1").read_bytes().splitlines()
    assert (log.stat().st_size, kept[0], kept[-1]) == (0, b"0099751", b"0099999")


def test_the_supervisor_keeps_its_own_log_small_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "logs").mkdir()
    (run / "supervisor.log").write_bytes(b"trace\n" * 1_000_000)
    one = Supervisor(run, marks_of("c0ffee00"), "v1")
    monkeypatch.setattr("infra.targets.process.supervisor.ROTATE_EVERY", 0.01)
    served = threading.Thread(target=one.serve, daemon=True)
    before = Path.cwd()
    served.start()
    try:
        until(lambda: (run / "supervisor.log").stat().st_size == 0)
    finally:
        one.shutdown()
        served.join()
        os.chdir(before)
    assert (run / "supervisor.log.1").read_bytes() == b"trace\n" * 1_000_000


def test_what_the_supervisor_writes_after_its_log_was_emptied_starts_at_its_beginning(stage: Stage) -> None:
    """It is started with the file open for appending: its own words never leave a hole."""
    log = stage.root / "run/supervisor.log"
    number = f"/proc/{stage.supervisor().pid}/fd/2"
    assert Path(number).resolve() == log
    flags = Path(number.replace("/fd/", "/fdinfo/")).read_text(encoding="utf-8").split()[3]
    assert int(flags, 8) & os.O_APPEND


def test_a_request_without_an_end_takes_no_memory_and_no_supervisor(stage: Stage) -> None:
    before = stage.supervisor().memory_info().rss
    with door.connect(stage.root / "run") as peer, suppress(ConnectionError):
        for _ in range(256):
            peer.sendall(b"x" * 1024 * 1024)
    assert stage.supervisor().memory_info().rss < before + 100 * 1024 * 1024
    assert stage.client.running_version()


def test_the_socket_answers_nonsense_with_an_error_and_goes_on(stage: Stage) -> None:
    with door.connect(stage.root / "run") as peer, peer.makefile("rwb") as stream:
        stream.write(b"{broken\n")
        stream.flush()
        assert json.loads(stream.readline())["ok"] is False
    assert stage.client.running_version()


def test_the_socket_is_private_and_works_in_a_deep_folder(tmp_path: Path) -> None:
    deep = Stage(tmp_path / ("d" * 80) / ("e" * 80))
    deep.client.start()
    assert (deep.root / "run/supervisor.sock").stat().st_mode & 0o777 == 0o600
    assert deep.client.running_version()
    deep.client.ask("shutdown")


def test_a_supervisor_whose_folder_was_deleted_is_found_by_its_marks_and_replaced(stage: Stage) -> None:
    stage.start(stage.unit("web"))
    stage.until_ready("web")
    lost, before = stage.supervisor(), stage.mains()["web"]
    assert stage.client.lost() == []
    shutil.rmtree(stage.root / "run")
    assert stage.client.running_version() is None
    assert stage.client.lost() == [lost]
    (stage.root / "run").mkdir()
    stage.client.start()
    assert not lost.is_running() or lost.status() == psutil.STATUS_ZOMBIE
    assert stage.client.lost() == []
    assert stage.mains()["web"] == before, "no unit ends with it"


def test_ending_the_supervisors_ends_the_lost_ones_too_and_no_unit(stage: Stage) -> None:
    stage.start(stage.unit("web"))
    stage.until_ready("web")
    shutil.rmtree(stage.root / "run")
    (stage.root / "run").mkdir()
    assert stage.client.end() == []
    assert processes.keepers(stage.marks) == []
    assert processes.end_unit(stage.marks, stage.mains().popitem()[0], 5.0, "SIGINT") == []


def test_a_list_that_cannot_be_written_keeps_no_unit_from_being_stopped(stage: Stage) -> None:
    stage.start(stage.unit("web"))
    stage.until_ready("web")
    (stage.root / "run/.units.json.new").mkdir()  # whatever keeps the list from being written
    assert stage.client.ask("stop", name="web") == {"ok": True, "left": []}
    assert stage.mains() == {}


def test_what_is_started_proves_itself_with_a_key_that_nothing_shows(stage: Stage) -> None:
    stage.start(stage.unit("web"))
    stage.until_ready("web")
    keeper, unit = stage.supervisor(), processes.mains(stage.marks)["web"][0][0]
    proofs = {one.environ()["INFRA_PROOF"] for one in (keeper, unit)}
    assert proofs == {stage.marks.proven(name)["INFRA_PROOF"] for name in ("", "web")}
    shown = [*keeper.cmdline(), *keeper.environ().values(), *unit.environ().values()]
    kept = [one.read_text(encoding="utf-8") for one in stage.root.rglob("*") if one.is_file()]
    assert not [text for text in (*shown, *kept) if KEY.key.reveal() in text]
