"""Do template, settings, example, Dockerfile and declared secrets agree? Five relations (lifecycle.md 8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.plan.settings_module import Setting

PUBLIC = "NEXT_PUBLIC_"
_TEMPLATE_KEY = re.compile(r'\.Data\.data\.([A-Z_][A-Z0-9_]*)|index \.Data\.data "([A-Z_][A-Z0-9_]*)"')
_EXAMPLE_KEY = re.compile(r"(?:export )?([A-Z_][A-Z0-9_]*)=")
_ARGUMENT = re.compile(r"ARG\s+([A-Za-z_][A-Za-z0-9_]*)", re.IGNORECASE)


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


@dataclass(frozen=True, slots=True)
class Broken:
    """A relation that does not hold: its number, the keys, what that means, and a line that mends it."""

    relation: int
    keys: tuple[str, ...]
    meaning: str
    mend: str

    def __str__(self) -> str:
        """Give the line that people read."""
        return f"{self.relation}  {', '.join(self.keys)}: {self.meaning}"


def broken(contract: Contract) -> list[Broken]:
    """Give each relation that does not hold, by its number."""
    return list(_broken(contract))


def _broken(of: Contract) -> Iterator[Broken]:
    required = frozenset(one.name for one in of.settings if not one.has_default)
    public = frozenset(key for key in of.example if key.startswith(PUBLIC))
    baked = frozenset(key for key in of.arguments | of.build_args if key.startswith(PUBLIC)) | public
    uneven = {key for key in baked if not (key in public and key in of.arguments and key in of.build_args)}
    rules = (
        (1, of.template - of.known, "a secret that no setting reads", "add {key} to the settings class"),
        (2, of.known - of.example, "a setting that nobody documents", "{key}="),
        (
            3,
            required - of.template - of.delivered,
            "required by the settings and delivered by nobody",
            "declare SecretSpec(..., {key!r}, ...), or give the setting a default",
        ),
        (
            4,
            frozenset(uneven),
            "not in all of .env.example, the frontend's Dockerfile (ARG) and the part's build_args",
            "ARG {key}",
        ),
        (
            5,
            of.template ^ of.declared,
            "in the agent's template or in the declared secrets, not in both",
            "render the template anew from the declared secrets",
        ),
    )
    for relation, keys, meaning, mend in rules:
        if keys:
            yield Broken(relation, tuple(sorted(keys)), meaning, mend)


def undocumented_use(of: Contract) -> tuple[str, ...]:
    """Give the keys of the example that no setting reads: information, not a fault."""
    return tuple(sorted(key for key in of.example - of.known if not key.startswith(PUBLIC)))


def template_keys(text: str) -> frozenset[str]:
    """Give the keys that an agent's template takes."""
    return frozenset(named or indexed for named, indexed in _TEMPLATE_KEY.findall(text))


def example_keys(text: str) -> frozenset[str]:
    """Give the keys of an example file; commented-out lines document nothing."""
    return frozenset(found[1] for line in text.splitlines() if (found := _EXAMPLE_KEY.match(line.strip())))


def dockerfile_arguments(text: str) -> frozenset[str]:
    """Give the names of a Dockerfile's build arguments."""
    return frozenset(found[1] for line in text.splitlines() if (found := _ARGUMENT.match(line.strip())))
