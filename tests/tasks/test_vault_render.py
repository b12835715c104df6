"""`vault.render --offline`: what an agent will write, shown without a value and without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from infra.model.hostile import HOSTILE
from infra.plan.templates import Templates
from infra.workspace import templates
from tasks.root import ROOT
from tasks.vault import render


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> tuple[dict[str, Any], str]:
    """Give the JSON object and what a person reads of one run."""
    defaults = {"env": None, "service": "", "offline": False, "json": True}
    code = 0
    try:
        render.body(Context(), **{**defaults, **arguments})
    except Exit as ended:
        code = int(ended.code)
    told = capsys.readouterr()
    answer: dict[str, Any] = json.loads(told.out)
    assert answer["exit_code"] == code
    return answer, told.err


@pytest.mark.parametrize(
    ("env", "service", "keys"),
    [
        ("staging", "postgres", {"APP_PASSWORD": "required", "POSTGRES_PASSWORD": "required"}),
        ("production", "redis", {"PASSWORD": "required"}),
        (
            "pr_47",
            "minio",
            {f"{who}_{what}": "required" for who in ("APP", "ROOT") for what in ("USER", "PASSWORD")},
        ),
        ("canary", "redis", {"PASSWORD": "required"}),
    ],
)
def test_every_key_is_named_with_its_kind_and_every_hostile_value_was_tried(
    capsys: pytest.CaptureFixture[str], env: str, service: str, keys: dict[str, str]
) -> None:
    answer, said = run(capsys, env=env, service=service, offline=True)
    facts = answer["facts"]
    assert (answer["exit_code"], answer["env"], answer["service"]) == (0, env, service)
    assert {row["key"]: row["form"] for row in facts["keys"]} == keys
    assert {row["kind"] for row in facts["keys"]} == {"generated"}
    assert {row["bytes"] for row in facts["keys"]} == {8192}
    assert facts["cases"] == len(HOSTILE)
    assert all(key in said for key in keys)


def test_a_key_that_previews_share_is_tried_from_both_paths(capsys: pytest.CaptureFixture[str]) -> None:
    facts = run(capsys, env="pr_47", service="app", offline=True)[0]["facts"]
    assert facts["cases"] == 2 * len(HOSTILE)
    assert [row["key"] for row in facts["keys"] if row["form"] == "shared"] == ["OPENROUTER_API_KEY"]


def test_no_value_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    answer, said = run(capsys, env="staging", service="app", offline=True)
    shown = json.dumps(answer, ensure_ascii=False) + said
    assert [name for name, text in HOSTILE.items() if text.strip() in shown] == []


MINIO_KEYS = ("APP_PASSWORD", "APP_USER", "ROOT_PASSWORD", "ROOT_USER")
BROKEN = {
    "quotes are kept as they are": ("""replaceAll "'" "'\\\\''\"""", """replaceAll "x" "x\""""),
    "the last newline is trimmed": ("{{ end -}}", "{{- end -}}"),
}


@pytest.mark.parametrize(("right", "wrong"), BROKEN.values(), ids=BROKEN)
def test_a_template_that_loses_a_byte_is_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, right: str, wrong: str
) -> None:
    name = "vault/secrets.ctmpl.j2"
    folder = ROOT / "templates"
    texts = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.j2")}
    assert right in texts[name]
    broken = Templates({**texts, name: texts[name].replace(right, wrong)})
    monkeypatch.setattr(templates, "load", lambda _root: broken)
    answer, _ = run(capsys, env="staging", service="app", offline=True)
    assert answer["exit_code"] == 1
    assert "single quotes" in answer["errors"][0]["message"]


REFUSED = {
    "an environment without a Vault": ({"env": "local", "service": "app"}, "keeps its secrets in no Vault"),
    "a test environment": ({"env": "github_ci", "service": "app"}, "keeps its secrets in no Vault"),
    "no environment": ({"env": "stagin", "service": "app"}, "is no environment"),
    "an unknown service": ({"env": "staging", "service": "web"}, "'web' is no service"),
    "no service": ({"env": "staging"}, "'' is no service"),
    "a service without secrets": ({"env": "staging", "service": "router"}, "router has no secrets there"),
    "a service that is elsewhere": ({"env": "staging", "service": "minio"}, "minio has no secrets there"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_agent_is_refused_with_what_to_type_instead(
    capsys: pytest.CaptureFixture[str], arguments: dict[str, str], words: str
) -> None:
    answer, said = run(capsys, **arguments, offline=True)
    (error,) = answer["errors"]
    assert (answer["exit_code"], error["kind"]) == (2, "bad_input")
    assert words in error["message"]
    assert f"→ {error['next']}" in said


def test_without_offline_a_vault_has_to_be_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    answer, _ = run(capsys, env="staging", service="app")
    (error,) = answer["errors"]
    assert (answer["exit_code"], error["kind"]) == (2, "bad_input")
    assert "VAULT_ADDR" in error["next"]


def test_nothing_is_written_and_no_server_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("socket.socket.connect", None)
    assert run(capsys, env="staging", service="app", offline=True)[0]["exit_code"] == 0
    assert list(tmp_path.iterdir()) == []
