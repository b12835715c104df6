"""The texts of an agent's files: what they name, and what every shell makes of them."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from infra.model.environments import environment
from infra.model.errors import BadInput
from infra.model.secret import SecretSpec
from infra.model.service import Service
from infra.plan.agent import AgentPlaces, agent_files, rows_of
from tests.plan.agent_stand_in import EACH_SHELL, PROJECT, SHELLS, TEMPLATES

NAMES = ["vault-agent.hcl", "secrets.ctmpl", "versions.ctmpl", "entrypoint.sh", "health.sh"]
WITH_SECRETS = [service for service in PROJECT.services if service.secrets]


def files(service: Service, name: str, places: AgentPlaces | None = None) -> dict[str, str]:
    where = environment(name)
    made = agent_files(service, where, PROJECT.name, "secret", TEMPLATES, places or AgentPlaces())
    return {file.name: file.text for file in made}


APP = PROJECT.service("app")


def keys_of(service: Service, name: str) -> dict[str, str]:
    return {row.key: row.form for row in rows_of(service, environment(name))}


@pytest.mark.parametrize("service", WITH_SECRETS, ids=lambda one: str(one.name))
@pytest.mark.parametrize("name", ["staging", "production", "canary", "pr_47"])
def test_an_agent_has_its_five_files_and_each_names_only_its_own_paths(service: Service, name: str) -> None:
    texts = files(service, name)
    assert list(texts) == NAMES
    allowed = f"secret/data/finance_report/{environment(name).store_path}/{service.name}"
    shared = f"secret/data/finance_report/preview/_shared/{service.name}"
    for text in (texts["secrets.ctmpl"], texts["versions.ctmpl"]):
        quoted = {word for word in text.split('"') if word.startswith("secret/")}
        assert quoted <= ({allowed, shared} if name == "pr_47" else {allowed})
    assert all(spec.key in texts["secrets.ctmpl"] for spec in service.secrets)


def test_the_same_facts_give_the_same_bytes() -> None:
    assert files(APP, "pr_47") == files(APP, "pr_47")


def test_keys_that_are_required_optional_or_shared_are_told_apart() -> None:
    optional = replace(APP, secrets=(*APP.secrets, SecretSpec("app", "SECRET_KEY", "generated")))
    optional = replace(
        optional,
        secrets=tuple(
            replace(one, optional_in=frozenset({"staging", "pr_47"})) if one.key == "SECRET_KEY" else one
            for one in optional.secrets
        ),
    )
    staging, preview = keys_of(optional, "staging"), keys_of(optional, "pr_47")
    assert (staging["SECRET_KEY"], preview["SECRET_KEY"]) == ("optional", "optional")
    assert (staging["OPENROUTER_API_KEY"], preview["OPENROUTER_API_KEY"]) == ("required", "shared")
    assert {form for key, form in preview.items() if key not in {"SECRET_KEY", "OPENROUTER_API_KEY"}} == {
        "required"
    }
    assert "SECRET_KEY" not in _required(files(optional, "staging")["health.sh"])
    assert "OPENROUTER_API_KEY" in _required(files(optional, "pr_47")["health.sh"])


def _required(script: str) -> list[str]:
    line = next(one for one in script.splitlines() if one.startswith("required="))
    return line.removeprefix("required='").removesuffix("'").split()


def test_the_canary_has_a_role_of_its_own_and_shares_no_key() -> None:
    assert set(keys_of(APP, "canary").values()) == {"required"}
    assert "role/finance_report-canary-app/secret-id" in files(APP, "canary")["entrypoint.sh"]


def test_the_entry_point_of_every_preview_takes_credentials_of_the_one_role() -> None:
    assert "auth/approle/role/finance_report-preview-app/secret-id" in files(APP, "pr_47")["entrypoint.sh"]


def test_the_configuration_keeps_to_what_the_manual_promises() -> None:
    text = files(APP, "staging")["vault-agent.hcl"]
    words = " ".join(text.split())
    for said in (
        "mode = 0600",
        "remove_secret_id_file_after_reading = false",
        "exit_on_retry_failure = false",
        'static_secret_render_interval = "5m"',
        'path = "/vault/token/.token"',
        'destination = "/vault/secrets/.env" perms = "0440" user = "0" group = "10001"',
        'destination = "/vault/secrets/.versions"',
    ):
        assert said in words
    assert words.count("error_on_missing_key = true") == 2
    assert "use_auto_auth_token" not in text


def test_the_template_names_its_keys_and_never_ranges_over_the_data() -> None:
    for name in ("staging", "pr_47"):
        texts = files(APP, name)
        assert "range" not in texts["secrets.ctmpl"] + texts["versions.ctmpl"]


def test_other_places_stand_in_every_file_and_no_owner_means_whoever_runs_it() -> None:
    places = AgentPlaces("/a b/s", "/a b/t", "/a b/c", "/a b/f", owner="", group="")
    texts = files(APP, "staging", places)
    assert "/vault/" not in "".join(texts.values()) + "".join(texts)
    assert not any(f"{word} " in texts["vault-agent.hcl"].replace("  ", " ") for word in (" user", " group"))
    for script in ("entrypoint.sh", "health.sh"):
        assert "secrets_folder='/a b/s'" in texts[script]


@pytest.mark.parametrize("path", ["relative", "/it's", '/a"b', "/back\\slash", "/new\nline", ""])
def test_a_place_that_could_break_out_of_its_quotes_is_refused(path: str) -> None:
    with pytest.raises(BadInput):
        AgentPlaces(secrets=path)


def test_a_service_without_secrets_has_no_agent() -> None:
    with pytest.raises(BadInput, match="router has no secrets"):
        files(PROJECT.service("router"), "staging")


@pytest.mark.parametrize("shell", EACH_SHELL)
@pytest.mark.parametrize("name", ["staging", "pr_47"])
def test_every_shell_reads_the_scripts_without_a_fault(shell: str, name: str) -> None:
    for service in WITH_SECRETS:
        for script in ("entrypoint.sh", "health.sh"):
            text = files(service, name)[script]
            done = subprocess.run(
                [*SHELLS[shell], "-n"], input=text, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, "")
