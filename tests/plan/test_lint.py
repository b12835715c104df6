"""Each rule of the lint finds what breaks it, names it, and finds nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from infra.plan.lint import RULES, lint
from tests.plan.lint_cases import SERVICES, cases, good, sent, services
from tests.plan.scenes import EVERY, scene

BROKEN = {f"{rule.id}: {case['name']}": (rule, case) for rule in RULES for case in cases(rule.id)}
SHAPES: tuple[Any, ...] = (None, 1, "", [None], [[1]], {"a": None})


def test_there_is_a_rule_for_each_number_with_what_it_demands_and_a_fix() -> None:
    assert [rule.id for rule in RULES] == [f"C{number}" for number in range(26)]
    assert all(rule.demands and rule.fix for rule in RULES)


@pytest.mark.parametrize("name", SERVICES)
def test_a_good_text_breaks_no_rule(name: str) -> None:
    assert lint(good(name)) == []


@pytest.mark.parametrize("case", cases("harmless"), ids=lambda case: case["name"])
def test_what_only_looks_wrong_breaks_no_rule(case: Mapping[str, Any]) -> None:
    assert lint(sent(case)) == []


@pytest.mark.parametrize(("rule", "case"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_found_alone_and_told_with_file_service_rule_and_fix(
    rule: Any, case: Mapping[str, Any]
) -> None:
    what = sent(case)
    found = lint(what)
    mine = [one for one in found if one.rule == rule.id]
    assert sorted({one.service for one in mine}) == sorted(services(case))
    assert any(case["says"] in one.message for one in mine), [one.message for one in mine]
    assert {one.is_unknown for one in mine} == {case.get("is_unknown", False)}
    for one in mine:
        assert all(word in str(one) for word in (what.file, one.service, rule.id, rule.fix, one.message))
    if rule.id != "C0":
        assert {one.rule for one in found} == {rule.id}


def test_all_faults_are_found_at_once_in_the_order_of_the_rules() -> None:
    text = (
        good("staging")
        .text.replace("init: true", "init: false")
        .replace("mode: ", "mode: 0")
        .replace("5m", "6m")
    )
    found = [one.rule for one in lint(replace(good("staging"), text=text))]
    assert found == ["C1"] * 3 + ["C3"] * 3 + ["C12"] * 3


def test_a_message_tells_the_line() -> None:
    text = good("local_ci").text.replace("init: true", "init: false")
    line = text.splitlines().index("    init: false") + 1
    assert [one.message for one in lint(replace(good("local_ci"), text=text))] == [
        f"init is false (line {line})"
    ]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to each value of a text."""
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in steps:
        yield from paths(below, (*path, step))


def test_a_value_of_any_shape_in_any_place_never_ends_in_an_error() -> None:
    whole = good("staging")
    text = json.dumps(yaml.safe_load(whole.text))
    for path in paths(json.loads(text)):
        for shape in SHAPES:
            tree = json.loads(text)
            parent = [tree]
            for step in (0, *path[:-1]) if path else ():
                parent = parent[step]
            parent[path[-1] if path else 0] = shape
            made = parent[0] if not path else tree
            lint(replace(whole, text=json.dumps(made)))


HOSTILE = {
    "deep lists": "services: " + "[" * 45_000 + "]" * 45_000,
    "deep mappings": "services: " + "{a: " * 18_000 + "b" + "}" * 18_000,
    "deep items": "services:\n" + "- " * 45_000,
    "deep blocks": "services:\n" + "".join(f"{' ' * depth}a:\n" for depth in range(1, 400)),
    "a circle": 'services: &a {"web": *a}\n',
    "a list that holds itself": 'services: {"web": {labels: &l [*l], volumes: &v [*v]}}\n',
    "laughter": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{one}: &{one} [{','.join([f'*{before}'] * 9)}]\n"
        for before, one in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "half a letter": "services: {a: \ud800}\n",
    "a nameless tag": "services: !<x> {web: ! {}}\n",
    "a directive": "%TAG !x! tag:example.test,2000:\n---\nservices: !x!y {}\n",
    "an alias of nothing": "services: *nothing\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_gives_findings_and_no_error(text: str) -> None:
    assert lint(replace(good("staging"), text=text))


@pytest.mark.parametrize("name", EVERY)
def test_what_is_rendered_breaks_no_rule(name: str) -> None:
    from infra.plan.compose import bundle_of, stamped
    from infra.plan.roster import roster

    here = scene(name)
    found = []
    for service in roster(here.project, here.environment, here.target):
        bundle = bundle_of(service, here)
        whole = replace(
            good("staging"),
            file=f"{name}/{service.name}",
            text=stamped(bundle.text, "a" * 64, "20240101-000000-abcdef"),
            env=bundle.env,
            environment=here.environment,
            service=service.name,
            ingress=here.ingress,
            routed=("backend", "frontend", *(() if here.environment.is_deployed else ("router",))),
            secrets_folder=here.secrets_folder,
        )
        found += lint(whole)
    assert list(map(str, found)) == []
