"""What a person does in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

PASSWORD = "long enough to be one"
PAGES = {
    "/": "Overview",
    "/accounts": "Accounts",
    "/journal": "Journal",
    "/reconciliation": "Reconciliation",
    "/reports": "Reports",
    "/ping-pong": "Ping-pong",
    "/login": "Log in",
}


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_a_page_opens_with_its_heading_and_its_place_in_the_menu(page: Page, path: str, title: str) -> None:
    page.goto(path)
    expect(page).to_have_title(f"{title} · Finance Report")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    if path != "/":
        expect(page.locator("nav a[aria-current=page]")).to_have_attribute("href", path)


def test_the_overview_shows_that_everything_answers(page: Page, dependencies: dict[str, str]) -> None:
    page.goto("/")
    expect(page.locator("#status")).to_have_text("healthy")
    for name, status in dependencies.items():
        expect(page.locator("#rows tr", has_text=name)).to_contain_text(status)


def test_an_unknown_page_leads_back(page: Page) -> None:
    answer = page.goto("/nowhere")
    assert answer
    assert answer.status == 404
    page.locator("main").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


@pytest.mark.writes
def test_the_switch_flips_and_stays_flipped_after_a_reload(page: Page) -> None:
    page.goto("/ping-pong")
    state = page.locator("#state")
    expect(state).to_have_text(re.compile("ping|pong"))
    before = state.inner_text()
    flipped = {"ping": "pong", "pong": "ping"}[before]
    page.get_by_role("button", name="Toggle").click()
    expect(state).to_have_text(flipped)
    page.reload()
    expect(state).to_have_text(flipped)
    page.get_by_role("button", name="Toggle").click()
    expect(state).to_have_text(before)


def test_statements_ask_for_a_login(page: Page) -> None:
    page.goto("/reconciliation")
    expect(page.get_by_role("alert")).to_have_text("log in first")


@pytest.mark.writes
def test_a_person_logs_out_and_in_again(person: Page, unique: str) -> None:
    who = person.locator("#who")
    expect(who).to_have_text(f"user-{unique}")
    who.click()
    person.get_by_role("button", name="Log out").click()
    expect(who).to_have_text("Log in")
    person.get_by_label("Name").fill(f"user-{unique}")
    person.get_by_label("Password").fill("not the password")
    person.get_by_role("button", name="Log in").click()
    expect(person.get_by_role("alert")).to_have_text("wrong name or password")
    person.get_by_label("Password").fill(PASSWORD)
    person.get_by_role("button", name="Log in").click()
    person.wait_for_url("**/reconciliation")
    expect(who).to_have_text(f"user-{unique}")


@pytest.mark.writes
def test_an_entry_is_booked_and_a_statement_of_it_is_reconciled(person: Page, unique: str) -> None:
    cash, sales = f"{unique}.1", f"{unique}.4"
    for code, kind in ((cash, "asset"), (sales, "income")):
        person.goto("/accounts")
        person.get_by_label("Code").fill(code)
        person.get_by_label("Name").fill(f"Account {code}")
        person.get_by_label("Kind").select_option(kind)
        person.get_by_role("button", name="Open").click()
        expect(person.locator("#rows")).to_contain_text(code)
    person.goto("/journal")
    person.get_by_label("Day").fill("2026-01-31")
    person.get_by_label("Description").fill(f"Sale {unique}")
    person.get_by_label("Debit").select_option(cash)
    person.get_by_label("Credit").select_option(sales)
    person.get_by_label("Amount").fill("12.50")
    person.get_by_role("button", name="Book").click()
    expect(person.locator("#rows")).to_contain_text(f"Sale {unique}")
    person.goto("/reconciliation")
    person.get_by_label("Day").fill("2026-01-31")
    person.get_by_label("Account").select_option(cash)
    person.get_by_label("Balance").fill("12.50")
    person.get_by_role("button", name="Add").click()
    expect(person.locator("#rows tr", has_text=cash)).to_contain_text("reconciled")


@pytest.mark.writes
def test_an_uploaded_file_is_listed_and_comes_back_or_the_page_says_that_there_is_no_store(
    person: Page, unique: str, dependencies: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / f"January {unique}.csv"
    file.write_bytes(b"day;amount\n2026-01-31;12.50\n")
    person.get_by_label("File").set_input_files(file)
    person.get_by_role("button", name="Upload").click()
    if dependencies["s3"] == "skipped":
        expect(person.get_by_role("alert")).to_contain_text("no object store is set")
        return
    link = person.get_by_role("link", name=file.name)
    expect(link).to_be_visible()
    person.reload()
    with person.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes() == file.read_bytes()
