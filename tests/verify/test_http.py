"""The HTTP client: one deadline for everything, and a category for every way of getting no answer."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.model.answer import Answer, Category, NoAnswer
from infra.model.errors import BadInput
from infra.verify.http import ask
from infra.verify.loopback import Reply, dripping, hanging, refusing, serving
from tests.doubles.http_server import Certificate, Site, saying, self_signed, serving_tls


@pytest.fixture
def site() -> Site:
    return Site({"/": Reply(200, {"Content-Type": "text/html; charset=utf-8", "X-Two": "a"}, b"<html>hi")})


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with serving(site.answer) as base:
        yield base


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("tls"))


def _answer(url: str, **wishes: Any) -> Answer:
    said = ask(url, **wishes)
    assert isinstance(said, Answer), said
    return said


def _silence(url: str, **wishes: Any) -> NoAnswer:
    said = ask(url, **wishes)
    assert isinstance(said, NoAnswer), said
    return said


def test_an_answer_has_status_headers_in_lower_case_body_time_and_address(url: str) -> None:
    said = _answer(f"{url}/")
    assert (said.status, said.headers["x-two"], said.content_type) == (200, "a", "text/html")
    assert (said.body, said.url, said.refused_redirect) == (b"<html>hi", f"{url}/", "")
    assert 0 < said.ms < 5000


def test_method_query_headers_and_own_host_reach_the_server(url: str, site: Site) -> None:
    ask(f"{url}/a?b=1", method="OPTIONS", headers=[("Origin", url)])
    method, target, headers = site.asked[0]
    assert (method, target, headers["Origin"]) == ("OPTIONS", "/a?b=1", url)
    assert headers["Host"] == url.removeprefix("http://")


def test_a_404_and_a_500_are_answers(url: str, site: Site) -> None:
    site.replies["/broken"] = Reply(500)
    assert [_answer(url + path).status for path in ("/none", "/broken")] == [404, 500]


def test_a_body_is_cut_at_the_read_limit(url: str, site: Site) -> None:
    site.replies["/long"] = Reply(body=b"x" * 5000)
    assert len(_answer(f"{url}/long", read_limit=100).body) == 100
    assert len(_answer(f"{url}/long").body) == 5000


def test_proxy_variables_are_not_honoured(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert _answer(url).status == 200


def test_a_refused_connection_is_connect() -> None:
    with refusing() as url:
        assert _silence(url).category is Category.CONNECT


def test_a_name_that_does_not_exist_is_dns() -> None:
    assert _silence("http://no-such-host.invalid/").category is Category.DNS


def test_a_name_that_cannot_exist_is_dns() -> None:
    assert _silence(f"http://{'a' * 70}.example/").category is Category.DNS


def test_a_resolver_that_never_answers_ends_in_time_as_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> list[object]:
        time.sleep(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    said = _silence("http://slow.example/", timeout=0.2)
    assert said.category is Category.DNS
    assert said.ms < 5000


DRIPS = {
    "in the status line": b"",
    "in the headers": b"HTTP/1.1 200 OK\r\nX-Endless: ",
    "in a body of known length": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "in a body until the end": b"HTTP/1.1 200 OK\r\n\r\n",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
}


@pytest.mark.parametrize("beginning", DRIPS.values(), ids=DRIPS)
def test_a_server_that_drips_a_byte_at_a_time_ends_in_time(beginning: bytes) -> None:
    with dripping(beginning) as url:
        said = _silence(url, timeout=0.3)
    assert said.category is Category.TIMEOUT
    assert said.ms < 5000


def test_a_server_that_hangs_ends_in_time() -> None:
    with hanging() as url:
        said = _silence(url, timeout=0.2)
    assert said.category is Category.TIMEOUT
    assert said.ms < 5000


def test_a_hanging_tls_handshake_ends_in_time() -> None:
    with hanging() as url:
        said = _silence(url.replace("http:", "https:"), timeout=1.0)
    assert said.category is Category.TIMEOUT
    assert said.ms < 5000


BROKEN_ANSWERS = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "a body shorter than announced": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
    "a chunk shorter than announced": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
}


@pytest.mark.parametrize("said", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
def test_an_answer_that_is_not_whole_is_connect(said: bytes) -> None:
    with saying(said) as url:
        assert _silence(url).category is Category.CONNECT


def test_a_self_signed_certificate_is_tls(site: Site, pair: Certificate) -> None:
    with serving_tls(site.answer, pair) as url:
        said = _silence(url)
    assert said.category is Category.TLS
    assert "certificate" in said.detail
    assert site.asked == []


def test_a_ca_file_makes_a_private_certificate_good(site: Site, pair: Certificate) -> None:
    with serving_tls(site.answer, pair) as url:
        assert _answer(url, ca_file=str(pair.certificate)).status == 200


def test_a_certificate_of_another_name_is_tls(
    site: Site, pair: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_tls(site.answer, pair) as url:
        port = int(url.rpartition(":")[2])
        here = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
        said = _silence(f"https://other.example:{port}", ca_file=str(pair.certificate))
    assert said.category is Category.TLS


def test_plain_http_where_tls_is_expected_is_tls(url: str) -> None:
    assert _silence(url.replace("http:", "https:")).category is Category.TLS


@pytest.mark.parametrize("text", [None, "no certificate"], ids=["missing", "not PEM"])
def test_a_ca_file_that_cannot_be_used_is_bad_input(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"ca\.pem"):
        ask("https://127.0.0.1:1/", ca_file=str(file))


@pytest.mark.parametrize(
    "url", ["localhost:3000", "ftp://localhost/", "http://", "http://h:99999/", "http://h:x/", ""]
)
def test_what_is_no_address_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput, match="no address"):
        ask(url)


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(BadInput) as refused:
        ask("http://user:hunter2@localhost/")
    assert "hunter2" not in str(refused.value)


def test_a_redirect_on_the_same_host_is_followed(url: str, site: Site) -> None:
    site.replies |= {"/old": Reply(307, {"Location": "/new#part"}), "/new": Reply(body=b"here")}
    said = _answer(f"{url}/old")
    assert (said.status, said.body, said.url) == (200, b"here", f"{url}/new")


def test_a_redirect_to_another_host_is_not_followed_and_says_so(url: str, site: Site) -> None:
    other = Site({"/": Reply()})
    with serving(other.answer) as elsewhere:
        site.replies["/away"] = Reply(302, {"Location": f"{elsewhere}/"})
        said = _answer(f"{url}/away")
    assert (said.status, said.refused_redirect) == (302, "redirect_other_host")
    assert elsewhere in str(said)
    assert other.asked == []


def test_a_redirect_loop_ends_and_says_so(url: str, site: Site) -> None:
    site.replies |= {"/a": Reply(302, {"Location": "/b"}), "/b": Reply(302, {"Location": "/a"})}
    assert _answer(f"{url}/a").refused_redirect == "redirect_loop"
    assert len(site.asked) < 10


def test_redirects_share_one_deadline(site: Site) -> None:
    def slow(method: str, target: str, headers: Any) -> Reply:
        time.sleep(0.15)
        return site.answer(method, target, headers)

    site.replies["/a"] = Reply(302, {"Location": "/a"})
    with serving(slow) as slow_url:
        said = _silence(f"{slow_url}/a", timeout=0.35)
    assert said.category is Category.TIMEOUT


@pytest.mark.parametrize(("status", "method"), [(303, "GET"), (302, "GET"), (307, "POST"), (308, "POST")])
def test_a_redirected_post_keeps_its_method_only_where_http_says_so(
    url: str, site: Site, status: int, method: str
) -> None:
    site.replies["/from"] = Reply(status, {"Location": "/to"})
    ask(f"{url}/from", method="POST")
    assert [(one[0], one[1]) for one in site.asked] == [("POST", "/from"), (method, "/to")]


def test_what_is_shown_of_an_answer_is_one_short_printable_line(url: str, site: Site) -> None:
    site.replies["/odd"] = Reply(500, {"Content-Type": "text/plain"}, b"a\n\x1b[31mred\x00" + b"x" * 9999)
    shown = str(_answer(f"{url}/odd"))
    assert shown.startswith(r"500 text/plain a \x1b[31mred\x00")
    assert shown.isprintable()
    assert len(shown) < 250


def test_an_address_that_refuses_does_not_hide_the_next_one_of_the_name(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(url.rpartition(":")[2])
    with contextlib.closing(socket.socket()) as holder:
        holder.bind(("127.0.0.1", 0))
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
            for address in (holder.getsockname(), ("127.0.0.1", port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        assert _answer(f"http://localhost:{port}/").status == 200
