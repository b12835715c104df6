"""Who is asking, and for how long that is known."""

from __future__ import annotations

import httpx
import pytest
from asking import log_in, served
from doubles import RedisDouble

from src import sessions
from src.cache import RedisCache
from src.memory import MemoryCache

ALICE = {"name": "alice", "password": "long enough to be one"}


async def test_a_login_needs_the_right_password_and_ends_with_logout(either: httpx.AsyncClient) -> None:
    await log_in(either, "alice")
    wrong = ALICE | {"password": "not the password"}
    tries = [("/register", ALICE), ("/login", wrong), ("/login", wrong | {"name": "bob"}), ("/login", ALICE)]
    assert [(await either.post(path, json=body)).status_code for path, body in tries] == [409, 401, 401, 200]
    assert (await either.get("/me")).json() == {"name": "alice"}
    assert (await either.post("/logout")).status_code == 204
    assert (await either.get("/me")).status_code == 401


async def test_a_session_that_was_ended_stays_ended_for_a_copy_of_its_cookie(
    either: httpx.AsyncClient,
) -> None:
    await log_in(either)
    stolen = {"Cookie": f"{sessions.COOKIE}={either.cookies[sessions.COOKIE]}"}
    await either.post("/logout")
    assert (await either.get("/me", headers=stolen)).status_code == 401


@pytest.mark.parametrize(
    ("public_url", "is_secure"), [("https://report.test", True), ("http://report.test", False)]
)
async def test_the_cookie_is_kept_from_scripts_and_from_plain_http_where_there_is_https(
    public_url: str, is_secure: bool
) -> None:
    async with served({"PROVIDERS": "mock", "PUBLIC_URL": public_url}) as client:
        cookie = (await client.post("/register", json=ALICE)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ("Secure" in cookie) is is_secure


async def test_redis_forgets_by_itself_and_knows_no_token() -> None:
    double = RedisDouble()
    cache = RedisCache(double)  # the four calls that it makes
    await cache.check(1)
    await cache.put(sessions._key("token"), "alice", sessions.SESSION_SECONDS)
    assert await cache.get(sessions._key("token")) == "alice"
    assert double.seconds == {sessions._key("token"): 12 * 3600}
    assert "token" not in str(double.kept)
    await cache.drop(sessions._key("token"))
    assert await cache.get(sessions._key("token")) is None


async def test_memory_forgets_in_time() -> None:
    cache = MemoryCache()
    await cache.put("kept", "a", 60)
    await cache.put("over", "b", 0)
    assert [await cache.get(key) for key in ("kept", "over", "never")] == ["a", None, None]
