"""Where a redirect may lead."""

from __future__ import annotations

import pytest

from infra.plan.redirect import redirect_fault, redirect_target

CASES = [
    ("http://a.example/x", "/y", ""),
    ("http://a.example/x", "y", ""),
    ("http://a.example/x", "//a.example/y", ""),
    ("http://a.example/x", "http://A.example:80/y", ""),
    ("http://a.example/x", "https://a.example/y", ""),
    ("http://a.example:8080/x", "https://a.example:8443/y", ""),
    ("https://a.example/x", "https://a.example:443/", ""),
    ("https://a.example/x", "http://a.example/y", "redirect_downgrade"),
    ("http://a.example/x", "http://b.example/y", "redirect_other_host"),
    ("http://a.example/x", "//b.example/y", "redirect_other_host"),
    ("http://a.example/x", "https://a.example.evil.example/", "redirect_other_host"),
    ("http://a.example/x", "http://a.example@b.example/", "redirect_other_host"),
    ("http://a.example/x", "http://user@a.example/", "redirect_other_host"),
    ("http://localhost:3000/", "http://localhost:8000/", "redirect_other_host"),
    ("http://localhost/", "http://127.0.0.1/", "redirect_other_host"),
    ("http://a.example/", "ftp://a.example/", "redirect_other_host"),
    ("http://a.example/", "javascript:alert(1)", "redirect_other_host"),
    ("http://a.example/", "http://a.example:99999/", "redirect_other_host"),
]


@pytest.mark.parametrize(("url", "location", "fault"), CASES)
def test_only_the_same_server_and_its_https_may_be_followed(url: str, location: str, fault: str) -> None:
    assert redirect_fault(url, redirect_target(url, location)) == fault
