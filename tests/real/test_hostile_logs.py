"""What anybody may write into a log of ours: it is shown, and nothing in it is obeyed."""

from __future__ import annotations

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
