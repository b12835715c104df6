"""Whose checkout a state folder is, when several first commands write it down at once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra import homes

COMMANDS = 8


def test_first_commands_at_once_all_go_on_and_the_file_is_whole(tmp_path: Path) -> None:
    for number in range(20):
        state = tmp_path / "state" / str(number)
        starts = threading.Barrier(COMMANDS)

        def remember(state: Path = state, starts: threading.Barrier = starts) -> None:
            starts.wait()
            homes.remember(state, tmp_path)

        with ThreadPoolExecutor(COMMANDS) as commands:
            for one in [commands.submit(remember) for _ in range(COMMANDS)]:
                one.result()
        assert json.loads((state / homes.NAME).read_text(encoding="utf-8"))["path"] == str(tmp_path)
        assert not list(state.glob("*.new"))
