"""Who is asking: users in the database, sessions in Redis, a cookie in the browser."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from src.ledger import Credentials, Taken
from src.stores import Cache, Ledger

COOKIE = "finance_report_session"
SESSION_SECONDS = 12 * 3600
HASHES_AT_ONCE = asyncio.Semaphore(4)  # each takes 16 MiB
NOBODY = Credentials(b"nobody", b"")  # an unknown name costs the same time as a wrong password

router = APIRouter(tags=["login"])


class Login(BaseModel):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{2,40}$")]
    password: SecretStr = Field(min_length=10, max_length=200)


class User(BaseModel):
    name: str


@router.post("/register", status_code=201)
async def register(login: Login, request: Request, response: Response, ledger: Ledger, cache: Cache) -> User:
    """Create a user and log in; 409 when the name is taken."""
    salt = secrets.token_bytes(16)
    try:
        await ledger.add_user(login.name, Credentials(salt, await _hash(login.password, salt)))
    except Taken:
        raise HTTPException(409, "this name is taken") from None
    return await _welcome(login.name, request, response, cache)


@router.post("/login")
async def log_in(login: Login, request: Request, response: Response, ledger: Ledger, cache: Cache) -> User:
    """Start a session; 401 when name and password do not belong together."""
    known = await ledger.credentials(login.name) or NOBODY
    if not hmac.compare_digest(await _hash(login.password, known.salt), known.password_hash):
        raise HTTPException(401, "wrong name or password")
    return await _welcome(login.name, request, response, cache)


@router.post("/logout", status_code=204)
async def log_out(response: Response, cache: Cache, token: Annotated[str, Cookie(alias=COOKIE)] = "") -> None:
    """End the session of this browser."""
    await cache.drop(_key(token))
    response.delete_cookie(COOKIE)


async def current_user(cache: Cache, token: Annotated[str, Cookie(alias=COOKIE)] = "") -> User:
    """The user of this session; 401 without one."""
    name = await cache.get(_key(token)) if token else None
    if not name:
        raise HTTPException(401, "log in first")
    return User(name=name)


CurrentUser = Annotated[User, Depends(current_user)]


@router.get("/me")
async def me(user: CurrentUser) -> User:
    """Who is logged in; 401 when nobody is."""
    return user


async def _welcome(name: str, request: Request, response: Response, cache: Cache) -> User:
    token = secrets.token_urlsafe(32)
    await cache.put(_key(token), name, SESSION_SECONDS)
    is_https = request.app.state.settings.public_url.startswith("https://")
    response.set_cookie(COOKIE, token, SESSION_SECONDS, secure=is_https, httponly=True, samesite="lax")
    return User(name=name)


def _key(token: str) -> str:
    """Redis knows the hash only: a dump of it opens no session."""
    return f"session:{hashlib.sha256(token.encode()).hexdigest()}"


async def _hash(password: SecretStr, salt: bytes) -> bytes:
    plain = password.get_secret_value().encode()
    async with HASHES_AT_ONCE:
        return await asyncio.to_thread(hashlib.scrypt, plain, salt=salt, n=1 << 14, r=8, p=1)
