"""The ledger, the logins, and that nothing of them is lost."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.reference_app.running import App, Backend
from tests.reference_app.servers import PASSWORD, Postgres, Valkey

pytestmark = pytest.mark.real

CASH, SALES = (
    {"code": "1000", "name": "Cash", "kind": "asset"},
    {"code": "4000", "name": "Sales", "kind": "income"},
)
SALE = {
    "booked_on": "2026-01-31",
    "description": "First sale",
    "lines": [{"account": "1000", "amount": "12.50"}, {"account": "4000", "amount": "-12.50"}],
}
LOGIN = {"name": "alice", "password": PASSWORD}


def test_toggle_flips_the_state_and_toggling_again_restores_it(shared_app: App) -> None:
    before = shared_app.get("/ping").json()
    flipped = shared_app.ask("POST", "/ping/toggle").json()
    assert flipped != before
    assert shared_app.get("/ping").json() == flipped
    assert shared_app.ask("POST", "/ping/toggle").json() == before


def test_an_entry_moves_as_much_in_as_out_and_the_balances_follow(app: App) -> None:
    session = logged_in(app)
    opened = [app.ask("POST", "/accounts", one, session).status for one in (CASH, SALES, CASH)]
    assert opened == [201, 201, 409]
    booked = app.ask("POST", "/journal", SALE, session)
    assert booked.status == 201
    assert app.get("/journal").json() == [booked.json()]
    assert {one["code"]: one["balance"] for one in app.get("/accounts").json()} == {
        "1000": "12.50",
        "4000": "-12.50",
    }


BAD_LINES = [
    ("one side", [("1000", "1")], ""),
    ("excess", [("1000", "1"), ("4000", "-0.99")], "debits and credits differ by 0.01"),
    ("nothing moved", [("1000", "0"), ("4000", "0")], "a line moves nothing"),
    ("fraction of a cent", [("1000", "0.001"), ("4000", "-0.001")], ""),
    ("not a number", [("1000", "NaN"), ("4000", "NaN")], ""),
    ("unknown account", [("1000", "1"), ("9999", "-1")], "unknown account: 9999"),
]


@pytest.mark.parametrize(
    ("lines", "said"), [case[1:] for case in BAD_LINES], ids=[case[0] for case in BAD_LINES]
)
def test_an_entry_that_does_not_balance_is_refused_whole(
    shared_app: App, lines: list[tuple[str, str]], said: str
) -> None:
    session = logged_in(shared_app)
    shared_app.ask("POST", "/accounts", CASH, session)
    shared_app.ask("POST", "/accounts", SALES, session)
    entry = SALE | {"lines": [{"account": code, "amount": amount} for code, amount in lines]}
    answer = shared_app.ask("POST", "/journal", entry, session)
    assert answer.status == 422
    assert said in answer.body
    assert shared_app.get("/journal").json() == []


@pytest.mark.parametrize("cookie", ["", "finance_report_session=guessed"])
def test_statements_are_for_people_who_are_logged_in(shared_app: App, cookie: str) -> None:
    statement = {"account": "1000", "day": "2026-01-31", "balance": "12.50"}
    sent = {"Cookie": cookie} if cookie else {}
    assert shared_app.get("/statements", sent).status == 401
    assert shared_app.ask("POST", "/statements", statement, sent).status == 401


def test_a_statement_stands_beside_what_the_books_say_of_its_day(app: App) -> None:
    session = logged_in(app)
    for path, body in [("/accounts", CASH), ("/accounts", SALES), ("/journal", SALE)]:
        assert app.ask("POST", path, body, session).status == 201
    for day, balance in [("2026-01-30", "0"), ("2026-01-31", "99"), ("2026-01-31", "12.00")]:
        statement = {"account": "1000", "day": day, "balance": balance}
        assert app.ask("POST", "/statements", statement, session).status == 201
    rows = app.get("/statements", session).json()
    assert [(row["day"], row["booked"], row["difference"]) for row in rows] == [
        ("2026-01-31", "12.50", "-0.50"),
        ("2026-01-30", "0.00", "0.00"),
    ]
    foreign = {"account": "9999", "day": "2026-01-31", "balance": "0"}
    assert app.ask("POST", "/statements", foreign, session).status == 422


def logged_in(app: App) -> dict[str, str]:
    """Give the headers of a user's session; a new one's, unless another test of this server made it."""
    answer = app.ask("POST", "/register", LOGIN)
    cookie = (app.ask("POST", "/login", LOGIN) if answer.status == 409 else answer).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    return {"Cookie": cookie.split(";")[0]}


def test_a_login_needs_the_right_password_and_ends_with_logout(app: App) -> None:
    session = logged_in(app)
    wrong: dict[str, Any] = LOGIN | {"password": "not the password"}
    tried = [("/register", LOGIN), ("/login", wrong), ("/login", wrong | {"name": "bob"}), ("/login", LOGIN)]
    assert [app.ask("POST", path, body).status for path, body in tried] == [409, 401, 401, 200]
    assert app.get("/me", session).json() == {"name": "alice"}
    assert app.ask("POST", "/logout", {}, session).status == 204
    assert app.get("/me", session).status == 401


def test_nothing_is_lost_when_everything_restarts(
    backend: Backend, postgres: Postgres, valkey: Valkey
) -> None:
    pages = ["/ping", "/accounts", "/journal", "/statements", "/me"]
    with backend.started() as app:
        session = logged_in(app)
        for path, body in [("/accounts", CASH), ("/accounts", SALES), ("/journal", SALE)]:
            app.ask("POST", path, body, session)
        app.ask("POST", "/ping/toggle")
        before = [app.get(path, session).json() for path in pages]
        app.process.kill()
        app.process.wait()
    with postgres.down(signal.SIGKILL), valkey.down(signal.SIGTERM):
        pass
    with backend.started() as app:
        assert [app.get(path, session).json() for path in pages] == before
