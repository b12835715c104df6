"""The credential of an agent that runs as a process: private, blanked after use, never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from infra.model.errors import CannotTell
from infra.model.places import Places
from infra.model.secret import Secret
from infra.targets.process import credentials, origin

BEAT = """time=2026-01-02T03:04:05Z
deploy=d-2
accessor=a
token_accessor=t
token_expires=2026-01-03T03:04:05Z
token_deploy=d-1
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(str(tmp_path / "root"), str(tmp_path / "memory"), "c", "127.0.0.1", {}, {}, (), "", {})


def deliver(places: Places) -> Path:
    credentials.deliver(places, "app", address="http://127.0.0.1:1", role_id="r", wrapped=Secret("hvs.x"))
    return Path(places.credential("app")) / "delivery"


def render(places: Places, name: str, text: str) -> None:
    file = Path(places.secrets_file("app")).with_name(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_a_delivery_is_a_private_file_that_a_shell_reads(places: Places) -> None:
    file = deliver(places)
    assert file.read_text(encoding="utf-8") == (
        "VAULT_ADDR='http://127.0.0.1:1'\nVAULT_CACERT_BYTES=''\nVAULT_ROLE_ID='r'\n"
        "VAULT_WRAPPED_SECRET_ID='hvs.x'\n"
    )
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert stat.S_IMODE(Path(places.root).stat().st_mode) == 0o711, "the database's user passes through"
    assert "hvs.x" not in repr(credentials.delivered(places, "app"))


def test_a_delivery_of_a_version_before_has_no_root_and_is_read(places: Places) -> None:
    file = deliver(places)
    known = credentials.delivered(places, "app")
    file.write_text(file.read_text(encoding="utf-8").replace("VAULT_CACERT_BYTES=''\n", ""), encoding="utf-8")
    before = credentials.delivered(places, "app")
    assert known is not None
    assert before is not None
    assert (before.address, before.root) == (known.address, "")


def test_blanking_forgets_the_wrapped_token_alone_and_may_be_repeated(places: Places) -> None:
    deliver(places)
    for _ in range(2):
        credentials.blank(places, "app")
        found = credentials.delivered(places, "app")
        assert found is not None
        assert (found.address, found.role_id, found.wrapped.reveal()) == ("http://127.0.0.1:1", "r", "")
    credentials.blank(places, "redis")
    assert credentials.delivered(places, "redis") is None


def test_an_agent_can_log_in_with_a_wrapped_token_or_with_what_it_unwrapped(places: Places) -> None:
    file = deliver(places)
    before = credentials.delivered(places, "app")
    credentials.blank(places, "app")
    blanked = credentials.delivered(places, "app")
    file.with_name("secret_id").write_text("x", encoding="utf-8")
    unwrapped = credentials.delivered(places, "app")
    assert [one and one.is_enough for one in (before, blanked, unwrapped)] == [True, False, True]


@pytest.mark.parametrize("text", ["", "VAULT_ADDR='x'\n", "rubbish"])
def test_a_broken_delivery_is_told_and_not_shown(places: Places, text: str) -> None:
    file = deliver(places)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CannotTell, match="is not what was delivered"):
        credentials.delivered(places, "app")


def test_a_heartbeat_is_read_whole_or_not_at_all(places: Places) -> None:
    assert credentials.heartbeat(places, "app") is None
    render(places, ".heartbeat", BEAT)
    found = credentials.heartbeat(places, "app")
    assert found is not None
    assert (found.deploy, found.token_deploy, found.accessor) == ("d-2", "d-1", "a")
    render(places, ".heartbeat", BEAT.partition("token_deploy")[0])
    assert credentials.heartbeat(places, "app") is None


def test_the_versions_say_which_path_was_rendered_and_when_it_was_read(places: Places) -> None:
    assert credentials.rendered_versions(places, "app") == ()
    render(places, ".versions", "secret/data/p/e/app 7 2026-01-02T03:04:05.5Z 2026-01-02T03:05:00Z\nhalf\n")
    (found,) = credentials.rendered_versions(places, "app")
    assert (found.path, found.version, found.read) == ("secret/data/p/e/app", 7, "2026-01-02T03:05:00Z")


def test_data_remember_the_store_that_made_their_passwords(places: Places) -> None:
    assert origin.made_with(places) == ""
    (Path(places.root) / "data/postgres").mkdir(parents=True)
    assert origin.made_with(places) == origin.FILE_STORE
    for _ in range(2):
        origin.remember(places, "cluster-1")
        assert origin.made_with(places) == "cluster-1"
