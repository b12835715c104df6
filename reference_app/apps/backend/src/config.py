"""The application's settings, read from the process environment and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

# With PROVIDERS=mock the application alone starts; what it would log in to is in its own memory.
MOCKED = {
    "ENV": "development",
    "DATABASE_URL": "postgresql+asyncpg://memory",
    "REDIS_URL": "redis://memory",
    "GIT_COMMIT_SHA": "0" * 40,
}


class ConfigError(Exception):
    """A variable is missing or unusable. The message names it and never shows its value."""


class Settings(BaseModel):
    """What differs between environments. An alias is a variable's name; an empty variable counts as unset."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    env: Literal["development", "test", "preview", "staging", "production"] = Field(alias="ENV")
    database_url: SecretStr = Field(alias="DATABASE_URL")
    redis_url: SecretStr = Field(alias="REDIS_URL")
    git_sha: str = Field(alias="GIT_COMMIT_SHA", pattern="^[0-9a-f]{40}$")
    version: str = Field(alias="APP_VERSION", default="dev")
    public_url: str = Field(alias="PUBLIC_URL", default="")
    s3_endpoint: str = Field(alias="S3_ENDPOINT", default="")
    s3_access_key: SecretStr = Field(alias="S3_ACCESS_KEY", default=SecretStr(""))
    s3_secret_key: SecretStr = Field(alias="S3_SECRET_KEY", default=SecretStr(""))
    s3_bucket: str = Field(alias="S3_BUCKET", default="")
    api_docs: Literal["on", "off", ""] = Field(alias="API_DOCS", default="")
    providers: Literal["real", "mock"] = Field(alias="PROVIDERS", default="real")
    openrouter_api_key: SecretStr = Field(alias="OPENROUTER_API_KEY", default=SecretStr(""))
    openrouter_url: str = Field(alias="OPENROUTER_URL", default="https://openrouter.ai/api/v1")

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The settings in these variables. Raises ConfigError, which names every fault at once."""
        chosen = {name: value for name, value in environment.items() if value}
        if chosen.get("PROVIDERS") == "mock":
            chosen = MOCKED | chosen
        try:
            return cls.model_validate(chosen)
        except ValidationError as error:
            faults = error.errors(include_input=False, include_context=False, include_url=False)
            raise ConfigError("; ".join(map(_sentence, faults))) from None

    @property
    def is_mocked(self) -> bool:
        return self.providers == "mock"

    @property
    def has_docs(self) -> bool:
        """Strangers read no list of what can be asked: off where it is deployed, unless it is asked for."""
        return (self.api_docs or ("on" if self.env in {"development", "test"} else "off")) == "on"

    @property
    def has_s3(self) -> bool:
        return bool(self.s3_endpoint)

    @property
    def has_ai(self) -> bool:
        return bool(self.openrouter_api_key.get_secret_value())

    @field_validator("database_url")
    @classmethod
    def _speaks_asyncpg(cls, url: SecretStr) -> SecretStr:
        return _starts_with(url, "postgresql+asyncpg://")

    @field_validator("redis_url")
    @classmethod
    def _speaks_redis(cls, url: SecretStr) -> SecretStr:
        return _starts_with(url, "redis://", "rediss://")

    @field_validator("public_url", "s3_endpoint", "openrouter_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        _require_host(url or "http://none")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _mocks_serve_nobody(self) -> Self:
        if self.is_mocked and self.env not in {"development", "test"}:
            raise ValueError("PROVIDERS=mock is for ENV=development and ENV=test")
        return self

    @model_validator(mode="after")
    def _object_store_is_whole(self) -> Self:
        parts = {
            "S3_ACCESS_KEY": self.s3_access_key.get_secret_value(),
            "S3_SECRET_KEY": self.s3_secret_key.get_secret_value(),
            "S3_BUCKET": self.s3_bucket,
        }
        missing = [name for name, value in parts.items() if not value]
        if self.s3_endpoint and missing:
            raise ValueError(f"S3_ENDPOINT is set, {' and '.join(missing)} must be set too")
        return self


def _starts_with(url: SecretStr, *schemes: str) -> SecretStr:
    if not url.get_secret_value().startswith(schemes):
        raise ValueError(f"must start with {' or '.join(schemes)}")
    _require_host(url.get_secret_value())
    return url


def _require_host(url: str) -> None:
    """Raise ValueError without the address in it: a driver's own would show it."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("is no address: host or port is missing or wrong")


def _sentence(fault: Mapping[str, Any]) -> str:
    place = ".".join(fault["loc"])
    said = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        return f"{place} is not set"
    return f"{place}: {said}" if place else said
