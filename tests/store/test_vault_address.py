"""Where a token may be sent, and where it may follow a redirect to."""

from __future__ import annotations

import pytest

from infra.model.errors import BadInput
from infra.store.vault.address import Astray, checked_address, host_of, redirected

ALLOWED = {
    "over TLS": ("https://vault.example.com:8200", ""),
    "over TLS below a path": ("https://gate.example.com/vault", ""),
    "this machine by name": ("http://localhost:8200", ""),
    "this machine by number": ("http://127.0.0.3:8200", ""),
    "this machine in IPv6": ("http://[::1]:8200", ""),
    "the host that the settings name": ("http://vault.lan:8200", "vault.lan"),
    "the same host written otherwise": ("http://VAULT.lan:8200", "Vault.lan"),
}
REFUSED = {
    "another host without TLS": ("http://vault.example.com:8200", ""),
    "another host than the named one": ("http://vault.example.com", "vault.lan"),
    "a host that begins like this machine": ("http://localhost.example.com", ""),
    "no scheme": ("vault.example.com:8200", ""),
    "another scheme": ("ftp://127.0.0.1", ""),
    "no host": ("https://", ""),
    "no number for a port": ("https://vault.example.com:eighty", ""),
    "a password": ("https://user:password@vault.example.com", ""),
    "a query": ("https://vault.example.com/?token=x", ""),
    "nothing": ("", ""),
}
GIVEN, LISTED = "https://a.example.com:8200", "b.example.com"
FOLLOWED = {
    "a node that is listed": (GIVEN, "https://b.example.com:8200"),
    "from a listed node back": ("https://b.example.com:8200", GIVEN),
    "the same host at another port": (GIVEN, "https://A.example.com"),
    "the same host with TLS": ("http://a.example.com:8200", "https://a.example.com:8200"),
    "the very same address": ("http://a.example.com:8200", "http://a.example.com:8200"),
}
LEFT = {
    "down from TLS": (GIVEN, "http://a.example.com:8200", "without TLS"),
    "a listed node without TLS": (GIVEN, "http://b.example.com:8200", "without TLS"),
    "another port without TLS": ("http://a.example.com:8200", "http://a.example.com:8300", "without TLS"),
    "a node that is not listed": (GIVEN, "https://c.example.com", r"c\.example\.com, which vault\.nodes"),
    "one that begins like a listed one": (GIVEN, "https://b.example.com.c.example", r"vault\.nodes"),
    "with a password": (GIVEN, "https://user:password@a.example.com", "must not follow"),
    "with a password of nobody": (GIVEN, "https://:password@a.example.com", "must not follow"),
    "with signs that a terminal obeys": (GIVEN, "https://\x1b[2Jb.example.com", "must not follow"),
    "no address": (GIVEN, "//", "must not follow"),
}


@pytest.mark.parametrize(("address", "allow_http"), ALLOWED.values(), ids=ALLOWED)
def test_an_address_is_taken_when_it_is_safe(address: str, allow_http: str) -> None:
    assert checked_address(f"{address}/", allow_http) == address


@pytest.mark.parametrize(("address", "allow_http"), REFUSED.values(), ids=REFUSED)
def test_an_address_is_refused_before_any_token_goes_there(address: str, allow_http: str) -> None:
    with pytest.raises(BadInput, match=r"vault\.address") as refused:
        checked_address(address, allow_http)
    assert "password" not in str(refused.value).replace("without a password", "")


def test_who_may_not_be_asked_without_tls_is_told_which_setting_allows_it() -> None:
    with pytest.raises(BadInput, match=r"vault\.allow_http: vault\.lan"):
        checked_address("http://vault.lan:8200")


def follow(here: str, path: str, location: str) -> str:
    return redirected(here, path, location, {host_of(GIVEN), LISTED})


@pytest.mark.parametrize(("here", "there"), FOLLOWED.values(), ids=FOLLOWED)
def test_a_redirect_is_followed_where_the_token_is_as_safe_as_before(here: str, there: str) -> None:
    assert follow(here, "secret/data/a?version=2", f"{there}/v1/secret/data/a?version=2") == there


@pytest.mark.parametrize(("here", "there", "words"), LEFT.values(), ids=LEFT)
def test_a_redirect_is_left_where_the_token_would_be_less_safe(here: str, there: str, words: str) -> None:
    with pytest.raises(Astray, match=words) as left:
        follow(here, "secret/data/a", f"{there}/v1/secret/data/a")
    assert str(left.value).isprintable()


@pytest.mark.parametrize("location", ["", "/login", "https://a.example.com/v1/secret/data/b"])
def test_a_redirect_to_another_path_is_no_standbys_and_is_left(location: str) -> None:
    with pytest.raises(Astray, match="must not follow"):
        follow(GIVEN, "secret/data/a", location)
