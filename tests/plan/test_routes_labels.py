"""The route table as container labels."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import pytest

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.errors import BadInput
from infra.model.hosts import platform_host
from infra.model.service import Route
from infra.plan.routes_labels import labels
from tests.plan.route_tables import DEPLOYED, PARTS, PLATFORM_DOMAIN, public_host

NETWORK = "dokploy-network"
UNROUTED = (("traefik.enable", "false"),)


def printed(name: str, part: str) -> tuple[tuple[str, str], ...]:
    return labels(PROJECT, environment(name), part, public_host(name), NETWORK)


def test_the_backend_is_routed_over_tls_below_its_prefix() -> None:
    router = "traefik.http.routers.finance-report-api-staging"
    middleware = "traefik.http.middlewares.finance-report-api"
    assert printed("staging", "backend") == (
        ("traefik.enable", "true"),
        ("traefik.docker.network", NETWORK),
        (f"{router}.rule", "Host(`report-staging.app.example`) && (Path(`/api`) || PathPrefix(`/api/`))"),
        (f"{router}.entrypoints", "websecure"),
        (f"{router}.tls", "true"),
        (f"{router}.tls.certresolver", "letsencrypt"),
        (f"{router}.priority", "100"),
        (f"{router}.service", "finance-report-api-staging"),
        (f"{router}.middlewares", "finance-report-api-served-by-staging,finance-report-api-strip-staging"),
        (f"{middleware}-served-by-staging.headers.customresponseheaders.X-Infra-Service", "backend"),
        (f"{middleware}-strip-staging.stripprefix.prefixes", "/api"),
        ("traefik.http.services.finance-report-api-staging.loadbalancer.server.port", "8000"),
    )


def test_the_frontend_takes_the_rest_of_the_host_and_the_redirect_from_plain_http() -> None:
    router = "traefik.http.routers.finance-report-web"
    middleware = "traefik.http.middlewares.finance-report-web"
    rest = "Host(`report.app.example`) && !(Path(`/api`) || PathPrefix(`/api/`))"
    assert printed("production", "frontend") == (
        ("traefik.enable", "true"),
        ("traefik.docker.network", NETWORK),
        (f"{router}.rule", rest),
        (f"{router}.entrypoints", "websecure"),
        (f"{router}.tls", "true"),
        (f"{router}.tls.certresolver", "letsencrypt"),
        (f"{router}.priority", "10"),
        (f"{router}.service", "finance-report-web"),
        (f"{router}.middlewares", "finance-report-web-served-by"),
        (f"{middleware}-served-by.headers.customresponseheaders.X-Infra-Service", "frontend"),
        ("traefik.http.services.finance-report-web.loadbalancer.server.port", "3000"),
        (f"{router}-http.rule", "Host(`report.app.example`)"),
        (f"{router}-http.entrypoints", "web"),
        (f"{router}-http.priority", "10"),
        (f"{router}-http.service", "finance-report-web"),
        (f"{router}-http.middlewares", "finance-report-web-https"),
        (f"{middleware}-https.redirectscheme.scheme", "https"),
        (f"{middleware}-https.redirectscheme.permanent", "true"),
    )


@pytest.mark.parametrize("part", sorted(PARTS - {"backend", "frontend"}))
def test_a_part_without_a_route_is_kept_from_the_router(part: str) -> None:
    assert printed("staging", part) == UNROUTED


def test_environments_on_one_traefik_share_no_name_and_no_host() -> None:
    names = [{key for key, _ in _of_all_parts(name) if key.startswith("traefik.http")} for name in DEPLOYED]
    assert sum(map(len, names)) == len(set(chain.from_iterable(names)))
    for name in DEPLOYED:
        texts = "".join(value for key, value in _of_all_parts(name) if key.endswith(".rule"))
        assert texts.count("Host(") == texts.count(f"Host(`{public_host(name)}`)") == 3


def test_no_label_holds_a_sign_that_compose_would_fill_in() -> None:
    assert not [pair for name in DEPLOYED for pair in _of_all_parts(name) if "$" in "".join(pair)]


def test_every_host_is_redirected_once() -> None:
    for name in DEPLOYED:
        plain = [key for key, value in _of_all_parts(name) if (value, key[-12:]) == ("web", ".entrypoints")]
        assert len(plain) == 1


def test_what_a_higher_route_answers_is_left_out_of_a_lower_one() -> None:
    """Its router is gone while its container is not healthy; nobody answers in its place."""
    service = PROJECT.service("app")
    rows = (*service.routes, Route("hooks", "frontend", 200, "/api/hooks"), Route("x", "frontend", 20, "/x"))
    project = replace(PROJECT, services=(replace(service, routes=rows),))
    texts = {
        key.split(".")[3]: value.partition(" && ")[2]
        for part in ("backend", "frontend")
        for key, value in labels(project, environment("staging"), part, public_host("staging"), NETWORK)
        if key.endswith(".rule")
    }
    hooks = "(Path(`/api/hooks`) || PathPrefix(`/api/hooks/`))"
    api, other = "(Path(`/api`) || PathPrefix(`/api/`))", "(Path(`/x`) || PathPrefix(`/x/`))"
    assert texts == {
        "hooks-staging": hooks,
        "finance-report-api-staging": f"{api} && !{hooks}",
        "x-staging": other,
        "finance-report-web-staging": f"!{hooks} && !{api} && !{other}",
        "finance-report-web-http-staging": "",
    }


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "report-staging",
        "report-staging.",
        "report-staging.example",
        "Report-staging.app.example",
        "report-staging.App.example",
        "report-staging.app.example:443",
        "report-staging.app.example.",
        "report-staging.app`) || Host(`x.example",
        "report-staging..example",
        "report.app.example",
        "report-pr-47.app.example",
        "report-staging-2.app.example",
        platform_host("cloud", PLATFORM_DOMAIN),
    ],
)
@pytest.mark.parametrize("part", ["backend", "frontend", "postgres"])
def test_a_host_that_is_not_the_environments_own_is_refused(host: str, part: str) -> None:
    with pytest.raises(BadInput):
        labels(PROJECT, environment("staging"), part, host, NETWORK)


@pytest.mark.parametrize("name", ["local", "local_ci", "github_ci"])
def test_without_a_suffix_no_environment_but_production_has_labels(name: str) -> None:
    with pytest.raises(BadInput, match="routes would be production's"):
        labels(PROJECT, environment(name), "backend", public_host("production"), NETWORK)


def test_a_deployed_environment_that_lost_its_suffix_is_refused() -> None:
    lost = replace(environment("staging"), domain_suffix="")
    with pytest.raises(BadInput, match="routes would be production's"):
        labels(PROJECT, lost, "frontend", "report.app.example", NETWORK)


@pytest.mark.parametrize("network", ["", " ", "a b", "${NET}", "-x"])
def test_a_network_that_can_be_none_is_refused(network: str) -> None:
    with pytest.raises(BadInput, match="is no network"):
        labels(PROJECT, environment("staging"), "backend", public_host("staging"), network)


def test_a_part_that_nobody_declared_is_no_part_without_routes() -> None:
    with pytest.raises(KeyError):
        printed("staging", "backnd")


def _of_all_parts(name: str) -> list[tuple[str, str]]:
    return [pair for part in ("backend", "frontend") for pair in printed(name, part)]
