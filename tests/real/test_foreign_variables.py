"""The main commands under a shell full of wishes that were meant for other programs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from string import Template

import psutil
import pytest

from tests.real.conftest import Checkout

ASTRAY = "\\echo astray\n\\quit\n"
FOREIGN = """
PGHOST=db.test
PGHOSTADDR=127.0.0.9
PGPORT=$PORT
PGUSER=nobody
PGDATABASE=other
PGPASSWORD=wrong-password
PGPASSFILE=$FILE
PGSERVICE=far
PGSERVICEFILE=$FILE
PGSYSCONFDIR=/nowhere
PGSSLMODE=require
PGREQUIRESSL=1
PGSSLNEGOTIATION=direct
PGSSLCERT=$FILE
PGSSLKEY=$FILE
PGSSLROOTCERT=$FILE
PGCHANNELBINDING=require
PGGSSENCMODE=require
PGREQUIREAUTH=gss
PGREQUIREPEER=nobody
PGTARGETSESSIONATTRS=standby
PGLOADBALANCEHOSTS=nonsense
PGCONNECT_TIMEOUT=nonsense
PGCLIENTENCODING=LATIN1
PGOPTIONS=-c default_transaction_read_only=on
PSQLRC=$FILE
PSQL_PAGER=false
http_proxy=http://$ADDRESS
https_proxy=http://$ADDRESS
all_proxy=http://$ADDRESS
HTTP_PROXY=http://$ADDRESS
HTTPS_PROXY=http://$ADDRESS
ALL_PROXY=http://$ADDRESS
SSL_CERT_FILE=$FILE
REQUESTS_CA_BUNDLE=$FILE
CURL_CA_BUNDLE=$FILE
NODE_EXTRA_CA_CERTS=$FILE
REDIS_URL=redis://$ADDRESS/0
REDISCLI_AUTH=astray
REDIS_HOST=r.test
AWS_ENDPOINT_URL=http://$ADDRESS
AWS_ACCESS_KEY_ID=foreign-key
AWS_CA_BUNDLE=$FILE
AWS_PROFILE=astray
S3_ENDPOINT=http://$ADDRESS
S3_BUCKET=foreign-bucket
GIT_DIR=$FILE
GIT_WORK_TREE=$FILE
GIT_INDEX_FILE=$FILE
GIT_CONFIG_GLOBAL=$FILE
GIT_CONFIG_COUNT=nonsense
GIT_CEILING_DIRECTORIES=/
GIT_EXEC_PATH=/nowhere
PIP_INDEX_URL=http://$ADDRESS
PIP_REQUIRE_VIRTUALENV=1
UV_INDEX_URL=http://$ADDRESS
UV_OFFLINE=1
GOPROXY=http://$ADDRESS
GOFLAGS=-nonsense
NODE_OPTIONS=--nonsense
npm_config_registry=http://$ADDRESS
npm_config_script_shell=/bin/false
NPM_CONFIG_USERCONFIG=$FILE
PYTHONIOENCODING=ascii:strict
PYTHONHASHSEED=0
PYTHONOPTIMIZE=1
PYTHONWARNINGS=error
PYTEST_ADDOPTS=--nonsense
LANG=xx_YY.ISO-8859-1
LC_ALL=POSIX
LC_MESSAGES=de_DE.UTF-8
LANGUAGE=de
TZ=Asia/Kathmandu
INVOKE_RUN_DRY=1
INVOKE_RUN_ECHO=1
DOCKER_HOST=tcp://$ADDRESS
DOCKER_CONTEXT=nowhere
DOCKER_TLS_VERIFY=1
COMPOSE_FILE=$FILE
COMPOSE_PROJECT_NAME=NONSENSE
COMPOSE_PROFILES=nonsense
VAULT_ADDR=http://$ADDRESS
VAULT_TOKEN=foreign-vault-token
VAULT_NAMESPACE=astray
BAO_ADDR=http://$ADDRESS
OPENROUTER_API_KEY=foreign-api-key
UVICORN_PORT=1
WEB_CONCURRENCY=7
ALEMBIC_CONFIG=$FILE
BASH_ENV=$FILE
ENV=$FILE
"""
NAMED = {"SHOP_COLOUR": "viridian green", "SHOP_TOKEN": "token-of-the-shop"}
OTHER = "burnt umber"
# What each is told on stdin, how it ends, and a word of its answer.
COMMANDS: dict[str, tuple[str, int, str]] = {
    "finance_report.app.plan": ("", 0, ""),
    "finance_report.status": ("", 0, "backend"),
    "finance_report.app.setup": ("", 0, "http://127.0.0.1:"),
    "finance_report.app.logs": ("", 0, ""),
    "finance_report.app.rollback": ("", 1, ""),
    "smoke --env local": ("", 0, "/api/health"),
    "doctor": ("", 0, "postgres"),
    "lock.status": ("", 0, ""),
    "finance_report.postgres.shell": ("SELECT 'é'\\g\nSHOW client_encoding\\g\n", 0, "UTF8"),
    "finance_report.postgres.shell --superuser": ("SHOW default_transaction_read_only\\g\n", 0, "off"),
    "finance_report.redis.shell": ("PING\n", 0, "True"),
    "db.current": ("", 0, "the database is at"),
    "test.names": ("", 0, "finance_report_test"),
    "env.show": ("", 0, "SHOP_COLOUR"),
    "lint.compose --env staging": ("", 2, ""),
    "vault.render --env staging --service app --offline": ("", 0, "DATABASE_URL"),
}


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """Give a listener that nobody may ever ask."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def foreign(port: int, folder: Path) -> dict[str, str]:
    """Give a shell that leads everybody astray: to a listener on this port, or to a file of nonsense."""
    file = folder / "astray"
    file.write_text(ASTRAY, encoding="utf-8")
    words = Template(FOREIGN).substitute(ADDRESS=f"127.0.0.1:{port}", PORT=port, FILE=file).split("\n")
    return dict(word.split("=", 1) for word in words if word)


def break_home(home: Path) -> None:
    """Fill a home folder with what libpq and psql read by themselves."""
    (home / ".postgresql").mkdir()
    for name in ("postgresql.crt", "postgresql.key", "root.crt"):
        (home / ".postgresql" / name).write_text("astray", encoding="utf-8")
    (home / ".pgpass").write_text("*:*:*:*:wrong-password\n", encoding="utf-8")
    (home / ".pgpass").chmod(0o600)
    (home / ".pg_service.conf").write_text("[far]\nhost=db.test\n", encoding="utf-8")
    (home / ".psqlrc").write_text(ASTRAY, encoding="utf-8")


@pytest.mark.real("PG", "CACHE", "APP")
def test_the_callers_shell_changes_no_outcome_and_reaches_no_process_but_by_name(
    checkout: Checkout, trap: socket.socket
) -> None:
    """Two listeners hear nobody; what app.environment names is in the application and in no record."""
    break_home(checkout.home)
    checkout.settings(f"object_store: none\napp: {{environment: [{', '.join(NAMED)}, SHOP_GONE]}}\n")
    shell = foreign(trap.getsockname()[1], checkout.folder)
    made = checkout.run("finance_report.setup", **shell, **NAMED)
    assert made.code == 0, made.err
    assert "SHOP_GONE is not set here" in made.err
    with socket.create_server(("127.0.0.9", checkout.ports["postgres"])) as elsewhere:
        elsewhere.setblocking(False)
        said = [*_tried(checkout, {**shell, **NAMED}), *_changed(checkout, shell)]
        for listener in (trap, elsewhere):
            with pytest.raises(BlockingIOError):
                listener.accept()
    for process in (
        *(one for many in checkout.processes().values() for one in many),
        *checkout.supervisors(),
    ):
        assert _held(process, shell) == {}
    values = {*NAMED.values(), OTHER}
    assert not [text for text in values if text in "".join(said)]
    assert _files_with(checkout, values) == {"passed"}
    gone = checkout.run("finance_report.destroy", "--yes", **shell)
    assert (gone.code, checkout.processes()) == (0, {}), gone.err
    assert _files_with(checkout, values) == set()


def _tried(checkout: Checkout, shell: dict[str, str]) -> Iterator[str]:
    """Give what each command printed, which ends and answers as it does in any shell."""
    for words, (stdin, code, said) in COMMANDS.items():
        done = checkout.run(*words.split(), stdin=stdin, **shell)
        assert (words, done.code) == (words, code), done.err
        assert said in done.out, words
        yield done.out + done.err


def _changed(checkout: Checkout, shell: dict[str, str]) -> Iterator[str]:
    """Give what is printed while a named variable changes and goes back with the release before."""
    assert _colours(checkout) == dict.fromkeys(("backend", "frontend"), NAMED["SHOP_COLOUR"])
    other = {**shell, **NAMED, "SHOP_COLOUR": OTHER}
    for words, code, colour in (
        ("plan", 3, NAMED["SHOP_COLOUR"]),
        ("setup", 0, OTHER),
        ("rollback", 0, NAMED["SHOP_COLOUR"]),
    ):
        done = checkout.run(f"finance_report.app.{words}", **other)
        assert (words, done.code) == (words, code), done.err
        assert _colours(checkout) == dict.fromkeys(("backend", "frontend"), colour)
        yield done.out + done.err


def _held(process: psutil.Process, shell: dict[str, str]) -> dict[str, str]:
    """Give what a process has of a shell: a variable with its value, or the value under any name."""
    long = {text for text in shell.values() if len(text) > 8}
    seen = process.environ()
    return {name: text for name, text in seen.items() if shell.get(name) == text or text in long}


def _colours(checkout: Checkout) -> dict[str, str]:
    found = {name: many[0].environ().get("SHOP_COLOUR") for name, many in checkout.processes().items()}
    return {name: colour for name, colour in found.items() if colour and not name.endswith(".watcher")}


def _files_with(checkout: Checkout, values: set[str]) -> set[str]:
    """Give the folders of files that hold one of these values, wherever this checkout keeps something."""
    places = (checkout.home_of_state, checkout.memory, checkout.folder)
    files = [
        file for place in places for file in place.rglob("*") if file.is_file() and not file.is_symlink()
    ]
    held = [file for file in files if any(text.encode() in file.read_bytes() for text in values)]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in held)
    return {file.parent.name for file in held}
