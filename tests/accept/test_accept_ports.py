"""A throw-away stack has ports of its own, every one of them."""

from __future__ import annotations

import finance_report
from infra.accept.throwaway import _free_ports


def test_every_declared_port_is_replaced_and_those_of_a_part_stay_as_far_apart() -> None:
    chosen = _free_ports(finance_report.PROJECT)
    parts = [part for service in finance_report.PROJECT.services for part in service.parts]
    assert chosen.keys() == {name for part in parts for name in part.ports}
    assert len(set(chosen.values())) == len(chosen)
    for part in parts:
        assert len({chosen[name] - port for name, port in part.ports.items()}) == 1
