"""The ledger's promises, kept by PostgreSQL and by memory alike."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from asking import CASH, SALES, log_in, open_accounts, sale


async def test_balances_follow_the_entries(either: httpx.AsyncClient) -> None:
    await open_accounts(either)
    for amount in ("12.50", "0.01"):
        assert (await either.post("/journal", json=sale(amount))).status_code == 201
    balances = {one["code"]: one["balance"] for one in (await either.get("/accounts")).json()}
    assert balances == {"1000": "12.51", "4000": "-12.51"}


async def test_the_newest_entry_comes_first_and_no_more_than_asked_for(either: httpx.AsyncClient) -> None:
    await open_accounts(either)
    for day in ("2026-01-02", "2026-01-03", "2026-01-01"):
        await either.post("/journal", json=sale(day=day))
    days = [one["booked_on"] for one in (await either.get("/journal?limit=2")).json()]
    assert days == ["2026-01-03", "2026-01-02"]


async def test_accounts_are_listed_by_code_and_a_code_is_taken_once(either: httpx.AsyncClient) -> None:
    await log_in(either)
    assert [(await either.post("/accounts", json=one)).status_code for one in (SALES, CASH, CASH)] == [
        201,
        201,
        409,
    ]
    assert [one["code"] for one in (await either.get("/accounts")).json()] == ["1000", "4000"]


def lines(*sides: tuple[str, str]) -> list[dict[str, str]]:
    """The lines of an entry."""
    return [{"account": code, "amount": amount} for code, amount in sides]


BAD = {
    "one side": (lines(("1000", "1")), ""),
    "an excess": (lines(("1000", "1"), ("4000", "-0.99")), "debits and credits differ by 0.01"),
    "nothing moved": (lines(("1000", "0"), ("4000", "0")), "a line moves nothing"),
    "half a cent": (lines(("1000", "0.005"), ("4000", "-0.005")), ""),
    "an unknown account": (lines(("1000", "1"), ("9999", "-1")), "unknown account: 9999"),
}


@pytest.mark.parametrize(("sides", "said"), BAD.values(), ids=BAD)
async def test_an_entry_that_does_not_balance_is_refused(
    either: httpx.AsyncClient, sides: list[dict[str, str]], said: str
) -> None:
    await open_accounts(either)
    entry: dict[str, Any] = sale() | {"lines": sides}
    answer = await either.post("/journal", json=entry)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert (await either.get("/journal")).json() == []


async def test_a_statement_stands_beside_the_books_of_its_day(either: httpx.AsyncClient) -> None:
    await open_accounts(either)
    await either.post("/journal", json=sale())
    for day, balance in [("2026-01-30", "0"), ("2026-01-31", "99"), ("2026-01-31", "12.00")]:
        statement = {"account": "1000", "day": day, "balance": balance}
        assert (await either.post("/statements", json=statement)).status_code == 201
    rows = (await either.get("/statements")).json()
    assert [(row["day"], row["booked"], row["difference"]) for row in rows] == [
        ("2026-01-31", "12.50", "-0.50"),
        ("2026-01-30", "0.00", "0.00"),
    ]


async def test_a_statement_of_an_unknown_account_is_refused(either: httpx.AsyncClient) -> None:
    await log_in(either)
    statement = {"account": "9999", "day": "2026-01-31", "balance": "0"}
    answer = await either.post("/statements", json=statement)
    assert (answer.status_code, answer.json()) == (422, {"detail": "unknown account: 9999"})


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_statements_are_for_people_who_are_logged_in(either: httpx.AsyncClient, method: str) -> None:
    statement = {"account": "1000", "day": "2026-01-31", "balance": "0"}
    assert (await either.request(method, "/statements", json=statement)).status_code == 401


async def test_the_switch_flips_and_flips_back(either: httpx.AsyncClient) -> None:
    states = [(await either.post("/ping/toggle")).json()["state"] for _ in range(2)]
    assert states == ["pong", "ping"]


@pytest.mark.slow
async def test_hundreds_of_entries_are_booked_and_add_up(client: httpx.AsyncClient) -> None:
    await open_accounts(client)
    for number in range(300):
        assert (await client.post("/journal", json=sale(f"{number + 1}.01"))).status_code == 201
    balances = {one["code"]: one["balance"] for one in (await client.get("/accounts")).json()}
    assert balances == {"1000": "45153.00", "4000": "-45153.00"}
