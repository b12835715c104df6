"""Units to compose text: exact, complete, and the digest that covers it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from infra.model.errors import BadInput
from infra.model.release import UNRESOLVED, Image
from infra.model.service import Service
from infra.model.unit import Bundle, bundle_from_json
from infra.plan.compose import blank, bundle_of, stamped
from infra.plan.compose_text import block, quoted
from infra.plan.container_scene import ContainerScene
from infra.plan.roster import roster
from infra.plan.templates import Templates
from tests.plan.scenes import EVERY, scene, unread


def bundles(at: ContainerScene) -> dict[str, Bundle]:
    return {one.name: bundle_of(one, at) for one in roster(at.project, at.environment, at.target)}


def compose(name: str, service: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(bundles(scene(name))[service].text)
    return found


def service(name: str) -> Service:
    return scene("staging").project.service(name)


@pytest.mark.parametrize("name", EVERY)
def test_the_same_input_gives_the_same_bytes_and_every_text_is_a_compose_file(name: str) -> None:
    first, second = bundles(scene(name)), bundles(scene(name))
    assert {one: first[one].text for one in first} == {one: second[one].text for one in second}
    for one in first.values():
        parsed = yaml.safe_load(one.text)
        assert list(parsed["services"]) == [unit.box.name for unit in one.units if unit.box]


EXPECTED = {
    "staging": ("finance_report-postgres-staging", "https://report-staging.app.test"),
    "production": ("finance_report-postgres", "https://report.app.test"),
    "pr_47": ("finance_report-postgres-pr-47", "https://report-pr-47.app.test"),
    "canary": ("finance_report-postgres-canary", "https://report-canary.app.test"),
}


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("local", ["postgres", "redis", "minio", "router", "app"]),
        ("local_ci", ["postgres", "redis", "minio"]),
        ("github_ci", ["postgres", "redis", "minio"]),
        ("pr_47", ["postgres", "redis", "minio", "app"]),
        ("staging", ["postgres", "redis", "app"]),
        ("production", ["postgres", "redis", "app"]),
    ],
)
def test_each_environment_has_its_own_services(name: str, services: list[str]) -> None:
    assert list(bundles(scene(name))) == services


@pytest.mark.parametrize("name", list(EXPECTED))
def test_names_and_addresses_carry_the_suffix_of_their_environment(name: str) -> None:
    database, url = EXPECTED[name]
    assert database in compose(name, "postgres")["services"]
    backend = next(text for key, text in compose(name, "app")["services"].items() if "backend" in key)
    assert f"PUBLIC_URL={url}" in backend["environment"]
    assert f"INFRA_ENV={name}" in backend["environment"]


def test_a_secret_consumer_waits_for_its_agent_and_shares_a_folder_in_memory_with_it() -> None:
    for name in ("postgres", "redis", "app"):
        parsed = compose("staging", name)
        agent = f"finance_report-{name}-vault-agent-staging"
        consumer = next(
            one for key, one in parsed["services"].items() if key != agent and "frontend" not in key
        )
        assert consumer["depends_on"][agent] == {"condition": "service_healthy"}
        mounts = {one["target"]: one for one in consumer["volumes"]}
        assert mounts["/secrets"] == {
            "type": "volume",
            "source": "secrets",
            "target": "/secrets",
            "read_only": True,
        }
        assert "/vault/secrets" in {one["target"] for one in parsed["services"][agent]["volumes"]}
        assert parsed["volumes"]["secrets"]["driver_opts"]["type"] == "tmpfs"


def test_only_the_first_service_makes_the_network_and_only_routed_parts_join_the_ingress() -> None:
    assert compose("staging", "postgres")["networks"] == {
        "internal": {"name": "finance_report-internal-staging"}
    }
    app = compose("staging", "app")
    assert app["networks"]["internal"]["external"] is True
    assert app["networks"]["ingress"] == {"name": "dokploy-network", "external": True}
    joined = [key for key, one in app["services"].items() if "ingress" in one["networks"]]
    assert joined == ["finance_report-backend-staging", "finance_report-frontend-staging"]


def test_data_of_staging_and_production_lies_on_the_host_that_of_previews_in_volumes() -> None:
    found = {name: compose(name, "postgres")["services"] for name in ("staging", "production", "pr_47")}
    mounts = {
        name: next(one for key, box in services.items() if "agent" not in key for one in box["volumes"])
        for name, services in found.items()
    }
    assert mounts["staging"]["source"] == "/data/finance_report/postgres-staging"
    assert mounts["production"]["source"] == "/data/finance_report/postgres"
    assert (mounts["pr_47"]["type"], mounts["pr_47"]["source"]) == ("volume", "postgres_data")


def test_production_gives_the_database_more_memory_and_no_port_is_published_where_it_is_deployed() -> None:
    assert compose("production", "postgres")["services"]["finance_report-postgres"]["mem_limit"] == "1024m"
    assert (
        compose("staging", "postgres")["services"]["finance_report-postgres-staging"]["mem_limit"] == "512m"
    )
    for name in ("pr_47", "canary", "staging", "production"):
        texts = [one.text for one in bundles(replace(scene(name), ports={"postgres": 5432})).values()]
        assert not any("ports" in box for text in texts for box in yaml.safe_load(text)["services"].values())
    assert compose("local", "postgres")["services"]["finance-report-db"]["ports"] == ["127.0.0.1:5432:5432"]


def test_staging_and_production_differ_in_declared_fields_alone() -> None:
    """Suffix, names, weight, limits of time and memory; nothing else tells them apart."""
    pairs = zip(bundles(scene("staging")).values(), bundles(scene("production")).values(), strict=True)
    for mine, theirs in pairs:
        text = (
            mine.text.replace("report-staging-", "report-production-")
            .replace("-staging", "")
            .replace("=staging", "=production")
            .replace("/staging/", "/production/")
        )
        text = text.replace(", staging:", ", production:").replace("cpu_shares: 512", "cpu_shares: 1024")
        left = {
            (a.strip(), b.strip())
            for a, b in zip(text.splitlines(), theirs.text.splitlines(), strict=True)
            if a != b
        }
        allowed = (
            "mem_limit",
            "INFRA_MIGRATION_SECONDS",
            "INFRA_SERVER_SECONDS",
            "-ge",
            "'Secrets did not arrive",
            "checkpoint 1 fail",
        )
        assert not [pair for pair in left if not any(word in pair[0] for word in allowed)]


def test_the_marks_are_filled_in_when_it_is_sent_and_blank_in_what_is_compared() -> None:
    text = bundles(scene("staging"))["app"].text
    sent = stamped(text, "b" * 64, "20260102T030405000-ab12")
    labels = yaml.safe_load(sent)["services"]["finance_report-backend-staging"]["labels"]
    assert f"infra.bundle={'b' * 64}" in labels
    assert "infra.deploy=20260102T030405000-ab12" in labels
    assert '"INFRA_DEPLOY=20260102T030405000-ab12"' in sent
    assert blank(sent) == text != sent


def test_only_what_reads_secrets_carries_the_mark_of_its_deploy() -> None:
    labels = {key: one["labels"] for key, one in compose("staging", "app")["services"].items()}
    marked = [key for key, words in labels.items() if any(word.startswith("infra.deploy=") for word in words)]
    assert marked == ["finance_report-app-vault-agent-staging", "finance_report-backend-staging"]


CHANGES = {
    "a template": lambda at: replace(
        at, templates=Templates({**texts(at), "entrypoint/redis.sh.j2": "#!/bin/sh\n"})
    ),
    "a secret's version": lambda at: replace(at, versions={**at.versions, "redis": 4}),
    "an image": lambda at: replace(
        at, images={**at.images, "redis": replace(at.images["redis"], digest=f"sha256:{'2' * 64}")}
    ),
    "the platform's env": lambda at: replace(at, platform_domain=type(at.platform_domain)("other.test")),
}


def texts(at: ContainerScene) -> dict[str, str]:
    return dict(at.templates._texts)


@pytest.mark.parametrize("what", list(CHANGES))
def test_the_digest_moves_with(what: str) -> None:
    before = scene("staging")
    after = CHANGES[what](before)
    assert bundle_of(service("redis"), before).digest != bundle_of(service("redis"), after).digest


def test_the_digest_of_one_service_does_not_move_with_another_ones_secrets() -> None:
    before = scene("staging")
    after = replace(before, versions={**(before.versions or {}), "redis": 9})
    assert bundle_of(service("postgres"), before).digest == bundle_of(service("postgres"), after).digest


def test_where_versions_or_images_are_unknown_the_digest_is_and_nobody_invents_one() -> None:
    bundle = bundle_of(service("app"), unread("staging"))
    assert bundle.digest == ""
    assert bundle.unread == ("the secrets' versions", "the image of backend", "the image of frontend")
    assert f"finance_report-backend@{UNRESOLVED}" in bundle.text


def test_a_bundle_survives_the_ledger() -> None:
    bundle = bundle_of(service("app"), scene("staging"))
    kept = bundle_from_json(json.loads(json.dumps(bundle.as_json())))
    assert (kept, kept.digest) == (bundle, bundle.digest)


def test_a_template_with_an_undefined_variable_is_told_by_name() -> None:
    broken = Templates({**texts(scene("staging")), "compose/compose.yaml.j2": "{{ nobody }}"})
    with pytest.raises(BadInput, match=r"templates/compose/compose\.yaml\.j2: 'nobody' is undefined"):
        bundle_of(service("redis"), replace(scene("staging"), templates=broken))


def without(name: str) -> dict[str, Image]:
    return {key: one for key, one in scene("staging").images.items() if key != name}


def test_an_image_that_nobody_pinned_is_refused() -> None:
    with pytest.raises(BadInput, match=r"'redis' is not in finance_report/images\.yaml"):
        bundle_of(service("redis"), replace(scene("staging"), images=without("redis")))


def test_strict_mode_keeps_the_bootstrap_credential_in_memory() -> None:
    strict = bundle_of(service("app"), replace(scene("staging"), is_strict=True))
    agent = yaml.safe_load(strict.text)["services"]["finance_report-app-vault-agent-staging"]
    assert any(one.startswith("/vault/cred:") for one in agent["tmpfs"])
    assert "credential" not in yaml.safe_load(strict.text)["volumes"]


HOSTILE = [
    "$HOME",
    "$${X}",
    "a\"b'c\\",
    "# no comment",
    "yes",
    "1_000",
    "0b11",
    "2026-01-02",
    "ü €",
    "tab\there",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_string_arrives_as_it_is(text: str) -> None:
    """Read by YAML, then by compose, which makes one dollar of two."""
    assert str(yaml.safe_load(quoted(text))).replace("$$", "$") == text


TEXTS = [
    "#!/bin/sh\necho $X\n",
    "a: b\n\n  c\n",
    " begins with a blank\n",
    "no newline",
    "two\n\n",
    "\ttab\n",
    "bell\a\n",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_file_arrives_byte_for_byte(text: str) -> None:
    written = f"content: {block(text, 4)}\nnext: 1\n"
    assert yaml.safe_load(written)["content"].replace("$$", "$") == text


def test_a_service_without_secrets_has_no_agent_and_mounts_none() -> None:
    plain = replace(service("redis"), secrets=())
    parsed = yaml.safe_load(bundle_of(plain, scene("staging")).text)
    assert list(parsed["services"]) == ["finance_report-redis-staging"]
    assert "/secrets" not in str(parsed["services"]["finance_report-redis-staging"].get("volumes"))


def test_images_that_are_built_here_are_built_on_a_pinned_one() -> None:
    built = bundle_of(service("app"), replace(scene("staging"), source="/srv/app"))
    frontend = yaml.safe_load(built.text)["services"]["finance_report-frontend-staging"]
    assert frontend["build"]["context"] == "/srv/app/apps/frontend"
    base, *others = frontend["build"]["args"]
    assert (base.partition("@")[0], others) == ("BASE=python", ["NEXT_PUBLIC_API_URL="])
    assert built.unread == ()
