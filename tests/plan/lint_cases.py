"""Texts for the lint: good ones in `lint/good`, and edits of them, a file for each rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.model.environments import environment
from infra.plan.lint.sent import Sent

HERE = Path(__file__).parent / "lint"
SERVICES = {"staging": "app", "production": "postgres", "local": "postgres", "local_ci": "redis"}
DIGEST = "1" * 64


def good(name: str) -> Sent:
    """Give what is sent to an environment and breaks no rule."""
    found = environment(name)
    return Sent(
        file=f"{name}/{SERVICES[name]}/compose.yaml",
        text=(HERE / f"good/{name}.yaml").read_text(encoding="utf-8"),
        env=f"ENV={found.app_env}\n",
        environment=found,
        project="finance_report",
        service=SERVICES[name],
        ingress="dokploy-network" if found.is_deployed else "finance-report-ingress",
        data_root="/data",
        secrets_folder="" if found.is_deployed else "/dev/shm/secrets",
    )


def cases(name: str) -> list[Mapping[str, Any]]:
    """Give the cases of one file."""
    return list(yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8")))


def sent(case: Mapping[str, Any]) -> Sent:
    """Give what a case sends: a good text with its edits, or a text of its own."""
    whole = good(case.get("base", "staging"))
    text, env = case.get("text", whole.text), case.get("env", whole.env)
    for edit in _edits(case):
        text = _edited(text, edit)
    if case.get("times") and "env" in case:
        env += "x" * case["times"]
    return _with(whole, text=text, env=env, from_source=case.get("from_source", False))


def services(case: Mapping[str, Any]) -> list[str]:
    """Give the services that the findings of a case have to name."""
    return list(case.get("services") or [case.get("service", case.get("in", ""))])


def _edits(case: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "replace" in case:
        yield case
    for edit in case.get("edits", ()):
        yield {"in": case.get("in", ""), **edit}


def _edited(text: str, edit: Mapping[str, Any]) -> str:
    """Replace the first place after the head of the service; an edit without a place is a mistake."""
    start = text.index(f'  "{edit["in"]}":\n') if edit.get("in") else 0
    place = text.index(edit["replace"], start)
    new: str = edit["with"] + "x" * edit.get("times", 0)
    return text[:place] + new + text[place + len(edit["replace"]) :]


def _with(whole: Sent, **changes: Any) -> Sent:
    values = {name: getattr(whole, name) for name in Sent.__dataclass_fields__}
    return Sent(**{**values, **changes})
