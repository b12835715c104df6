"""No value, token, secret id or wrapping of a rehearsal with a Vault is seen where it does not belong."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from infra.model import dotenv
from infra.model.errors import BadInput
from tests.real.conftest import Checkout, Done
from tests.real.test_secrets_sweep import Census
from tests.real.test_sweep import NO_SECRETS, Sweep, hear
from tests.real.vault_rehearsal import WITH_SECRETS, Rehearsal
from tests.real.vault_server import VaultServer
from tests.real.watching import again_and_again
from tests.waiting import until

pytestmark = pytest.mark.real("VT", "PG", "RD", "APP")
HERE = ("--env", "staging", "--target", "process")
KEY = ("--service", "app", "--key", "OPENROUTER_API_KEY")
OPERATOR_VALUES = ("sk-or-v1-the-first-of-all", "sk-or-v1-the-second-of-all")
TASKS: tuple[tuple[str, ...], ...] = (
    ("vault.setup-tokens", "--service", "redis"),
    ("vault.setup-tokens", "--due"),
    ("finance_report.app.setup",),
    ("vault.status",),
    ("vault.check",),
    ("vault.keys",),
    ("vault.put", *KEY),
    ("vault.rotate", "--service", "redis", "--key", "PASSWORD"),
    ("vault.render", "--service", "app"),
    ("vault.audit-enable",),
)
WRONG: tuple[tuple[str, ...], ...] = (
    ("vault.setup-tokens", "--service", "nobody"),
    ("vault.put", "--service", "app", "--key", "DATABASE_URL"),
    ("vault.put", "--service", "app", "--key", "NONE"),
    ("vault.rotate", "--service", "redis", "--key", "NONE"),
    ("vault.render", "--service", "nobody"),
)


class Known:
    """Every secret of a rehearsal that there ever was, by a name for it."""

    def __init__(self, rehearsal: Rehearsal, server: VaultServer) -> None:
        self.rehearsal, self.server = rehearsal, server
        self.tokens = {"the root token": server.root}
        self.root, self.memory = rehearsal.root, rehearsal.checkout.memory / rehearsal.env

    @property
    def values(self) -> dict[str, str]:
        """Read all versions of all values from the server."""
        found = dict(zip(("put first", "put second"), OPERATOR_VALUES, strict=True))
        for service in WITH_SECRETS:
            path = self.rehearsal.path_of(service)
            for version in range(1, self.server.must("GET", path)["data"]["metadata"]["version"] + 1):
                held = self.server.must("GET", f"{path}?version={version}")["data"]["data"]
                found |= {
                    f"{service} {key} {version}": value
                    for key, value in held.items()
                    if key not in NO_SECRETS and value
                }
        return found

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note what is delivered, unwrapped and logged in with, again and again while the body runs."""
        with again_and_again(self.note, 0.02):
            yield

    def note(self) -> None:
        for service in WITH_SECRETS:
            folder = self.root / "credentials" / service
            for file in (folder / "secret_id", *self.memory.rglob(".token")):
                with suppress(OSError):
                    self._learn(f"{file.name} of {file.parent.name}", file.read_text(encoding="utf-8"))
            with suppress(OSError, BadInput):
                delivered = dotenv.parse((folder / "delivery").read_text(encoding="utf-8"))
                self._learn(f"wrapping of {service}", delivered["VAULT_WRAPPED_SECRET_ID"])

    def _learn(self, name: str, secret: str) -> None:
        if secret and secret not in self.tokens.values():
            self.tokens[f"{name}, {len(self.tokens)}"] = secret

    @property
    def kinds(self) -> set[str]:
        return {name.partition(" of ")[0] for name in self.tokens}


class Search:
    """Everything that was heard and seen, searched at the end for everything that is secret."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.heard: list[tuple[str, Done]] = []
        self.census = Census()

    def run(self, *words: str, stdin: str = "") -> Done:
        done = self.known.rehearsal.checkout.run(*words, stdin=stdin)
        self.heard.append((" ".join(words), done))
        return done

    def found(self) -> set[str]:
        """Give each secret with the place where it was seen."""
        values, everything = Sweep(self.known.values), Sweep({**self.known.values, **self.known.tokens})
        for name, done in self.heard:
            hear(everything, name, done)
        for argv in self.census.arguments:
            everything.look(f"arguments of {_words(argv)}", argv.decode("latin-1"))
        for argv, variables in self.census.environments:
            if not _owns_values(argv, variables):
                sweep = values if _owns_a_token(argv, variables) else everything
                sweep.look(f"environment of {_words(argv)}", variables.decode("latin-1"))
        self._look_into_files(everything)
        self._look_into_records(everything)
        return values.seen | everything.seen

    def _look_into_files(self, sweep: Sweep) -> None:
        """Look at all files but the one credential that each agent keeps, which opens nothing else."""
        known = self.known
        kept = {known.root / "credentials" / name / "secret_id" for name in WITH_SECRETS}
        assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}
        assert sweep.files(known.rehearsal.checkout.home_of_state, kept) > 500
        assert sweep.files(known.rehearsal.checkout.folder, set()) > 100

    def _look_into_records(self, sweep: Sweep) -> None:
        """Look at everything that the store keeps beside the values."""
        records = list(_below(self.known.server, "finance_report/staging/_state/"))
        assert len(records) > 3
        for path in records:
            sweep.look(f"record {path}", self.known.server.call("GET", f"secret/data/{path}").text)


def _below(server: VaultServer, folder: str) -> Iterator[str]:
    for name in server.must("LIST", f"secret/metadata/{folder}")["data"]["keys"]:
        if name.endswith("/"):
            yield from _below(server, f"{folder}{name}")
        else:
            yield f"{folder}{name}"


def _words(argv: bytes) -> str:
    return argv.replace(b"\0", b" ").decode("latin-1")[:80]


def _owns_values(argv: bytes, variables: bytes) -> bool:
    """Tell whether it is the backend, or a session in the database."""
    return b"INFRA_UNIT=backend" in variables.split(b"\0") or argv.split(b"\0")[0].endswith(b"/psql")


def _owns_a_token(argv: bytes, variables: bytes) -> bool:
    """Tell whether it is the throw-away server, or the program that asks it in the name of an agent."""
    first, _, rest = argv.partition(b"\0")
    is_server = rest.startswith(b"server\0")
    is_agents = any(one.startswith(b"INFRA_SECRETS_FILE=") for one in variables.split(b"\0"))
    return first.endswith(b"/vault") and (is_server or is_agents)


@pytest.fixture
def search(checkout: Checkout) -> Iterator[Search]:
    rehearsal = Rehearsal(checkout)
    known = Known(rehearsal, rehearsal.start())
    yield Search(known)
    rehearsal.end(signal.SIGTERM)


def test_no_task_shows_a_secret_or_leaves_one_anywhere(search: Search) -> None:
    known = search.known
    with search.census.running(), known.noting():
        first = search.run("vault.setup-tokens", *HERE)
        assert first.code == 0, first.err
        _every_task_works(search)
        _wrong_keys_and_refused_tokens_fail(search)
    assert known.kinds == {"the root token", "secret_id", ".token", "wrapping", "a poor token"}
    assert len([name for name in known.tokens if name.startswith("wrapping")]) >= len(WITH_SECRETS) + 2
    search.heard.append(("vault.dev", Done(0, known.rehearsal.said, "")))
    assert search.found() == set()
    _what_is_planted_is_found(search)


def _every_task_works(search: Search) -> None:
    for words in TASKS:
        for turn, form in enumerate(((), ("--json",))):
            done = search.run(*words, *HERE, *form, stdin=OPERATOR_VALUES[turn])
            assert done.code == 0, (words, form, done.out, done.err)


def _wrong_keys_and_refused_tokens_fail(search: Search) -> None:
    _fail(search, WRONG)
    file, known = search.known.rehearsal.token_file, search.known
    poor = known.server.must("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"})
    known.tokens["a poor token"] = poor["auth"]["client_token"]
    file.write_text(known.tokens["a poor token"], encoding="utf-8")
    known.server.must("DELETE", "sys/audit/file")
    _fail(search, TASKS)
    file.write_text(known.server.root, encoding="utf-8")


def _fail(search: Search, tasks: tuple[tuple[str, ...], ...]) -> None:
    for words, form in zip(tasks, itertools.cycle(((), ("--json",))), strict=False):
        done = search.run(*words, *HERE, *form, stdin=OPERATOR_VALUES[1])
        assert done.code in {1, 2}, (words, form, done.out, done.err)


def _what_is_planted_is_found(search: Search) -> None:
    """A secret in a log, a record, an answer, an argument and a variable: the search sees each."""
    known = search.known
    secret_id = next(text for name, text in known.tokens.items() if name.startswith("secret_id"))
    wrapping = next(text for name, text in known.tokens.items() if name.startswith("wrapping"))
    token = next(text for name, text in known.tokens.items() if name.startswith(".token"))
    (known.root / "logs/planted.log").write_text(f"got {wrapping}", encoding="utf-8")
    known.server.put("secret/data/finance_report/staging/_state/planted", {"RECORD": json.dumps([secret_id])})
    search.heard.append(("planted", Done(0, json.dumps({"token": known.server.root}), "")))
    program = [sys.executable, "-c", "input()", f"--password={OPERATOR_VALUES[0]}"]
    with search.census.running():
        child = subprocess.Popen(program, stdin=subprocess.PIPE, env={"PLANTED": token})
        until(lambda: any(b"PLANTED" in variables for _, variables in tuple(search.census.environments)))
        child.communicate(b"\n")
    places = {line.partition(" in ")[2].split(" of ")[0] for line in search.found()}
    assert places == {
        str(known.root / "logs/planted.log"),
        "record finance_report/staging/_state/planted",
        "stdout",
        "arguments",
        "environment",
    }


def test_the_search_knows_whose_environment_may_hold_which_secret() -> None:
    vault, agent = b"/x/vault\0token\0lookup", b"A=1\0INFRA_SECRETS_FILE=/x/redis/.env\0"
    assert _owns_a_token(vault, agent)
    assert _owns_a_token(b"/x/vault\0server\0-dev", b"A=1")
    assert not _owns_a_token(vault, b"INFRA_UNIT=backend")
    assert not _owns_a_token(b"/bin/sh\0entrypoint.sh", agent)
    assert _owns_values(b"python\0", b"A=1\0INFRA_UNIT=backend\0")
    assert not _owns_values(b"python\0", agent)
