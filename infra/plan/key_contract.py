"""Do template, settings, example, Dockerfile and declared secrets agree? Five relations of keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infra.plan.settings_module import Setting

PUBLIC = "NEXT_PUBLIC_"


@dataclass(frozen=True, slots=True)
class Contract:
    """The keys of each side. `delivered` are those that the engine itself puts into the process."""

    template: frozenset[str]
    settings: tuple[Setting, ...]
    example: frozenset[str]
    arguments: frozenset[str]
    build_args: frozenset[str]
    declared: frozenset[str]
    delivered: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        """The names of all settings."""
        return frozenset(one.name for one in self.settings)

    @property
    def required(self) -> frozenset[str]:
        """The names of the settings that have no default."""
        return frozenset(one.name for one in self.settings if not one.has_default)


@dataclass(frozen=True, slots=True)
class Files:
    """Where each side stands, as people are told it."""

    settings: str = "apps/backend/src/config.py"
    example: str = ".env.example"
    dockerfile: str = "apps/frontend/Dockerfile"
    declaration: str = "the service's declaration"
    template: str = "templates/vault/secrets.ctmpl.j2"


@dataclass(frozen=True, slots=True)
class Broken:
    """A relation that does not hold: its number, the keys, what that means, and the line for a file."""

    relation: int
    keys: tuple[str, ...]
    meaning: str
    file: str
    mend: str

    def __str__(self) -> str:
        """Give the line that people read."""
        return f"relation {self.relation}: {', '.join(self.keys)}: {self.meaning} → {self.file}"


def broken(contract: Contract, files: Files | None = None) -> list[Broken]:
    """Give what is missing in each file, by the relation that it breaks."""
    return [*_settings(contract, files or Files()), *_baked(contract, files or Files())]


def _settings(of: Contract, files: Files) -> Iterator[Broken]:
    undelivered = of.required - of.template - of.delivered
    rows = (
        (1, of.template - of.known, "a secret that no setting reads", files.settings, _FIELD),
        (2, of.known - of.example, "a setting that nobody documents", files.example, "{key}="),
        (3, undelivered, "without default, and delivered by nobody", files.declaration, _DECLARED),
        (5, of.template - of.declared, "not in the schema of secrets", files.declaration, _DECLARED),
        (5, of.declared - of.template, "a secret that no agent renders", files.template, _RENDERED),
    )
    for relation, keys, meaning, file, mend in rows:
        if keys:
            yield Broken(relation, tuple(sorted(keys)), meaning, file, mend)


_FIELD = '{key}: SecretStr = Field(alias="{key}")'
_DECLARED = 'SecretSpec(..., "{key}", "operator"),'
_RENDERED = "{key}='{{{{ .Data.data.{key} | replaceAll \"'\" \"'\\\\''\" }}}}'"


def _baked(of: Contract, files: Files) -> Iterator[Broken]:
    """Give the public variables that one of their three places lacks."""
    places = (
        (of.example, "no line documents it", files.example, "{key}="),
        (of.arguments, "not baked: no build stage takes it", files.dockerfile, "ARG {key}"),
        (of.build_args, "not baked: no build gives it", files.declaration, 'build_args=("{key}",),'),
    )
    every = {key for keys, *_ in places for key in keys if key.startswith(PUBLIC)}
    for keys, meaning, file, mend in places:
        if every - keys:
            yield Broken(4, tuple(sorted(every - keys)), meaning, file, mend)


def undocumented_use(of: Contract) -> tuple[str, ...]:
    """Give the keys of the example that no setting reads: information, not a fault."""
    return tuple(sorted(key for key in of.example - of.known if not key.startswith(PUBLIC)))
