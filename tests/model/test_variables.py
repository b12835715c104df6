"""Which variables of a caller's shell a program sees, and which of them the application is let have."""

from __future__ import annotations

from typing import get_args

import pytest

import finance_report
from infra.model.errors import BadInput
from infra.model.passed import DELIVERED, OF_OTHERS, passed
from infra.model.safety import REQUIRED
from infra.model.variables import SEEN, Kind, seen_by
from infra.plan.units import bundle_of
from tests.plan.test_development import SCENE

HOME = {"HOME": "/home/one", "LOGNAME": "one", "PATH": "/bin", "TMPDIR": "/var/tmp", "USER": "one"}
GROUPS = {
    "vault": {"VAULT_ADDR": "https://v.test", "VAULT_TOKEN": "t", "BAO_ADDR": "b", "VAULT_CACERT": "c"},
    "engine": {"DOCKER_HOST": "tcp://d.test", "DOCKER_CONTEXT": "far", "DOCKER_CONFIG": "/d"},
    "proxy": {"HTTP_PROXY": "p", "https_proxy": "p", "ALL_PROXY": "p", "no_proxy": "in.test"},
    "roots": {"SSL_CERT_FILE": "/r", "REQUESTS_CA_BUNDLE": "/r", "NODE_EXTRA_CA_CERTS": "/r"},
    "index": {"PIP_INDEX_URL": "i", "UV_INDEX": "i", "npm_config_registry": "i", "GOPROXY": "i"},
    "npm": {"npm_config_script_shell": "/evil", "NODE_OPTIONS": "--require=x", "NODE_ENV": "production"},
    "go": {"GOFLAGS": "-mod=mod", "GOOGLE_APPLICATION_CREDENTIALS": "/key"},
    "libpq": {"PGHOST": "far.test", "PGHOSTADDR": "192.0.2.1", "PGSSLMODE": "require", "PSQLRC": "/rc"},
    "stores": {"REDIS_URL": "r", "AWS_ACCESS_KEY_ID": "a", "S3_ENDPOINT": "s", "DATABASE_URL": "d"},
    "git": {"GIT_DIR": "/g", "GIT_CONFIG_GLOBAL": "/g", "XDG_CONFIG_HOME": "/c"},
    "python": {"PYTHONPATH": "/p", "PYTHONWARNINGS": "error", "PYTEST_ADDOPTS": "-k none"},
    "language": {"LANG": "de_DE", "LC_ALL": "xx_YY", "LANGUAGE": "de", "TZ": "Asia/Tokyo"},
    "invoke": {"INVOKE_RUN_DRY": "1", "INV_CWD": "/here"},
    "terminal": {"TERM": "xterm", "NO_COLOR": "1"},
    "person": {"PAGER": "less", "CI": "true", "XDG_CACHE_HOME": "/cache", "DISPLAY": ":0"},
    "names that only begin alike": {"PATHS": "x", "HOMEBREW": "x", "PIPES": "x", "UVW": "x"},
}
SHELL = {**HOME, **{name: text for group in GROUPS.values() for name, text in group.items()}}
INSTALLS = frozenset(
    {
        *("HTTP_PROXY", "https_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "XDG_CACHE_HOME"),
        *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
        *("PIP_INDEX_URL", "UV_INDEX", "npm_config_registry", "GOPROXY"),
    }
)
TERMINAL = frozenset({"TERM", "NO_COLOR"})
EXPECTED: dict[Kind, frozenset[str]] = {
    "ourselves": TERMINAL | {"XDG_CACHE_HOME"},
    "tool": frozenset(),
    "shell": TERMINAL | {"PAGER"},
    "git": frozenset({"XDG_CONFIG_HOME"}),
    "engine": frozenset({"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"}),
    "installer": INSTALLS,
    "application": TERMINAL | {"CI"},
    "browser": TERMINAL | {"CI", "DISPLAY"},
    "repository": TERMINAL | INSTALLS | {"CI"},
}


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_program_sees_what_is_for_its_kind_and_nothing_else_of_a_full_shell(kind: Kind) -> None:
    seen = seen_by(kind, SHELL)
    assert seen.keys() == {*HOME, "LANG", *EXPECTED[kind]}
    assert seen["LANG"] == "C.UTF-8"


def test_every_kind_has_a_row() -> None:
    assert SEEN.keys() == EXPECTED.keys() == set(get_args(Kind))


def test_what_is_not_set_is_not_made_up() -> None:
    assert seen_by("repository", {"PATH": "/bin"}) == {"PATH": "/bin", "LANG": "C.UTF-8"}


@pytest.mark.parametrize(
    ("caller", "exceptions"),
    [
        ({"HTTP_PROXY": "p"}, "localhost,127.0.0.1,::1"),
        ({"http_proxy": "p", "NO_PROXY": "a.test"}, "a.test,localhost,127.0.0.1,::1"),
        ({"all_proxy": "p", "NO_PROXY": "a.test", "no_proxy": "b.test"}, "b.test,localhost,127.0.0.1,::1"),
        ({"HTTP_PROXY": ""}, None),
    ],
)
def test_no_proxy_stands_between_us_and_this_machine(caller: dict[str, str], exceptions: str | None) -> None:
    seen = seen_by("installer", caller)
    if exceptions is None:
        assert "NO_PROXY" not in seen
    else:
        assert (seen["NO_PROXY"], seen["no_proxy"]) == (exceptions, exceptions)


def test_named_variables_go_through_and_one_that_is_not_set_is_said() -> None:
    found = passed(["FEATURE", "TZ", "GONE"], {"FEATURE": "a'b\nc", "TZ": "UTC", "OTHER": "x"}, ())
    assert found.values == {"FEATURE": "a'b\nc", "TZ": "UTC"}
    assert found.words == ("! app.environment: GONE is not set here, the application goes without it",)
    assert "a'b" not in repr(found)


def test_the_digest_tells_values_apart_and_holds_none() -> None:
    one, other = (passed(["A", "B"], {"A": text, "B": "2"}, ()) for text in ("1", "3"))
    assert one.digest != other.digest
    assert one.digest == passed(["B", "A"], {"A": "1", "B": "2"}, ()).digest
    assert passed(["A"], {}, ()).digest == ""
    assert len(passed(["A"], {"A": "\udcff"}, ()).digest) == len(one.digest) == 32


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DATABASE_URL", "is a key of a secret"),
        ("PATH", "gets from here"),
        ("TESTING", "gets from here"),
        ("INFRA_SECRETS_FILE", "for other programs"),
        ("VAULT_TOKEN", "for other programs"),
        ("DOCKER_HOST", "for other programs"),
    ],
)
def test_what_is_delivered_or_meant_for_others_is_refused(name: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"app.environment: {name} .*{said}") as refusal:
        passed(["FEATURE", name], {}, {"DATABASE_URL"})
    assert refusal.value.next_step == "take it out of app.environment in invoke.yaml"


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput, match="2 faults") as refusal:
        passed(["PATH", "INFRA_ENV"], {}, ())
    assert [line.split()[0] for line in refusal.value.evidence] == ["PATH", "INFRA_ENV"]


def test_every_variable_that_a_unit_of_the_application_gets_is_known_as_delivered() -> None:
    units = bundle_of(finance_report.PROJECT.service("app"), SCENE).units
    names = {name for unit in units for name, _ in unit.environment} | REQUIRED.keys()
    assert {name for name in names if name not in DELIVERED and not name.startswith(OF_OTHERS)} == set()
