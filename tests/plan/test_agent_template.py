"""The secrets template as an agent reads it: the same bytes as the encoder's, and no form beside ours."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.model import dotenv
from infra.model.environments import environment
from infra.model.errors import BadInput
from infra.model.hostile import HOSTILE
from infra.model.secret import Secret, SecretSpec
from infra.model.service import Service
from infra.plan.agent import agent_files, secret_path, shared_path
from infra.plan.agent_template import evaluate
from tests.plan.agent_stand_in import EACH_SHELL, PROJECT, SHELLS, TEMPLATES

CASES = yaml.safe_load((Path(__file__).parents[1] / "store/hostile_values.yaml").read_text("utf-8"))
TEXTS = {case["name"]: case["text"] * case.get("times", 1) for case in CASES} | dict(HOSTILE)
APP = PROJECT.service("app")
KEYS = [spec.key for spec in APP.secrets]
OWN = secret_path(PROJECT.name, environment("pr_47"), "app", "secret")
STAGING = secret_path(PROJECT.name, environment("staging"), "app", "secret")
SHARED = shared_path(PROJECT.name, "app", "secret")
SOURCE = 'set -a; . "$1"; set +a; exec "$2" -c "$3"'
SHOW = "import json, os; print(json.dumps({k.decode(): v.hex() for k, v in os.environb.items()}))"


def template(name: str = "staging", service: Service = APP) -> str:
    made = agent_files(service, environment(name), PROJECT.name, "secret", TEMPLATES)
    return next(file.text for file in made if file.name == "secrets.ctmpl")


def all_of(text: str) -> dict[str, str]:
    return dict.fromkeys(KEYS, text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_hostile_value_in_every_key_comes_out_as_the_encoder_writes_it(text: str) -> None:
    values = {key: Secret(one) for key, one in all_of(text).items()}
    written = evaluate(template(), {STAGING: values})
    assert written == dotenv.encode(values)
    assert dotenv.parse(written) == all_of(text)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=len(KEYS), max_size=len(KEYS)))
def test_template_and_encoder_give_the_same_bytes_for_any_text(texts: list[str]) -> None:
    values = dict(
        zip(KEYS, (text.replace("\0", "").replace("<no value>", "") for text in texts), strict=True)
    )
    assert evaluate(template(), {STAGING: values}) == dotenv.encode(values)


@pytest.mark.parametrize("shell", EACH_SHELL)
def test_a_shell_reads_from_the_agents_file_what_was_stored(shell: str, tmp_path: Path) -> None:
    keys = tuple(SecretSpec("app", f"V_{number}", "operator") for number in range(len(TEXTS)))
    values = {spec.key: text for spec, text in zip(keys, TEXTS.values(), strict=True)}
    file = tmp_path / ".env"
    file.write_bytes(evaluate(template(service=replace(APP, secrets=keys)), {STAGING: values}).encode())
    argv = [*SHELLS[shell], "-c", SOURCE, "sh", str(file), sys.executable, SHOW]
    shown = subprocess.run(argv, capture_output=True, check=True, env={"HOME": "/nowhere"}).stdout
    read = {key: bytes.fromhex(text).decode() for key, text in json.loads(shown).items()}
    assert {key: read.get(key) for key in values} == values


SHARED_KEY = "OPENROUTER_API_KEY"


@pytest.mark.parametrize(("own", "expected"), [(None, "all's"), ("", "all's"), ("its own", "its own")])
def test_a_preview_takes_its_own_operator_key_before_that_of_all(own: str | None, expected: str) -> None:
    mine = {key: text for key, text in {**all_of("x"), SHARED_KEY: own}.items() if text is not None}
    written = evaluate(template("pr_47"), {OWN: mine, SHARED: {SHARED_KEY: "all's"}})
    assert written == dotenv.encode({**all_of("x"), SHARED_KEY: expected})


def test_a_preview_with_a_key_of_its_own_needs_no_common_one() -> None:
    assert SHARED_KEY in evaluate(template("pr_47"), {OWN: all_of("x")})


NOT_THERE: dict[str, tuple[str, Mapping[str, Mapping[str, str]], str]] = {
    "no path": ("staging", {}, "no secret exists at secret/data/finance_report/staging/app"),
    "an empty path": ("staging", {STAGING: {}}, 'map has no entry for key "DATABASE_URL"'),
    "no required key": (
        "staging",
        {STAGING: {key: "x" for key in KEYS if key != "REDIS_URL"}},
        'map has no entry for key "REDIS_URL"',
    ),
    "no common path": ("pr_47", {OWN: {**all_of("x"), SHARED_KEY: ""}}, f"no secret exists at {SHARED}"),
    "no common key": (
        "pr_47",
        {OWN: {**all_of("x"), SHARED_KEY: ""}, SHARED: {}},
        f'map has no entry for key "{SHARED_KEY}"',
    ),
}


@pytest.mark.parametrize(("name", "values", "words"), NOT_THERE.values(), ids=NOT_THERE)
def test_what_is_required_and_not_there_fails_the_whole_file(
    name: str, values: Mapping[str, Mapping[str, str]], words: str
) -> None:
    with pytest.raises(BadInput, match=r"^line \d+: ") as refusal:
        evaluate(template(name), values)
    assert words in str(refusal.value)


def test_an_optional_key_is_left_out_where_it_is_missing_or_empty() -> None:
    keys = (
        SecretSpec("app", "A", "generated", optional_in=frozenset({"staging"})),
        SecretSpec("app", "B", "generated"),
        SecretSpec(
            "app", "C", "derived", derive=lambda _values, _at: None, optional_in=frozenset({"staging"})
        ),
    )
    text = template(service=replace(APP, secrets=keys))
    assert evaluate(text, {STAGING: {"B": "2"}}) == "B='2'\n"
    assert evaluate(text, {STAGING: {"A": "", "B": "2", "C": "it's"}}) == "B='2'\nC='it'\\''s'\n"


def test_markers_trim_the_white_space_beside_them_and_nothing_of_a_value() -> None:
    text = 'a \n\t{{- with secret "p" -}}\n  b{{ .Data.data.K | replaceAll "x" "y" }} c {{ end -}} \n d'
    assert evaluate(text, {"p": {"K": " x\n"}}) == "ab y\n c d"


REFUSED = {
    "a range": "{{ range $k, $v := .Data.data }}{{ end }}",
    "a value as it is": '{{ with secret "p" }}{{ .Data.data.K }}{{ end }}',
    "another function": '{{ with secret "p" }}{{ .Data.data.K | toJSON }}{{ end }}',
    "a longer pipe": '{{ with secret "p" }}{{ .Data.data.K | replaceAll "a" "b" | toJSON }}{{ end }}',
    "a longer with": '{{ with secret "p" "q" }}{{ end }}',
    "an index of two": '{{ with secret "p" }}{{ with index .Data.data "K" "L" }}{{ end }}{{ end }}',
    "an if": '{{ if secret "p" }}{{ end }}',
    "a variable": '{{ with $x := secret "p" }}{{ end }}',
    "a comment": "{{/* why */}}",
    "another literal": "{{ with secret `p` }}{{ end }}",
    "an escape that is not ours": '{{ with secret "p" }}{{ .Data.data.K | replaceAll "\\n" "" }}{{ end }}',
    "a key in lower case": '{{ with secret "p" }}{{ .Data.data.key | replaceAll "a" "b" }}{{ end }}',
    "an action that is not closed": '{{ with secret "p" }}{{ end',
    "no end": '{{ with secret "p" }}',
    "an end too many": '{{ with secret "p" }}{{ end }}{{ end }}',
    "an else too many": '{{ with secret "p" }}{{ else }}{{ else }}{{ end }}',
    "data without a path": '{{ .Data.data.K | replaceAll "a" "b" }}',
    "an index without a path": '{{ with index .Data.data "K" }}{{ end }}',
    "a dot that is no value": '{{ with secret "p" }}{{ . | replaceAll "a" "b" }}{{ end }}',
    "a form that is refused in a branch not taken": (
        '{{ with secret "p" }}{{ with index .Data.data "NONE" }}{{ . }}{{ end }}{{ end }}'
    ),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_every_other_form_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(BadInput, match=r"^line 3: "):
        evaluate(f"\n\n{text}", {"p": {"K": "secret", "key": "secret"}})


def test_no_refusal_shows_a_value() -> None:
    with pytest.raises(BadInput) as refusal:
        evaluate('{{ with secret "p" }}{{ .Data.data.K }}{{ end }}', {"p": {"K": "hidden"}})
    assert "hidden" not in str(refusal.value)
