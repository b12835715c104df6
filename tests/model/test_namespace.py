"""The namespace of a checkout: never shared, always fit for a name."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from infra.model.errors import BadInput
from infra.model.namespace import LIMIT, checked, get_namespace, sanitize_namespace, shortened
from tests.model.yaml_cases import cases

ROOT = "/home/alice/finance_report"
WORDS = st.text("ab1-_/.A", min_size=1, max_size=8) | st.from_regex(r"\A[a-c]{1,2}(-[a-c]{1,2}){0,3}\Z")
BRANCHES = (
    WORDS | st.text(min_size=1, max_size=60) | st.sampled_from(["foo-gw1", "gw1", "a-beeba6ed", "x" * 80])
)
WORKSPACES = st.none() | BRANCHES


@pytest.mark.parametrize(("name", "clean"), cases("namespaces", "sanitized"))
def test_a_name_is_reduced_to_words_of_letters_and_digits(name: str, clean: str) -> None:
    assert sanitize_namespace(name) == clean


@pytest.mark.parametrize("name", cases("namespaces", "unusable"))
def test_a_name_of_which_nothing_is_left_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"a name is expected|holds no letter or digit"):
        sanitize_namespace(name)


@pytest.mark.parametrize(("branch", "workspace", "namespace"), cases("namespaces", "from_variables"))
def test_branch_and_workspace_variables_win_over_git(
    branch: str, workspace: str | None, namespace: str
) -> None:
    assert get_namespace(branch, workspace, "main", ROOT) == namespace
    assert get_namespace(branch, workspace, None, "/elsewhere") == namespace


@pytest.mark.parametrize(("branch", "workspace"), cases("namespaces", "refused_variables"))
def test_an_unusable_branch_or_workspace_is_refused_not_ignored(branch: str, workspace: str | None) -> None:
    with pytest.raises(BadInput) as refusal:
        get_namespace(branch, workspace, "main", ROOT)
    assert refusal.value.exit_code == 2
    assert refusal.value.next_step


@pytest.mark.parametrize(("git_branch", "namespace"), cases("namespaces", "from_git"))
def test_without_variables_git_and_the_checkout_decide(git_branch: str | None, namespace: str) -> None:
    assert get_namespace(None, None, git_branch, ROOT) == namespace
    assert get_namespace(" ", "alice", git_branch, ROOT) == namespace


def test_a_branch_of_git_that_leaves_nothing_is_called_branch() -> None:
    assert re.fullmatch("branch_[0-9a-f]{8}", get_namespace(None, None, "###", ROOT))
    assert get_namespace(None, None, "###", ROOT) != get_namespace(None, None, "日本", ROOT)


@given(BRANCHES, WORKSPACES, BRANCHES, WORKSPACES)
@example("a-b", "c", "a-b-c", None)
@example("a", "b-c", "a-b", "c")
@example("Feature-Auth", None, "feature-auth", None)
@example("feature/auth", None, "feature-auth", None)
@example("x" * 80, None, "x" * 81, None)
@example("foo", "gw1", "foo-gw1", None)
def test_two_different_branches_and_workspaces_never_share_a_namespace(
    branch: str, workspace: str | None, other_branch: str, other_workspace: str | None
) -> None:
    one, other = _identity(branch, workspace), _identity(other_branch, other_workspace)
    assume(one != other)
    names = [_namespace(*identity) for identity in (one, other)]
    assume(all(names))
    assert names[0] != names[1]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.integers(0, 4), st.integers(0, 4))
def test_no_words_dealt_between_branch_and_workspace_share_a_namespace(
    words: list[str], one: int, other: int
) -> None:
    deals = {("-".join(words[:at]), "-".join(words[at:])) for at in (one, other) if words[:at]}
    assert len({_namespace(*_identity(*deal)) for deal in deals}) == len(deals)


def _identity(branch: str, workspace: str | None) -> tuple[str, str | None]:
    assume(branch.strip())
    return branch, workspace if workspace and workspace.strip() else None


def _namespace(branch: str, workspace: str | None) -> str:
    try:
        return get_namespace(branch, workspace, None, ROOT)
    except BadInput:
        return ""


@given(st.none() | st.text(), WORKSPACES, st.none() | st.text(), st.text())
def test_every_namespace_has_the_shape_and_length_that_names_need(
    branch: str | None, workspace: str | None, git_branch: str | None, root: str
) -> None:
    try:
        namespace = get_namespace(branch, workspace, git_branch, root)
    except BadInput:
        assume(False)
    assert checked(namespace) == namespace
    assert len(namespace.encode("ascii")) <= LIMIT


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_checkouts_on_one_branch_have_two_namespaces(one: str, other: str) -> None:
    assume(one != other)
    for branch in ("main", "Feature/x", None):
        assert get_namespace(None, None, branch, one) != get_namespace(None, None, branch, other)


@given(st.from_regex(r"\A[a-z0-9]{1,9}(_[a-z0-9]{1,9}){0,9}\Z"))
def test_shortening_keeps_short_names_and_happens_once(namespace: str) -> None:
    short = shortened(namespace)
    assert shortened(short) == short
    assert (short == namespace) == (len(namespace) <= LIMIT)


@pytest.mark.parametrize("namespace", cases("names", "refused_namespaces"))
def test_what_is_no_namespace_or_looks_like_a_worker_is_refused(namespace: str) -> None:
    with pytest.raises(BadInput, match="is no namespace"):
        checked(namespace)
