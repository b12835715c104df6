"""Checks of what runs: commands, requests and statements on the throw-away stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.accept.ground import Ground, exits, on_stack, require
from infra.accept.throwaway import Throwaway
from infra.model.acceptance import Evidence
from infra.model.answer import Answer
from infra.plan import migrations
from infra.verify.http import ask

SHOWN = 60


def task(
    ground: Ground, task: str, code: int = 0, facts: Mapping[str, Any] | None = None, said: str = ""
) -> Evidence:
    """Prove how a project's task ends on the stack, facts of it by `/` path, and words of its first error."""
    done = exits(ground.stack.inv(ground.stack.of_project(f"{task} --json")), code)
    seen = [_fact(done.json["facts"], path, expected) for path, expected in (facts or {}).items()]
    first = (done.json["errors"] or [{"message": ""}])[0]["message"]
    require(said in first, f"{done}, and its error says {first!r} instead of {said!r}")
    return on_stack(", ".join([str(done), *seen, *([first] if said else [])]))


def _fact(facts: Mapping[str, Any], path: str, expected: Any) -> str:
    value: Any = facts
    for step in path.split("/"):
        value = value.get(step) if isinstance(value, dict) else None
    require(value == expected, f"facts/{path} is {value!r}, not {expected!r}")
    return f"{path} {value}"


def page(ground: Ground, path: str, status: int, json: Mapping[str, Any] | None = None) -> Evidence:
    """Prove the status of a page of the stack, and values of the JSON that it holds."""
    answer = ask(ground.stack.url + path)
    require(isinstance(answer, Answer) and answer.status == status, f"GET {path}: {answer}, not {status}")
    body = answer.json() if isinstance(answer, Answer) else None
    for key, expected in (json or {}).items():
        found = body.get(key) if isinstance(body, dict) else None
        require(found == expected, f"GET {path}: {key} is {found!r}, not {expected!r}")
    values = ", ".join(f"{key} {value}" for key, value in (json or {}).items())
    return on_stack(f"GET {path}: {status} {values}".rstrip())


def smoke(ground: Ground, rows: list[str], env: str = "", options: str = "") -> Evidence:
    """Prove that the smoke test passes and made these checks; with `env` as that environment's smoke test."""
    stack = ground.stack
    done = exits(stack.inv(f"smoke {_where(stack, env)} {options} --json"))
    made = {one["id"]: one for one in (*done.json["facts"]["checks"], *done.json["facts"]["timings"])}
    for row in rows:
        verdict = made[row]["verdict"] if row in made else "not made"
        require(verdict in {"pass", "warn"}, f"{done}, check {row}: {verdict}")
    seen = "; ".join(f"{one} {made[one]['path']} {made[one]['got'][:SHOWN]}" for one in rows)
    return on_stack(f"{done}, {seen}")


def smoke_refuses(ground: Ground, options: str, code: int, said: str, env: str = "") -> Evidence:
    """Prove that the smoke test of the stack is not green with these options, and says why."""
    stack = ground.stack
    done = exits(stack.inv(f"smoke {_where(stack, env)} {options} --json"), code)
    words = json.dumps(done.json["errors"])
    require(said in words, f"{done}, but nothing says {said!r}: {words[:200]}")
    return on_stack(f"{done}, {said}")


def _where(stack: Throwaway, env: str) -> str:
    """Give the words that send smoke to the stack; only a local one is found without its address."""
    name = env or stack.environment
    return f"--env {name}" if name == "local" else f"--env {name} --base-url {stack.url}"


def smoke_writes_nothing(ground: Ground, env: str, read: str) -> Evidence:
    """Prove that an environment's smoke test makes no writing request: the state is what it was before."""
    stack = ground.stack
    before = ask(stack.url + read)
    done = exits(stack.inv(f"smoke --env {env} --base-url {stack.url} --extended --json"))
    after = ask(stack.url + read)
    made = [one["path"] for one in done.json["facts"]["checks"]]
    require(isinstance(before, Answer) and isinstance(after, Answer), f"GET {read}: {after}")
    is_same = isinstance(before, Answer) and isinstance(after, Answer) and before.json() == after.json()
    require(is_same, f"GET {read} was {before}, and is {after} after {done}")
    return on_stack(f"{done}, {len(made)} checks, GET {read} before and after: {after}")


def sql(ground: Ground, statement: str, answer: str, service: str = "postgres") -> Evidence:
    """Prove what the database answers to the application's own role."""
    done = _psql(ground, service, statement)
    lines = [line.replace(" ", "") for line in done.splitlines()]
    require(answer in lines, f"{statement!r} does not give {answer!r}: {lines[-4:]}")
    return on_stack(f"{service}.shell: {statement} gives {answer}")


def _psql(ground: Ground, service: str, statement: str) -> str:
    shell = ground.stack.of_project(f"{service}.shell")
    return exits(ground.stack.inv(shell, stdin=f"{statement};\n")).out


def migrated(ground: Ground, folder: str) -> Evidence:
    """Prove that setup took the database to the newest migration of a folder, and said so."""
    files = sorted((Path(ground.stack.root) / folder).glob("*.py"))
    known = migrations.parse(file.read_text(encoding="utf-8") for file in files)
    heads = set(known) - {one.predecessor for one in known.values()}
    require(len(heads) == 1, f"{folder} has the heads {sorted(heads)}")
    head = heads.pop()
    seen = sql(ground, "SELECT version_num FROM alembic_version", head)
    done = exits(ground.stack.inv(ground.stack.of_project("app.checkpoints --json")))
    ready = [line for line in done.json["checkpoints"] if line.startswith("2 migrations ok")]
    require(ready, f"{done}: {done.json['checkpoints']}")
    return on_stack(f"{done}, {ready[0]}; {seen.text}, the newest of {len(known)} in {folder}")


def survives(ground: Ground, statement: str, question: str, answer: str) -> Evidence:
    """Prove that a row is still there after everything was taken down and set up again."""
    stack = ground.stack
    _psql(ground, "postgres", statement)
    down = exits(stack.inv(stack.of_project("down --json")))
    require(not stack.units, f"{down}, but {sorted(stack.units)} run")
    stack.repair()
    kept = sql(ground, question, answer)
    return on_stack(f"{statement}; {down}, no process left; setup; {kept.text}")


def served_release(ground: Ground, path: str, service: str) -> Evidence:
    """Prove that the commit which answers is the one that the newest record names."""
    stack = ground.stack
    done = exits(stack.inv(stack.of_project(f"{service}.history --json")))
    record = done.json["facts"]["records"][0]
    answer = ask(stack.url + path)
    body = answer.json() if isinstance(answer, Answer) else None
    served = body.get("git_sha") if isinstance(body, dict) else None
    require(record["verdict"] == "ok", f"{done}: the newest record is {record['verdict']}")
    require(served == record["release"], f"{path} says {served}, the record {record['release']}")
    return on_stack(f"{done}; GET {path} and record {record['deploy']} name {served}")
