"""Public hosts: two domains that never mix, and none that is no host."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.model.environments import environment
from infra.model.errors import BadInput
from infra.model.hosts import AppDomain, PlatformDomain, app_host, platform_host
from tests.model.yaml_cases import cases

STAGING = environment("staging")
APP = AppDomain("zitian.party")
PLATFORM = PlatformDomain("platform.example")


@pytest.mark.parametrize(("name", "env", "domain", "host"), cases("addresses", "app_hosts"))
def test_an_application_is_public_under_its_own_domain_with_the_suffix(
    name: str, env: str, domain: str, host: str
) -> None:
    assert app_host(name, environment(env), AppDomain(domain)) == host


@pytest.mark.parametrize(("name", "domain", "host"), cases("addresses", "platform_hosts"))
def test_a_platform_service_has_no_suffix(name: str, domain: str, host: str) -> None:
    assert platform_host(name, PlatformDomain(domain)) == host


@pytest.mark.parametrize("env", cases("addresses", "without_public_host"))
def test_what_is_not_deployed_never_gets_productions_host(env: str) -> None:
    with pytest.raises(BadInput, match=f"{env} has no public host"):
        app_host("report", environment(env), APP)


@pytest.mark.parametrize("wrong", [PLATFORM, "zitian.party", None], ids=str)
def test_an_application_host_takes_no_other_domain(wrong: Any) -> None:
    with pytest.raises(TypeError, match="AppDomain is expected"):
        app_host("report", STAGING, wrong)


@pytest.mark.parametrize("wrong", [APP, "platform.example", None], ids=str)
def test_a_platform_host_takes_no_other_domain(wrong: Any) -> None:
    with pytest.raises(TypeError, match="PlatformDomain is expected"):
        platform_host("vault", wrong)


def test_two_domains_of_one_name_are_not_the_same() -> None:
    assert AppDomain("zitian.party") == APP
    other: object = PlatformDomain("zitian.party")
    assert other != APP


@pytest.mark.parametrize("kind", [AppDomain, PlatformDomain])
@pytest.mark.parametrize("name", [*cases("addresses", "refused_domains"), f"{'a' * 64}.b", "a." * 130 + "b"])
def test_what_is_no_domain_is_refused(kind: type[AppDomain | PlatformDomain], name: str) -> None:
    with pytest.raises(BadInput, match="is no domain"):
        kind(name)


@pytest.mark.parametrize("label", [*cases("addresses", "refused_labels"), "a" * 64])
def test_a_name_that_is_no_label_makes_no_host(label: str) -> None:
    with pytest.raises(BadInput, match="is no host name"):
        app_host(label, STAGING, APP)
    with pytest.raises(BadInput, match="is no host name"):
        platform_host(label, PLATFORM)


def test_a_suffix_that_makes_the_label_or_the_host_too_long_is_refused() -> None:
    with pytest.raises(BadInput, match="is no host name"):
        app_host("a" * 60, STAGING, APP)
    with pytest.raises(BadInput, match="is no host name"):
        app_host("report", STAGING, AppDomain("a." * 125 + "b"))


def test_a_host_may_have_253_characters_and_no_more() -> None:
    longest = AppDomain("a." * 118 + "bc")
    assert len(app_host("report-x", environment("production"), AppDomain("a." * 121 + "bc"))) == 253
    assert len(app_host("report", STAGING, longest)) == 253
    with pytest.raises(BadInput, match="is no host name"):
        app_host("reports", STAGING, longest)


@given(st.text() | st.from_regex(r"\A[a-z0-9.-]{1,40}\Z"))
def test_no_accepted_domain_can_leave_a_host_rule_or_an_address(name: str) -> None:
    try:
        host = app_host("report", STAGING, AppDomain(name))
    except BadInput:
        return
    assert set(host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert host == f"report-staging.{name}"
