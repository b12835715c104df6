"""What a smoke run will do is decided, and refused, before the first request."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.model.errors import BadInput, InfraError, Refused
from infra.model.smoke import Profile
from infra.plan.smoke import assign, choose_commit, choose_minimum, choose_target
from infra.verify.smoke_profiles import load_profile

SHA = "0123456789abcdef0123456789abcdef01234567"
LOCAL = "http://localhost:3000"
PRODUCTION_HOSTS = frozenset({"report.example.test"})


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile("finance_report", Path(__file__).parents[2])


@pytest.mark.parametrize(
    ("argument", "variable", "computed", "target"),
    [
        (None, None, LOCAL, LOCAL),
        ("http://a.example", None, LOCAL, "http://a.example"),
        (None, "http://a.example", LOCAL, "http://a.example"),
        ("http://a.example", "http://a.example", LOCAL, "http://a.example"),
        ("http://a.example/", "HTTP://A.example:80", LOCAL, "http://a.example"),
        ("https://a.example:443", None, LOCAL, "https://a.example"),
        ("http://[::1]:3000/", None, LOCAL, "http://[::1]:3000"),
    ],
)
def test_the_target_is_the_argument_else_the_variable_else_computed(
    argument: str | None, variable: str | None, computed: str, target: str
) -> None:
    assert choose_target(argument, variable, computed) == target


def test_a_target_given_twice_and_different_is_bad_input_that_shows_both() -> None:
    with pytest.raises(BadInput, match=r"--base-url=http://a\.example and BASE_URL=http://b\.example"):
        choose_target("http://a.example", "http://b.example", LOCAL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "localhost:3000",
        "http://",
        "http://a.example/app",
        "http://a.example?x=1",
        "http://u:p@a.example",
    ],
)
def test_what_is_no_base_url_is_bad_input_wherever_it_comes_from(text: str) -> None:
    for given in ((text, None, LOCAL), (None, text, LOCAL), (None, None, text)):
        with pytest.raises(BadInput, match=r"http\(s\)://host"):
            choose_target(*given)


def test_the_expected_commit_is_forty_digits_or_seven_at_least() -> None:
    assert choose_commit(SHA.upper(), None) == SHA
    assert choose_commit(None, SHA[:7]) == SHA[:7]
    assert choose_commit(None, None) is None
    for wrong in (SHA[:6], SHA + "0", "main", ""):
        with pytest.raises(BadInput, match="7 to 40"):
            choose_commit(wrong, None)


def test_a_commit_given_twice_and_different_is_bad_input() -> None:
    with pytest.raises(BadInput, match="differ"):
        choose_commit(SHA, SHA[:7])


@pytest.mark.parametrize("text", ["many", "", "1.5", "-1", "0", "٣"])
def test_a_minimum_that_is_no_number_of_checks_is_bad_input(text: str, profile: Profile) -> None:
    with pytest.raises(BadInput, match="number of checks"):
        choose_minimum(None, text)
    with pytest.raises(BadInput, match="number of checks"):
        assign(profile, LOCAL, environment_name="local", min_checks=text)


def test_a_minimum_is_a_number_or_none() -> None:
    assert choose_minimum("7", "7") == 7
    assert choose_minimum(None, None) is None


ROWS = {
    "local": ("local", {}, "1 2 3 4 5 6"),
    "a preview": ("pr_47", {}, "1 2 3-closed 4 5 6"),
    "staging extended": (
        "staging",
        {"extended": True},
        "1 2 3-closed 4 5 6 7 8-login 8-accounts 8-journal 8-reports 9 10 11 12",
    ),
    "staging extended and readonly": (
        "staging",
        {"extended": True, "mode": "readonly"},
        "1 2 3-closed 4 5 6 7 8-login 8-accounts 8-journal 8-reports 9 10 11",
    ),
    "production extended": (
        "production",
        {"extended": True},
        "1 2 3-closed 4 5 6 7 8-login 8-accounts 8-journal 8-reports 9 10 11",
    ),
    "GitHub CI": ("github_ci", {}, ""),
}


@pytest.mark.parametrize(("environment", "wishes", "rows"), ROWS.values(), ids=ROWS)
def test_rows_apply_by_environment_extent_and_mode_and_their_number_is_the_minimum(
    profile: Profile, environment: str, wishes: dict[str, object], rows: str
) -> None:
    made = assign(profile, LOCAL, environment_name=environment, **wishes)  # type: ignore[arg-type]  # a table
    assert [row.id for row in made.rows] == rows.split()
    assert made.minimum == max(1, len(rows.split()))


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ("production", LOCAL),
        ("staging", "https://report.example.test"),
        ("staging", "https://REPORT.example.test:8443"),
        ("local", "http://report.example.test."),
    ],
)
def test_production_is_readonly_and_recognised_by_name_and_by_host(
    profile: Profile, environment: str, url: str
) -> None:
    made = assign(profile, url, environment_name=environment, production_hosts=PRODUCTION_HOSTS)
    assert made.mode == "readonly"
    with pytest.raises(Refused) as refused:
        assign(profile, url, environment_name=environment, mode="write", production_hosts=PRODUCTION_HOSTS)
    assert refused.value.exit_code == 1


def test_elsewhere_write_is_the_default(profile: Profile) -> None:
    url = "https://report-staging.example.test"
    assert assign(profile, url, environment_name="staging", production_hosts=PRODUCTION_HOSTS).mode == "write"


@pytest.mark.parametrize("environment", ["", "stagging", "pr", "pr_0", "pr_007", "prod", "Production"])
def test_an_unknown_environment_is_bad_input_that_lists_the_known(profile: Profile, environment: str) -> None:
    with pytest.raises(BadInput, match="pr_<N>") as refused:
        assign(profile, LOCAL, environment_name=environment)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("environment", ["local", "production"])
def test_an_unknown_mode_is_bad_input(profile: Profile, environment: str) -> None:
    with pytest.raises(BadInput, match="readonly or write"):
        assign(profile, LOCAL, environment_name=environment, mode="rw")


def test_an_expected_commit_that_is_empty_is_a_fault_and_not_a_skip(profile: Profile) -> None:
    with pytest.raises(InfraError, match="no commit"):
        assign(profile, LOCAL, environment_name="local", expected_sha="")
