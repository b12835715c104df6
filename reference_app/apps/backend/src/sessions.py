"""Who is asking: users in the database, sessions in Redis, a cookie in the browser."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Cookie, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from src.stores import Cache, Database

COOKIE = "finance_report_session"
SESSION_SECONDS = 12 * 3600

router = APIRouter(tags=["login"])


class Login(BaseModel):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{2,40}$")]
    password: SecretStr = Field(min_length=10, max_length=200)


class User(BaseModel):
    name: str


@router.post("/register", status_code=201)
async def register(
    login: Login, request: Request, response: Response, database: Database, cache: Cache
) -> User:
    """Create a user and log in; 409 when the name is taken."""
    salt = secrets.token_bytes(16)
    insert = "INSERT INTO users (name, salt, password_hash) VALUES ($1, $2, $3)"
    try:
        await database.execute(insert, login.name, salt, await _hash(login.password, salt))
    except asyncpg.UniqueViolationError:
        raise HTTPException(409, "this name is taken") from None
    return await _welcome(login.name, request, response, cache)


@router.post("/login")
async def log_in(
    login: Login, request: Request, response: Response, database: Database, cache: Cache
) -> User:
    """Start a session; 401 when name and password do not belong together."""
    row = await database.fetchrow("SELECT salt, password_hash FROM users WHERE name = $1", login.name)
    salt, known = row or (b"nobody", b"")
    if not hmac.compare_digest(await _hash(login.password, salt), known):
        raise HTTPException(401, "wrong name or password")
    return await _welcome(login.name, request, response, cache)


@router.post("/logout", status_code=204)
async def log_out(response: Response, cache: Cache, token: Annotated[str, Cookie(alias=COOKIE)] = "") -> None:
    """End the session of this browser."""
    await cache.delete(_key(token))
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
    await cache.set(_key(token), name, ex=SESSION_SECONDS)
    is_https = request.app.state.settings.public_url.startswith("https://")
    response.set_cookie(COOKIE, token, SESSION_SECONDS, secure=is_https, httponly=True, samesite="lax")
    return User(name=name)


def _key(token: str) -> str:
    """Redis knows the hash only: a dump of it opens no session."""
    return f"session:{hashlib.sha256(token.encode()).hexdigest()}"


async def _hash(password: SecretStr, salt: bytes) -> bytes:
    plain = password.get_secret_value().encode()
    return await asyncio.to_thread(hashlib.scrypt, plain, salt=salt, n=1 << 14, r=8, p=1)
