"""An env that is written, read back and compared."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infra.model.env_text import parse
from infra.model.errors import BadInput, CannotTell, Refused, StoreError
from infra.model.observed import Absent, Found, Unknown
from infra.plan.platform_env import merge
from infra.stages.write_env import write_env


class Platform:
    """A platform that keeps what it is told, or makes something else of it."""

    def __init__(self, text: str | None = "", *unkind: Callable[[str], str]) -> None:
        self.text, self.unkind, self.writes = text, list(unkind), 0

    def read(self) -> Found[str] | Absent | Unknown:
        return Absent() if self.text is None else Found(self.text)

    def write(self, text: str) -> None:
        self.writes += 1
        self.text = self.unkind.pop(0)(text) if self.unkind else text


def dropping(text: str) -> str:
    return text.replace("ENV=staging\n", "")


def beside(text: str) -> str:
    """Give what stands there when another owner writes in the same moment."""
    return merge(text, "release", {"IMAGE_TAG": "v2"}).text


def test_the_first_ever_write_and_a_repeat_that_writes_nothing() -> None:
    home = Platform(None)
    assert write_env(home, "declared", {"ENV": "staging"}).changed == ("ENV",)
    assert write_env(home, "declared", {"ENV": "staging"}).changed == ()
    assert (home.text, home.writes) == ("ENV=staging\n", 1)


def test_a_write_that_was_lost_is_tried_once_more() -> None:
    home = Platform("IMAGE_TAG=v1\n", dropping)
    write_env(home, "declared", {"ENV": "staging"})
    assert (parse(home.text or ""), home.writes) == ({"IMAGE_TAG": "v1", "ENV": "staging"}, 2)


def test_a_write_that_is_lost_twice_is_told_by_its_keys_and_not_by_values() -> None:
    home = Platform("", dropping, dropping)
    with pytest.raises(StoreError, match="twice: ENV") as caught:
        write_env(home, "declared", {"ENV": "staging"})
    assert "staging" not in str(caught.value)


def test_a_value_that_the_platform_alters_is_noticed() -> None:
    def alter(text: str) -> str:
        return text.replace("staging", "STAGING")

    with pytest.raises(StoreError, match="twice: ENV"):
        write_env(Platform("", alter, alter), "declared", {"ENV": "staging"})


def test_what_another_owner_writes_meanwhile_is_kept() -> None:
    home = Platform("", beside)
    write_env(home, "declared", {"ENV": "staging"})
    assert parse(home.text or "") == {"ENV": "staging", "IMAGE_TAG": "v2"}


def test_an_env_that_cannot_be_read_is_never_written() -> None:
    home = Platform()
    home.read = lambda: Unknown("timeout")  # type: ignore[method-assign]  # a platform that does not answer
    with pytest.raises(CannotTell, match="cannot be read: timeout"):
        write_env(home, "declared", {"ENV": "staging"})
    assert home.writes == 0


@pytest.mark.parametrize("wanted", [{"ENV": "a b"}, {"VAULT_ADDR": "x"}])
def test_bad_input_stops_before_the_first_write(wanted: dict[str, str]) -> None:
    home = Platform()
    with pytest.raises(BadInput):
        write_env(home, "declared", wanted)
    with pytest.raises(Refused):
        write_env(home, "declared", {"ENV": "x"}, required=("VAULT_ROLE_ID",))
    assert home.writes == 0


def test_keys_of_others_that_are_gone_after_a_write_are_told_and_nothing_is_tried_again() -> None:
    home = Platform("HINT=kept\nVAULT_ROLE_ID=1\n", lambda text: text.replace("VAULT_ROLE_ID=1\n", ""))
    with pytest.raises(StoreError, match="keys of others: VAULT_ROLE_ID"):
        write_env(home, "declared", {"ENV": "staging"})
    assert home.writes == 1


def test_a_value_of_nobodys_key_that_the_platform_alters_is_noticed() -> None:
    home = Platform("HINT='a#b'\n", lambda text: text.replace("'a#b'", "a#b"))
    with pytest.raises(StoreError, match="keys of others: HINT"):
        write_env(home, "declared", {"ENV": "staging"})


def test_what_another_owner_changes_meanwhile_stays_changed() -> None:
    home = Platform("IMAGE_TAG=v1\n", beside)
    write_env(home, "declared", {"ENV": "staging"})
    assert (parse(home.text or ""), home.writes) == ({"ENV": "staging", "IMAGE_TAG": "v2"}, 1)


def test_a_write_over_another_writers_is_made_again_upon_what_that_one_wrote() -> None:
    home = Platform("", lambda _text: "IMAGE_TAG=v2\n")
    assert write_env(home, "declared", {"ENV": "staging"}).changed == ("ENV",)
    assert (home.text, home.writes) == ("IMAGE_TAG=v2\nENV=staging\n", 2)


def test_an_env_that_cannot_be_read_back_is_not_taken_for_written() -> None:
    home = Platform("")
    answers: list[Found[str] | Unknown] = [Found(""), Unknown("timeout")]
    home.read = lambda: answers.pop(0)  # type: ignore[method-assign]  # a platform that stops answering
    with pytest.raises(CannotTell, match="cannot be read: timeout"):
        write_env(home, "declared", {"ENV": "staging"})
