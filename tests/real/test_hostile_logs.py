"""What anybody may write into a log of ours: it is shown, and nothing in it is obeyed."""

from __future__ import annotations

import signal

import psycopg
import pytest

from infra.model.secret import MASK
from tests.real.conftest import Checkout
from tests.real.kept import stored

pytestmark = pytest.mark.real
NAME = "m\x1b[2K\x1b[31m\r✓ all is well\nbackend | x\u202e\x9b\u2028postgres | y"  # 63 bytes at most
SHOWN = (r'"m\x1b[2K\x1b[31m\x0d✓ all is well', r"backend | x\u202e\u009b\u2028postgres | y")


def logs_in(checkout: Checkout, name: str) -> None:
    """Try to log in under a name that the database does not know; its log then holds that name."""
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(
            host="127.0.0.1", port=checkout.ports["postgres"], user=name, password="x", dbname="postgres"
        )


def test_a_login_name_with_escape_sequences_is_shown_as_text(checkout: Checkout) -> None:
    assert checkout.run("finance_report.postgres.setup").code == 0
    logs_in(checkout, NAME)
    told = checkout.run("finance_report.postgres.logs").out
    assert all(one in told for one in SHOWN)
    assert all(line.startswith("postgres | ") for line in told.splitlines())
    assert not set("\x1b\r\x9b\u202e\u2028") & set(told)


def test_a_password_that_was_renewed_is_masked_in_the_logs_of_before(checkout: Checkout) -> None:
    """It stands there because somebody gave it in the place of the login's name."""
    assert checkout.run("finance_report.postgres.setup").code == 0
    old = stored(checkout, "postgres")["APP_PASSWORD"]
    logs_in(checkout, old)
    assert checkout.run("vault.rotate", "--service", "postgres", "--key", "APP_PASSWORD").code == 0
    assert stored(checkout, "postgres")["APP_PASSWORD"] != old
    told = checkout.run("finance_report.postgres.logs")
    assert old not in told.out + told.err
    assert f'password authentication failed for user "{MASK}"' in told.out


def test_who_follows_gets_whole_lines_alone_and_no_half_of_a_secret(checkout: Checkout) -> None:
    assert checkout.run("finance_report.postgres.setup").code == 0
    secret, log = stored(checkout, "postgres")["APP_PASSWORD"], checkout.state / "logs/postgres.log"
    with log.open("ab", buffering=0) as file:
        file.write(b"begun\nsecret " + secret[:10].encode())
        following = checkout.popen("finance_report.postgres.logs", "--tail", "1", "--follow")
        assert following.stdout
        assert following.stdout.readline() == "postgres | begun\n"
        file.write(secret[10:].encode() + b" \x1b[2K\nlast\n")
        told = [following.stdout.readline() for _ in range(2)]
    following.send_signal(signal.SIGINT)
    rest = following.communicate(timeout=20)
    assert told == [f"postgres | secret {MASK} " + r"\x1b[2K" + "\n", "postgres | last\n"]
    assert (following.returncode, secret[:10] in "".join(rest)) == (130, False)
