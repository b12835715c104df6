"""Ports are written down once; what is new gets its own, and what is known keeps its."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.model.ports import PortsWanted
from infra.workspace import ports_file

USUAL = {"router": 3000, "minio": 9000}
WANTED = PortsWanted(USUAL, {}, quiet=["minio"])


@pytest.fixture(autouse=True)
def _nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports_file, "is_taken", lambda _port: False)


def place(tmp_path: Path, name: str = "one") -> Path:
    return tmp_path / name / "local"


def written(root: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((root / "ports.json").read_text(encoding="utf-8"))
    return found


def test_what_is_not_claimed_is_not_written(tmp_path: Path) -> None:
    root = place(tmp_path)
    assert ports_file.ports(root, tmp_path, WANTED, claim=False) == USUAL
    assert not root.exists()


def test_a_part_that_is_new_to_a_checkout_is_written_beside_what_it_had(tmp_path: Path) -> None:
    root = place(tmp_path)
    without = PortsWanted(USUAL, {}, unused=["minio"])
    assert ports_file.ports(root, tmp_path, without, claim=True) == {"router": 3000}
    assert written(root) == {"router": 3000}
    assert ports_file.ports(root, tmp_path, WANTED, claim=True) == USUAL
    assert written(root) == USUAL


def test_a_part_that_is_switched_off_keeps_its_port_for_later(tmp_path: Path) -> None:
    root = place(tmp_path)
    ports_file.ports(root, tmp_path, WANTED, claim=True)
    without = PortsWanted(USUAL, {}, unused=["minio"])
    assert ports_file.ports(root, tmp_path, without, claim=True) == {"router": 3000}
    assert written(root) == USUAL


def test_neighbours_do_not_get_each_others_ports(tmp_path: Path) -> None:
    ports_file.ports(place(tmp_path, "one"), tmp_path, WANTED, claim=True)
    second = ports_file.ports(place(tmp_path, "two"), tmp_path, WANTED, claim=True)
    assert second == {"router": 3100, "minio": 9100}
