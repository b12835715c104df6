"""The platform's env: owners, encoder and parser, merge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.model.env_text import parse, pieces
from infra.model.environments import environment
from infra.model.errors import BadInput, Refused
from infra.model.hosts import AppDomain, PlatformDomain
from infra.model.secret import Secret
from infra.plan.platform_env import Owner, declared, encode, merge, owned, owner_of, released, signature
from tests.plan.scenes import COMMIT, RELEASE

SAFE = st.text("ABCabc019._:/@,+=-", max_size=12)
OWN: dict[Owner, tuple[str, ...]] = {
    "declared": ("ENV", "INFRA_ENV", "INTERNAL_DOMAIN", "ENV_SUFFIX", "OTEL_SERVICE_NAME"),
    "release": ("IMAGE_TAG", "GIT_COMMIT_SHA", "BACKEND_DIGEST"),
    "bootstrap": ("VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_WRAPPED_SECRET_ID"),
    "operator": ("FEATURE_X", "LOG_LEVEL"),
}
OPERATORS = OWN["operator"]
EVERY = [key for keys in OWN.values() for key in keys]
FOREIGN = st.sampled_from(
    ["# a comment", "", "export A=1", "  indented=1", 'QUOTED="a b"', "APP_NAME=x-1", "NOBODY=1", "no equals"]
)


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), SAFE))
def test_what_was_encoded_is_parsed_back(values: dict[str, str]) -> None:
    assert parse(encode(values)) == values


@pytest.mark.parametrize(
    "value", ["a b", "$HOME", "a#b", 'a"b', "a'b", "a\\b", "a\nb", "ü", "a%20b", "`id`", "a\rb"]
)
def test_a_value_that_a_platform_may_change_is_refused_by_key_and_not_shown(value: str) -> None:
    with pytest.raises(BadInput) as caught:
        encode({"LOG_LEVEL": value})
    assert "LOG_LEVEL" in str(caught.value)
    assert value not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a", "1A", "A-B", "A B", "A=B", "É"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match="is no key"):
        encode({key: "1"})


TEXTS = st.lists(st.one_of(FOREIGN, st.builds("{}={}".format, st.sampled_from(EVERY), SAFE)), max_size=14)


@given(TEXTS, st.sampled_from(list(OWN)), st.data())
def test_a_merge_makes_one_owners_keys_what_is_wanted_and_changes_nothing_else(
    lines: list[str], owner: Owner, data: st.DataObject
) -> None:
    current = "\n".join(lines)
    wanted = data.draw(st.dictionaries(st.sampled_from(OWN[owner]), SAFE))
    merged = merge(current, owner, wanted, OPERATORS)
    after = parse(merged.text)
    assert {key: value for key, value in after.items() if key in OWN[owner]} == wanted
    mine = tuple(f"{key}=" for key in OWN[owner])
    others = [line for line in current.split("\n") if not line.startswith(mine)]
    kept = [line for line in merged.text.split("\n") if not line.startswith(mine)]
    assert [line for line in kept if line] == [line for line in others if line]
    assert merge(merged.text, owner, wanted, OPERATORS).changed == ()


@given(TEXTS, st.data())
def test_two_owners_that_write_one_after_the_other_both_have_their_keys(
    lines: list[str], data: st.DataObject
) -> None:
    first = data.draw(st.dictionaries(st.sampled_from(OWN["declared"]), SAFE))
    second = data.draw(st.dictionaries(st.sampled_from(OWN["release"]), SAFE))
    text = merge(
        merge("\n".join(lines), "declared", first, OPERATORS).text, "release", second, OPERATORS
    ).text
    found = parse(text)
    assert {key: found[key] for key in (*first, *second)} == {**first, **second}


READ = {
    "A=1": {"A": "1"},
    "export A=1": {"A": "1"},
    "A: 1": {"A": "1"},
    "  A = 1 # why": {"A": "1"},
    "A=1#2": {"A": "1"},
    "A=": {"A": ""},
    "A=''": {"A": ""},
    "A= # later": {"A": ""},
    "A='1#2'": {"A": "1#2"},
    'A="1\\n2"': {"A": "1\n2"},
    "A='1\\n2'": {"A": "1\\n2"},
    "A='1\nB=2\n3'": {"A": "1\nB=2\n3"},
    "A=`1\r\n2`\r\nB=2\r\n": {"A": "1\n2", "B": "2"},
    "A='1\nB=2": {"A": "'1", "B": "2"},
    "A=1\nA=2": {"A": "2"},
    "A=1\rB=2": {"A": "1", "B": "2"},
    "# A=1\nA\n=\n": {"A": ""},
    "A:\nB=2": {"A": "B=2"},
    "no entry\n'A'=1": {},
}


@pytest.mark.parametrize("text", list(READ))
def test_a_text_of_somebody_else_is_read_as_the_platforms_own_parser_reads_it(text: str) -> None:
    """Each row was given to node-dotenv."""
    assert parse(text) == READ[text]


ATOMS = (
    "A",
    "ENV",
    "NOTE",
    "=",
    ":",
    " ",
    "\n",
    "\r\n",
    "'",
    '"',
    "`",
    "#",
    "export ",
    "1",
    "ENV=x\n",
    "B=it's\n",
)
HOSTILE = st.lists(st.sampled_from(ATOMS), max_size=20).map("".join)


@given(HOSTILE)
def test_no_character_of_a_text_is_lost_when_it_is_taken_apart(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text


@given(HOSTILE, st.dictionaries(st.sampled_from(OWN["declared"]), SAFE))
def test_in_any_text_a_merge_changes_no_value_of_others_or_refuses(text: str, wanted: dict[str, str]) -> None:
    try:
        merged = merge(text, "declared", wanted)
    except Refused:
        return
    others = {key: value for key, value in parse(text).items() if owner_of(key) != "declared"}
    assert parse(merged.text) == others | wanted
    assert merged.changed or merged.text == text


def test_a_key_within_somebodys_quotes_is_no_key() -> None:
    text = "NOTE='first\nENV=word\nlast'\nENV=old\n"
    assert merge(text, "declared", {"ENV": "new"}).text == "NOTE='first\nENV=word\nlast'\nENV=new\n"


def test_the_line_that_counts_is_the_one_that_is_replaced() -> None:
    text = "ENV=old # first\nexport ENV=older\n# end"
    assert merge(text, "declared", {"ENV": "new"}).text == "ENV=new\n# end"
    assert merge(text, "declared", {"ENV": "older"}).text == text


def test_a_broken_line_that_would_swallow_one_of_ours_stops_the_write() -> None:
    with pytest.raises(Refused, match="read A, ENV otherwise"):
        merge("A:\n", "declared", {"ENV": "new"})


def test_an_operators_key_keeps_a_value_that_could_not_be_written_today() -> None:
    text = "LOG_LEVEL='a b'\n"
    wanted = {**owned(text, "operator", OPERATORS), "FEATURE_X": "1"}
    assert merge(text, "operator", wanted, OPERATORS).text == "LOG_LEVEL='a b'\nFEATURE_X=1\n"


def test_a_secret_is_written_and_never_shown() -> None:
    merged = merge("", "bootstrap", {"VAULT_WRAPPED_SECRET_ID": Secret("hvs.once")})
    assert (parse(merged.text), "hvs" in repr(merged)) == ({"VAULT_WRAPPED_SECRET_ID": "hvs.once"}, False)


def test_the_first_write_ever_gives_just_the_wanted_keys() -> None:
    assert merge("", "declared", {"ENV": "staging"}).text == "ENV=staging\n"


def test_a_key_that_nobody_owns_is_kept_and_reported() -> None:
    merged = merge("NOBODY=1\nENV=old\n", "declared", {"ENV": "new"})
    assert (merged.text, merged.changed, merged.unowned) == ("NOBODY=1\nENV=new\n", ("ENV",), ("NOBODY",))


@pytest.mark.parametrize(
    ("owner", "key"),
    [
        ("declared", "VAULT_ADDR"),
        ("release", "ENV"),
        ("operator", "APP_NAME"),
        ("operator", "COMPOSE_PROJECT_NAME"),
        ("operator", "COMPOSE_FILE"),
        ("platform", "APP_NAME"),
        ("operator", "VAULT_ROLE_ID"),
        ("declared", "LOG_LEVEL"),
    ],
)
def test_a_key_of_another_owner_or_of_the_platform_is_refused(owner: Owner, key: str) -> None:
    with pytest.raises(BadInput, match=f"{key} is no key of {owner}"):
        merge("", owner, {key: "1"})


def test_a_required_key_that_would_be_missing_or_empty_stops_everything() -> None:
    text = "VAULT_ADDR=''\nVAULT_ROLE_ID= # later\n"
    with pytest.raises(Refused, match="would lack VAULT_ADDR, VAULT_ROLE_ID"):
        merge(text, "declared", {"ENV": "staging"}, required=("ENV", "VAULT_ADDR", "VAULT_ROLE_ID"))


def test_the_wrapped_token_is_blank_in_what_a_digest_covers() -> None:
    assert signature("A=1\nVAULT_WRAPPED_SECRET_ID=hvs.x\nB=2\n") == "A=1\nVAULT_WRAPPED_SECRET_ID=\nB=2\n"


def test_declared_and_release_keys_belong_to_their_owners_and_fit_the_alphabet() -> None:
    for name in ("pr_47", "canary", "staging", "production"):
        ours = declared(environment(name), AppDomain("app.test"), PlatformDomain("platform.test"), {})
        assert {owner_of(key) for key in ours} == {"declared"}
        assert (ours["INFRA_ENV"], ours["INTERNAL_DOMAIN"]) == (name, "platform.test")
        encode(ours)
    assert {owner_of(key) for key in released(RELEASE)} == {"release"}
    assert released(replace(RELEASE, version=""))["IMAGE_TAG"] == f"sha-{COMMIT}"
    assert released(RELEASE)["BACKEND_DIGEST"] == f"sha256:{'1' * 64}"
    encode(released(RELEASE))
