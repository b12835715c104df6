"""Templates: what they miss is named, and texts with braces of their own are rendered with other signs."""

from __future__ import annotations

import pytest

from infra.model.errors import BadInput
from infra.plan.templates import Templates


@pytest.mark.parametrize(
    ("name", "text"), [("x/a.sh.j2", "{{ nothing }}"), ("x/a.ctmpl.j2", "[[ nothing ]]")]
)
def test_a_template_that_misses_a_variable_is_refused_with_both_names(name: str, text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Templates({name: text}).render(name, other=1)
    assert name in str(refusal.value)
    assert "'nothing'" in str(refusal.value)


def test_braces_of_the_agents_own_language_stay_as_they_are() -> None:
    text = "{{ .Data }}{% x %}{# y #}[[ word ]][% if word %]\n yes\n[% endif %]\n[# why #]\n"
    assert (
        Templates({"a.ctmpl.j2": text}).render("a.ctmpl.j2", word="w") == "{{ .Data }}{% x %}{# y #}w yes\n"
    )


def test_brackets_of_a_shell_stay_as_they_are() -> None:
    text = '[[ -n "$x" ]] && {{ word }}\n'
    assert Templates({"a.sh.j2": text}).render("a.sh.j2", word="w") == '[[ -n "$x" ]] && w\n'
