"""The coverage gate, decided on the report that coverage writes as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.model.errors import CannotTell
from infra.model.settings import Coverage


@dataclass(frozen=True, slots=True)
class Share:
    """How many of so many statements or branches the tests ran."""

    covered: int
    total: int

    @property
    def percent(self) -> float:
        """The share in per cent, cut after two digits: 91.999 never reads as 92."""
        return math.floor(self.covered * 10_000 / self.total) / 100 if self.total else 0.0

    def reaches(self, percent: float) -> bool:
        """Tell whether the share is at least this much; a share of nothing reaches nothing."""
        return self.total > 0 and self.covered * 100 >= percent * self.total


@dataclass(frozen=True, slots=True)
class Judged:
    """What the report says: lines, branches, packages by name, and a line for each minimum that is missed."""

    lines: Share
    branches: Share
    packages: Mapping[str, Share]
    faults: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the shares in per cent."""
        packages = {name: share.percent for name, share in self.packages.items()}
        return {"lines": self.lines.percent, "branches": self.branches.percent, "packages": packages}


def judge(report: Mapping[str, Any], limits: Coverage) -> Judged:
    """Give what a report says about these limits; CannotTell for what is no report of coverage."""
    try:
        lines = _lines(report["totals"])
        branches = _branches(report["totals"])
        packages = {name: _package(report["files"], name) for name in limits.packages}
    except (KeyError, TypeError, AttributeError) as error:
        raise CannotTell(f"this is no JSON report of coverage: {error!r}") from error
    return Judged(lines, branches, packages, tuple(_faults(lines, branches, packages, limits)))


def _lines(summary: Mapping[str, int]) -> Share:
    return Share(int(summary["covered_lines"]), int(summary["num_statements"]))


def _branches(summary: Mapping[str, int]) -> Share:
    return Share(int(summary.get("covered_branches", 0)), int(summary.get("num_branches", 0)))


def _package(files: Mapping[str, Mapping[str, Any]], name: str) -> Share:
    """Give the lines of all files below a folder of this very name."""
    below = name.rstrip("/") + "/"
    found = [_lines(one["summary"]) for file, one in files.items() if file.startswith(below)]
    return Share(sum(one.covered for one in found), sum(one.total for one in found))


def _faults(lines: Share, branches: Share, packages: Mapping[str, Share], limits: Coverage) -> Iterator[str]:
    if not lines.reaches(limits.lines):
        yield f"{lines.percent:.2f} % of all lines were run, {limits.lines:g} % are asked for"
    if not branches.total:
        yield "branches were not measured"
    for name, share in packages.items():
        if not share.total:
            yield f"{name}: no line of it was measured"
        elif not share.reaches(limits.packages[name]):
            yield f"{name}: {share.percent:.2f} % of its lines, {limits.packages[name]:g} % are asked for"


def summary(judged: Judged, limits: Coverage) -> str:
    """Give the measured shares beside gate and target, in one line."""
    packages = "".join(f", {name} {share.percent:.2f} %" for name, share in judged.packages.items())
    measured = f"{judged.lines.percent:.2f} % of lines, {judged.branches.percent:.2f} % of branches{packages}"
    return f"{measured}; gate {limits.lines:g}, target {limits.target:g}"
