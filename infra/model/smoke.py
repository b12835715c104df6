"""A smoke profile as declared facts: which requests a running stack has to answer, and how."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Mode = Literal["readonly", "write"]
EnvironmentKind = Literal["local", "local_ci", "github_ci", "pr", "canary", "staging", "production"]
Path = Annotated[str, Field(pattern=r"^/[!-~]*$")]
Status = Annotated[int, Field(ge=100, le=599)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Toggle(_Part):
    """A request that flips a state: where the state is read, and the key that holds it."""

    read: Path
    key: str


def _listed(value: object) -> object:
    return [value] if isinstance(value, int) else value


class Expect(_Part):
    """What a row expects of its answer. Every key but `status` is a kind of expectation of its own.

    `health`: says exactly `healthy`, with the expected commit. `marker`: a text that the page holds.
    `openapi`: the document that the page names is there. `dependencies`: each required one is ok.
    `allow_origin`: the allowed origin is the base URL. `toggle`: the state changes and is restored.
    """

    status: Annotated[tuple[Status, ...], Field(min_length=1), BeforeValidator(_listed)]
    body: Literal["html", "json"] | None = None
    health: Literal[True] | None = None
    marker: Annotated[str, Field(min_length=1)] | None = None
    openapi: Literal[True] | None = None
    dependencies: Literal[True] | None = None
    allow_origin: Literal[True] | None = None
    toggle: Toggle | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of expectation that this row has, `status` first."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)

    def __str__(self) -> str:
        """Give what is expected in a few words, for tables."""
        words = {
            "body": str(self.body).upper() if self.body else "",
            "marker": f"marker {self.marker}",
            "allow_origin": "own origin allowed",
            "toggle": "changed and restored",
            "health": "healthy",
            "dependencies": "dependencies ok",
            "openapi": "OpenAPI document",
        }
        statuses = " or ".join(map(str, self.status))
        return ", ".join([statuses, *(words[kind] for kind in self.kinds if kind != "status")])


class Row(_Part):
    """One request, what it expects, and where it applies. `{origin}` in a header is the base URL."""

    id: str
    path: Path
    method: Literal["GET", "HEAD", "OPTIONS", "POST"] = "GET"
    headers: dict[str, str] = Field(default_factory=dict)
    expect: Expect
    where: Literal["all", "extended"] = "all"
    mode: Mode = "readonly"
    environments: frozenset[EnvironmentKind] = Field(min_length=1)

    @model_validator(mode="after")
    def _writes_are_declared(self) -> Self:
        if self.method == "POST" and self.mode != "write":
            raise ValueError("a POST needs `mode: write`")
        return self


class Profile(_Part):
    """The rows of a project. `ready` is asked until it is healthy, `timed` are the paths that are timed.

    `backend_ready` is the same address on the backend itself, without the router before it.
    """

    profile: str
    ready: Path
    backend_ready: Path | None = None
    timed: tuple[Path, ...] = ()
    rows: tuple[Row, ...]
