"""A real browser before a running application, whose address is BASE_URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page

SYSTEM_BROWSER = Path("/usr/bin/chromium")
PASSWORD = "long enough to be one"


@pytest.fixture(scope="session")
def base_url() -> str:
    """The address that people open."""
    url = os.environ.get("BASE_URL", "").rstrip("/")
    if not url:
        pytest.exit("BASE_URL is not set: the address that people open", returncode=4)
    return url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's browser where there is one, else Playwright's own. Root has no sandbox to start."""
    own = {"executable_path": str(SYSTEM_BROWSER)} if SYSTEM_BROWSER.exists() else {}
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, **own, "args": [*browser_type_launch_args.get("args", []), *flags]}


@pytest.fixture(autouse=True)
def no_script_fails(page: Page) -> Iterator[None]:
    """Whatever else a test looks at, no script of a page may end with an error."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield
    assert faults == []


@pytest.fixture
def unique() -> str:
    """Eight letters and digits that no other test uses: the application keeps what it is given."""
    return uuid4().hex[:8]


@pytest.fixture
def person(page: Page, unique: str) -> Page:
    """The page of somebody who has just made a user and is logged in."""
    page.goto("/login")
    page.get_by_label("Name").fill(f"user-{unique}")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create user").click()
    page.wait_for_url("**/reconciliation")
    return page


@pytest.fixture
def dependencies(page: Page) -> dict[str, str]:
    """The state of each dependency, as the application itself says."""
    answer = page.request.get("/api/health?full=1").json()
    return {name: entry["status"] for name, entry in answer["dependencies"].items()}
