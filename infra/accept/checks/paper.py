"""Checks of what containers would be sent: rendered by the real command, read back as a compose file."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from infra.accept.ground import Ground, exits, on_files, require
from infra.model.acceptance import Evidence
from infra.plan.route_match import match

_PAIRS = ("environment", "labels")


def rendered(
    ground: Ground,
    service: str,
    env: str,
    facts: Mapping[str, Any] | None = None,
    like: Mapping[str, str] | None = None,
    containers: Iterable[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Evidence:
    """Prove facts of the compose file of a service, each by its path from the top, steps apart by ` / `.

    `facts` are values, `like` whole matches of a pattern, `containers` are all that the file has.
    It is rendered with `settings` beside those of the checkout.
    """
    with ground.trial.settings(**(settings or {})):
        words, file = _render(ground, service, env)
    wanted = sorted(containers) or sorted(file["services"])
    require(sorted(file["services"]) == wanted, f"{words}: {sorted(file['services'])}, not {wanted}")
    for path, expected in (facts or {}).items():
        found = _at(file, path)
        require(found == expected, f"{words}: {path} is {found!r}, not {expected!r}")
    for path, pattern in (like or {}).items():
        found = _at(file, path)
        require(re.fullmatch(pattern, str(found), re.DOTALL), f"{words}: {path} is {found!r}, not {pattern}")
    seen = [f"{path} {_at(file, path)}" for path in (*(facts or {}), *(like or {}))]
    return on_files("; ".join([words, f"containers {', '.join(wanted)}", *seen]))


def _render(ground: Ground, service: str, env: str) -> tuple[str, dict[str, Any]]:
    """Give the command that rendered a compose file, and the file with its lists of pairs as mappings."""
    import yaml

    place = f"{ground.project.name}.{service}.render --env {env}"
    out = ground.trial.folder / "rendered"
    done = exits(ground.trial.inv(f"{place} --out {out} --json"))
    text = (out / env / service / "compose.yaml").read_text(encoding="utf-8")
    file: dict[str, Any] = yaml.safe_load(text)
    for one in file["services"].values():
        for name in _PAIRS:
            one[name] = dict(line.split("=", 1) for line in one.get(name, []))
        if isinstance(one.get("volumes"), list):
            one["volumes"] = {mount["target"]: mount for mount in one["volumes"]}
    return f"./inv {place}: exit {done.code}", file


def _at(file: Mapping[str, Any], path: str) -> Any:
    return reduce(_step, path.split(" / "), file)


def _step(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def agent_waits(ground: Ground, service: str, env: str, agent: str, consumers: list[str]) -> Evidence:
    """Prove that consumers wait for a healthy agent and share a folder in memory with it, read-only."""
    words, file = _render(ground, service, env)
    require(agent in file["services"], f"{words}: no {agent}")
    given = file["services"][agent]["volumes"].get("/vault/secrets", {}).get("source", "")
    driver = file.get("volumes", {}).get(given, {}).get("driver_opts", {})
    in_memory = driver.get("type") == driver.get("device") == "tmpfs"
    require(in_memory, f"{words}: the volume {given!r} of {agent} is {driver}")
    for name in consumers:
        one = file["services"][name]
        waits = one.get("depends_on", {}).get(agent, {}).get("condition")
        require(waits == "service_healthy", f"{words}: {name} waits for {agent} until {waits!r}")
        taken = one["volumes"].get("/secrets", {})
        is_same = taken.get("source") == given and taken.get("read_only") is True
        require(is_same, f"{words}: {name} takes its secrets from {taken}")
    names = ", ".join(consumers)
    return on_files(f"{words}; {names} wait until {agent} is healthy, and share a tmpfs ({driver['o']})")


def no_own_container(ground: Ground, service: str, env: str, with_it: str) -> Evidence:
    """Prove that a service is rendered in one environment and not a part of another one."""
    there, _ = _render(ground, service, with_it)
    place = f"{ground.project.name}.{service}.render --env {env}"
    done = exits(ground.trial.inv(f"{place} --json"), 2)
    return on_files(f"{there}; {done}: {done.json['errors'][0]['message']}")


def differ_only(
    ground: Ground, service: str, one: str, other: str, replaced: dict[str, str], fields: dict[str, int]
) -> Evidence:
    """Prove that two environments have one file but for names and so many lines of these fields."""
    words, left = _render(ground, service, one)
    _, right = _render(ground, service, other)
    mine, theirs = _flat(left, "", replaced), _flat(right, "", replaced)
    found = sorted(path for path in mine.keys() | theirs.keys() if mine.get(path) != theirs.get(path))
    told = "; ".join(f"{path} ({mine.get(path)}, {theirs.get(path)})" for path in found)
    number = Counter(re.sub(r" / \d+$", "", path) for path in found)
    require(dict(number) == fields, f"{words}, and --env {other} differ in {told or 'nothing'}")
    return on_files(f"{words}, and --env {other}: {len(mine)} lines and values, different are {told}")


def _named(text: Any, replaced: Mapping[str, str]) -> str:
    return reduce(lambda so_far, pair: so_far.replace(*pair), replaced.items(), str(text))


def _flat(value: Any, place: str, replaced: Mapping[str, str]) -> dict[str, str]:
    """Give each field by its path, and each line of a text by its number, with names replaced in both."""
    if isinstance(value, str) and "\n" in value:
        value = dict(enumerate(value.splitlines(), 1))
    if isinstance(value, dict):
        start = f"{place} / " if place else ""
        below = [_flat(one, f"{start}{key}", replaced) for key, one in value.items()]
        return {path: one for part in below for path, one in part.items()}
    return {_named(place, replaced): _named(value, replaced)}


def routed(ground: Ground, service: str, env: str, host: str, paths: dict[str, str]) -> Evidence:
    """Prove that the matcher sends paths of one host to these parts, by rules that the labels carry."""
    words, file = _render(ground, service, env)
    labels = [pair for one in file["services"].values() for pair in one["labels"].items()]
    rules = [value for key, value in labels if key.endswith(".rule")]
    strangers = [rule for rule in rules if f"Host(`{host}`)" not in rule]
    require(rules and not strangers, f"{words}: rules of another host than {host}: {strangers or 'none'}")
    for path, part in paths.items():
        route = match(ground.project.routes, path)
        require(route and route.part == part, f"{path} goes to {route and route.part}, not to {part}")
    told = ", ".join(f"{path} to {part}" for path, part in paths.items())
    return on_files(f"{words}, {len(rules)} rules, all of {host}; the matcher sends {told}")


def apart(ground: Ground, service: str, one: str, other: str) -> Evidence:
    """Prove that two environments on one host share no container, volume or folder of the host."""
    words, left = _render(ground, service, one)
    _, right = _render(ground, service, other)
    shared = _own_names(left) & _own_names(right)
    require(not shared, f"{words} and --env {other} share {', '.join(sorted(shared))}")
    return on_files(f"{words}, and --env {other}: {len(_own_names(left))} names, none of them shared")


def _own_names(file: Mapping[str, Any]) -> set[str]:
    names = {one["container_name"] for one in file["services"].values()}
    names |= {one["name"] for one in file.get("volumes", {}).values() if one.get("name")}
    mounts = [mount for one in file["services"].values() for mount in dict(one["volumes"]).values()]
    return names | {mount["source"] for mount in mounts if mount.get("type") == "bind"}


def keys_rendered(ground: Ground, service: str, env: str, keys: list[str]) -> Evidence:
    """Prove that a service's agent writes exactly these keys, from values that come back as they were."""
    done = exits(ground.trial.inv(f"vault.render --env {env} --service {service} --offline --json"))
    found = sorted(one["key"] for one in done.json["facts"]["keys"])
    require(found == sorted(keys), f"{done}: {found}, not {sorted(keys)}")
    return on_files(f"{done}, {len(found)} keys ({', '.join(found)}), {done.json['facts']['cases']} files")


def lints(ground: Ground, release: dict[str, Any], broken: dict[str, str]) -> Evidence:
    """Prove that every environment's files keep every rule, and that a text with a broken one does not.

    `broken` names a rendered file by `env` and `service`, and replaces `old` by `new` to break `rule`.
    """
    file = ground.trial.folder / "release.json"
    file.write_text(json.dumps(release), encoding="utf-8")
    good = exits(ground.trial.inv(f"lint.compose --all --release {file} --json"))
    facts = good.json["facts"]
    require(facts["files"] and not facts["findings"], f"{good}: {facts['findings']}")
    _render(ground, broken["service"], broken["env"])
    place = ground.trial.folder / "rendered" / broken["env"] / broken["service"] / "compose.yaml"
    text = place.read_text(encoding="utf-8")
    require(broken["old"] in text, f"{place.name} has no {broken['old']!r}")
    place.write_text(text.replace(broken["old"], broken["new"], 1), encoding="utf-8")
    where = f"--env {broken['env']} --service {broken['service']}"
    bad = exits(ground.trial.inv(f"lint.compose {where} --file {place} --json"), 1)
    found = {one["rule"] for one in bad.json["facts"]["findings"] if not one["is_unknown"]}
    require(found == {broken["rule"]}, f"{bad}: {found}, not {broken['rule']}")
    program = facts["compose"] or "not here"
    told = f"{len(facts['files'])} files, 0 findings, the compose program is {program}"
    return on_files(f"{good}, {told}; {broken['old']} made {broken['new']}: exit 1 by {broken['rule']}")
