"""The client of Vault, against the double: what is tried again, what is said, and who sees the token."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.model.errors import BadInput, Denied, InfraError, Sealed, StoreError, Unreachable
from infra.model.secret import Secret
from infra.store.vault import wire
from infra.store.vault.client import VaultClient
from infra.verify.loopback import Reply, refusing, serving
from tests.doubles.http_server import Certificate, self_signed, serving_tls
from tests.doubles.vault_api import POOR, ROOT, Fault, VaultApi, vault_api

REPO = Path(__file__).parents[2]
PATH = "secret/data/finance_report/staging/app"
BODY = {"data": {"A": "a value that nobody shows"}}
PASSING = {
    "its storage away": Fault("status", 500),
    "no active node": Fault("status", 500, "local node not active but active cluster node not found"),
    "a gate without a Vault behind it": Fault("status", 502),
    "a node that is behind": Fault("status", 412, "required index state not present"),
    "too many questions": Fault("status", 429, 'request path "x": rate limit quota exceeded'),
    "a connection that breaks": Fault("hang up"),
    "half an answer": Fault("half"),
    "an answer that is no JSON": Fault("wrong JSON"),
}
LASTING = {
    "its storage away": (Fault("status", 500), StoreError),
    "a gate without a Vault behind it": (Fault("status", 502), Unreachable),
    "a node that is behind": (Fault("status", 412), Unreachable),
    "too many questions": (Fault("status", 429), Unreachable),
    "a connection that breaks": (Fault("hang up"), Unreachable),
    "half an answer": (Fault("half"), Unreachable),
    "an answer that is no JSON": (Fault("wrong JSON"), StoreError),
}
FINAL = {
    "a method that is not allowed there": (Fault("status", 401), StoreError),
    "a teapot": (Fault("status", 418), StoreError),
    "a way that no token may go": (Fault("redirect", location="http://10.0.0.1/v1/" + PATH), StoreError),
    "a way to another path": (Fault("redirect", location="/ui/"), StoreError),
}


@pytest.fixture
def client(api: VaultApi) -> VaultClient:
    return client_of(api)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PATIENCE", 0.15)


def client_of(api: VaultApi, token: str | None = ROOT) -> VaultClient:
    return VaultClient(api.address, Secret(token) if token else None, pause=0.001)


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again_three_times_at_most(
    api: VaultApi, client: VaultClient, fault: Fault
) -> None:
    client.call("POST", PATH, BODY)
    api.faults = [fault] * 3
    assert client.call("GET", PATH).data["data"] == BODY["data"]
    api.asked.clear()
    api.faults = [fault] * 4
    with pytest.raises(InfraError):
        client.call("GET", PATH)
    assert api.asked == [("GET", f"/v1/{PATH}")] * 4


@pytest.mark.parametrize(("fault", "kind"), LASTING.values(), ids=LASTING)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_does_not_pass_has_its_error_and_next_step_and_shows_no_value(
    api: VaultApi, client: VaultClient, fault: Fault, kind: type[InfraError], method: str
) -> None:
    api.faults = [fault] * 4
    with pytest.raises(kind) as raised:
        client.call(method, PATH, BODY if method == "POST" else None)
    assert type(raised.value) is kind
    assert raised.value.next_step == "./inv vault.status"
    assert api.address in str(raised.value) or PATH in str(raised.value)
    assert "nobody shows" not in repr(raised.value)


@pytest.mark.parametrize(("fault", "kind"), FINAL.values(), ids=FINAL)
def test_what_will_not_pass_is_not_tried_again(
    api: VaultApi, client: VaultClient, fault: Fault, kind: type[InfraError]
) -> None:
    api.faults = [fault]
    with pytest.raises(kind):
        client.call("GET", PATH)
    assert len(api.asked) == 1


def test_the_words_of_an_error_are_left_out_where_something_was_sent(
    api: VaultApi, client: VaultClient
) -> None:
    api.faults = [Fault("status", 500, "cannot store: a value that nobody shows")] * 4
    with pytest.raises(StoreError, match=r"answered 500$"):
        client.call("POST", PATH, BODY)
    api.faults = [Fault("status", 500, "local node not active")] * 4
    with pytest.raises(StoreError, match="answered 500: local node not active"):
        client.call("GET", PATH)


def test_the_pauses_between_tries_grow(api: VaultApi, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    api.faults = [Fault("status", 500)] * 3
    VaultClient(api.address, Secret(ROOT)).call("GET", PATH)
    assert pauses == [0.1, 0.2, 0.4]


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("fault", [Fault("slow"), Fault("drip")], ids=["silent", "dripping"])
def test_a_slow_server_costs_the_patience_and_no_more(api: VaultApi, fault: Fault) -> None:
    api.faults = [fault] * 4
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"no whole answer within 0\.15 s"):
        client_of(api).call("GET", PATH)
    assert 4 * 0.15 <= time.monotonic() - began < 6


def test_five_seconds_are_the_patience() -> None:
    assert wire.PATIENCE == 5


def test_nobody_at_the_address_is_unreachable() -> None:
    with refusing() as address, pytest.raises(Unreachable, match="nobody takes the connection") as raised:
        VaultClient(address, Secret(ROOT), pause=0.001).call("GET", PATH)
    assert address in str(raised.value)


def test_a_certificate_that_nobody_vouches_for_is_not_talked_to(tmp_path: Path) -> None:
    heard: list[str] = []

    def answering(_method: str, target: str, _headers: object) -> Reply:
        heard.append(target)
        return Reply(200, {}, b'{"data": {"A": "1"}}')

    pair = self_signed(tmp_path)
    with serving_tls(answering, pair) as address:
        with pytest.raises(StoreError, match="certificate is not trusted"):
            VaultClient(address, Secret(ROOT)).call("GET", PATH)
        assert heard == []
        trusting = VaultClient(address, Secret(ROOT), root=pair.certificate.read_text("ascii"))
        assert trusting.call("GET", PATH).data == {"A": "1"}


def test_a_sealed_server_is_told_with_its_progress_and_asked_once(api: VaultApi, client: VaultClient) -> None:
    api.is_sealed, api.progress = True, 2
    with pytest.raises(Sealed, match="sealed, 2 of 3 keys are given") as raised:
        client.call("GET", PATH)
    assert raised.value.next_step == f"vault operator unseal -address={api.address}"
    assert [target for _, target in api.asked] == [f"/v1/{PATH}", "/v1/sys/seal-status"]
    assert api.tokens[1] == ""


DENIED = {
    "a policy that is too small": (POOR, "not allowed to look at itself", "vault login"),
    "a token that is dead": ("expired", "expired, revoked", "vault login"),
    "no token at all": (None, "no token was given", "vault login"),
}


@pytest.mark.parametrize(("token", "words", "step"), DENIED.values(), ids=DENIED)
def test_a_refusal_names_path_and_capability_and_is_never_tried_again(
    api: VaultApi, token: str | None, words: str, step: str
) -> None:
    with pytest.raises(Denied) as raised:
        client_of(api, token).call("POST", PATH, BODY)
    assert f"create or update is needed on {PATH}" in str(raised.value)
    assert words in str(raised.value)
    assert raised.value.next_step.startswith(step)
    assert [target for _, target in api.asked].count(f"/v1/{PATH}") == 1


def test_a_refused_token_that_lives_is_asked_what_it_may(api: VaultApi, client: VaultClient) -> None:
    api.faults = [Fault("status", 403, "1 error occurred:\n\t* permission denied\n\n")]
    with pytest.raises(Denied, match="read is needed") as raised:
        client.call("GET", f"{PATH}?version=2")
    assert raised.value.next_step == f"vault token capabilities -address={api.address} {PATH}"


def test_a_token_that_was_lent_is_used_for_nothing_but_the_call(api: VaultApi, client: VaultClient) -> None:
    with pytest.raises(Denied):
        client.call("POST", "sys/wrapping/unwrap", token=Secret("a wrapping token"))
    assert api.tokens == ["a wrapping token"]


@pytest.mark.parametrize("token", ["", "hvs.abc\n", "hvs.a b", "größe"])
def test_what_cannot_be_a_token_is_refused_without_showing_it(api: VaultApi, token: str) -> None:
    with pytest.raises(BadInput, match="token") as refused:
        VaultClient(api.address, Secret(token))
    assert not token or token not in str(refused.value)


def test_an_anonymous_call_carries_no_token(api: VaultApi, client: VaultClient) -> None:
    client.call("GET", "sys/seal-status", anonymous=True)
    assert api.tokens == [""]


@pytest.mark.parametrize("status", [429, 472, 473, 501, 503])
def test_a_status_that_is_expected_is_an_answer(api: VaultApi, client: VaultClient, status: int) -> None:
    api.faults = [Fault("status", status, "Vault is sealed")]
    assert client.call("GET", PATH, expected={429, 472, 473, 501, 503}).status == status
    assert len(api.asked) == 1


def test_one_connection_is_kept_for_all_calls(api: VaultApi, client: VaultClient) -> None:
    for _ in range(5):
        client.call("POST", PATH, BODY)
        client.call("GET", "secret/data/nothing")
    assert api.connections == 1


NODE = "localhost"  # another host than 127.0.0.1, with a certificate of the same root


@pytest.fixture
def pair(tmp_path: Path) -> Certificate:
    return self_signed(tmp_path)


@pytest.fixture
def standby(pair: Certificate) -> Iterator[VaultApi]:
    with vault_api(pair) as double:
        yield double


@pytest.fixture
def active(pair: Certificate) -> Iterator[VaultApi]:
    with vault_api(pair) as double:
        yield double


def in_tls(api: VaultApi, pair: Certificate, *nodes: str) -> VaultClient:
    root = pair.certificate.read_text("ascii")
    return VaultClient(api.address, Secret(ROOT), root=root, nodes=nodes, pause=0.001)


def test_a_standby_is_followed_to_the_active_node_with_method_body_and_token(
    standby: VaultApi, active: VaultApi, pair: Certificate
) -> None:
    node = active.address.replace("127.0.0.1", NODE)
    standby.faults = [Fault("redirect", location=f"{node}/v1/{PATH}")] * 2
    client = in_tls(standby, pair, NODE)
    client.call("POST", PATH, BODY)
    assert client.call("GET", PATH).data["data"] == BODY["data"]
    assert active.tokens == [ROOT, ROOT]
    assert standby.engine.entries == {}


def test_a_node_that_the_settings_do_not_list_gets_no_token_though_its_certificate_is_good(
    standby: VaultApi, active: VaultApi, pair: Certificate
) -> None:
    node = active.address.replace("127.0.0.1", NODE)
    standby.faults = [Fault("redirect", location=f"{node}/v1/{PATH}")]
    with pytest.raises(StoreError, match=f"the node {NODE}, which vault.nodes does not list") as refused:
        in_tls(standby, pair, "vault-2.example.com").call("GET", PATH)
    assert refused.value.next_step.startswith(f'vault: {{nodes: ["{NODE}"]}}')
    assert (active.asked, len(standby.asked)) == ([], 1)


def test_a_listed_node_gets_no_token_without_tls(standby: VaultApi, api: VaultApi, pair: Certificate) -> None:
    plain = api.address.replace("127.0.0.1", NODE)
    standby.faults = [Fault("redirect", location=f"{plain}/v1/{PATH}")]
    with pytest.raises(StoreError, match="without TLS"):
        in_tls(standby, pair, NODE).call("GET", PATH)
    assert api.asked == []


def test_a_neighbours_port_gets_no_token_from_a_server_without_tls(
    api: VaultApi, client: VaultClient
) -> None:
    with vault_api() as neighbour:
        api.faults = [Fault("redirect", location=f"{neighbour.address}/v1/{PATH}")]
        with pytest.raises(StoreError, match="a token must not follow"):
            client.call("GET", PATH)
        assert neighbour.asked == []


def test_a_server_with_a_root_of_its_own_is_known_by_it_alone(
    standby: VaultApi, pair: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the roots of this machine, be it that one of them made the certificate."""
    (tmp_path / "other").mkdir()
    other = self_signed(tmp_path / "other").certificate.read_text("ascii")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(pair.certificate))
    assert VaultClient(standby.address, Secret(ROOT)).call("GET", "sys/health").status == 200
    with pytest.raises(StoreError, match="certificate is not trusted"):
        VaultClient(standby.address, Secret(ROOT), root=other).call("GET", "sys/health")
    assert len(standby.asked) == 1


def test_a_circle_of_redirects_ends(api: VaultApi, client: VaultClient) -> None:
    api.faults = [Fault("redirect", location=f"{api.address}/v1/{PATH}")] * 20
    with pytest.raises(Unreachable, match="circle"):
        client.call("GET", PATH)


def test_a_token_never_follows_to_another_host(api: VaultApi, client: VaultClient) -> None:
    heard: list[str] = []

    def answering(_method: str, target: str, _headers: object) -> Reply:
        heard.append(target)
        return Reply()

    with serving(answering) as stranger:
        location = f"{stranger.replace('127.0.0.1', 'vault.example.com')}/v1/{PATH}"
        api.faults = [Fault("redirect", location=location)]
        with pytest.raises(StoreError, match="a token must not follow"):
            client.call("GET", PATH)
    assert heard == []


def test_what_other_programs_read_from_the_environment_changes_nothing(
    api: VaultApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".vault-token").write_text("of the command line", encoding="ascii")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b", encoding="ascii")
    with refusing() as proxy:
        for name, value in {
            "HOME": str(tmp_path),
            "VAULT_TOKEN": "of somebody else",
            "VAULT_ADDR": proxy,
            "HTTP_PROXY": proxy,
            "http_proxy": proxy,
            "ALL_PROXY": proxy,
            "REQUESTS_CA_BUNDLE": str(tmp_path / "nothing"),
        }.items():
            monkeypatch.setenv(name, value)
        client_of(api).call("GET", PATH)
        with pytest.raises(Denied):
            client_of(api, None).call("GET", PATH)
    assert set(api.tokens) == {ROOT, ""}


def test_neither_token_nor_values_show_in_any_repr(client: VaultClient) -> None:
    answer = client.call("POST", PATH, BODY)
    read = client.call("GET", PATH)
    ask = wire.Ask("GET", PATH, {"X-Vault-Token": ROOT}, b"a value that nobody shows")
    shown = f"{client!r} {answer!r} {read!r} {ask!r} {vars(read) if hasattr(read, '__dict__') else ''}"
    assert ROOT not in shown
    assert "nobody shows" not in shown


def test_nothing_heavy_is_imported_before_a_client_is_made() -> None:
    script = (
        "import sys; import infra.store.vault.client, infra.store.vault.kv;"
        "print(sorted({'hvac', 'requests', 'urllib3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_page_of_a_gate_is_told_by_its_status() -> None:
    replies = {"502": Unreachable, "500": StoreError, "200": StoreError, "403": StoreError, "404": StoreError}

    def answering(_method: str, target: str, _headers: object) -> Reply:
        return Reply(int(target.rpartition("/")[2]), {}, b"<html>no Vault here</html>")

    with serving(answering) as gate:
        for status, kind in replies.items():
            with pytest.raises(kind) as raised:
                VaultClient(gate, None, pause=0.001).call("GET", f"page/{status}")
            assert type(raised.value) is kind
