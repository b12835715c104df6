"""The platform's env: who owns which key, and a write that leaves all others alone.

What is written is `KEY=value` lines of an alphabet that no platform changes on its way. What somebody else
wrote is read as the platform reads it, and stays as and where it is: comments, quotes, doubled keys too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from infra.model.dotenv import plain
from infra.model.env_text import parse, pieces
from infra.model.environment import Environment
from infra.model.errors import BadInput, Refused
from infra.model.hosts import AppDomain, PlatformDomain
from infra.model.release import Release
from infra.model.secret import KEY, Secret

Owner = Literal["declared", "release", "bootstrap", "operator", "platform"]
WRAPPED = "VAULT_WRAPPED_SECRET_ID"
_TELEMETRY = (
    "OTEL_EXPORTER_OTLP_ENDPOINT|OTEL_EXPORTER_OTLP_PROTOCOL|OTEL_SERVICE_NAME|OTEL_RESOURCE_ATTRIBUTES"
)
_OWNERS: Mapping[Owner, re.Pattern[str]] = {
    "declared": re.compile(
        rf"ENV|INFRA_ENV|APP_DOMAIN|INTERNAL_DOMAIN|ENV_SUFFIX|ENV_DOMAIN_SUFFIX|{_TELEMETRY}"
    ),
    "release": re.compile(r"IMAGE_TAG|GIT_COMMIT_SHA|[A-Z][A-Z0-9_]*_DIGEST"),
    "bootstrap": re.compile(rf"VAULT_ADDR|VAULT_ROLE_ID|{WRAPPED}"),
    # The compose program itself takes COMPOSE_* and DOCKER_* from this text.
    "platform": re.compile(r"APP_NAME|(COMPOSE|DOCKER)_[A-Z0-9_]+"),
}
_SAFE = re.compile(r"[A-Za-z0-9._:/@,+=-]*")


@dataclass(frozen=True, slots=True)
class Merged:
    """A text after a merge: the owner's keys that changed, and keys of the text that nobody owns."""

    text: str = field(repr=False)
    changed: tuple[str, ...]
    unowned: tuple[str, ...]


def encode(values: Mapping[str, Secret | str]) -> str:
    """Give the text of these values, sorted by key; BadInput names the key that cannot be written."""
    texts = {key: plain(value) for key, value in values.items()}
    for key, value in texts.items():
        if not KEY.fullmatch(key):
            raise BadInput(f"{key!r} is no key: keys are written {KEY.pattern}", next_step="rename it")
        if not _SAFE.fullmatch(value):
            raise BadInput(
                f"{key}: a platform may change its value on the way; allowed are A-Za-z0-9._:/@,+=-",
                next_step=f"give {key} another value, or make it a secret of the service",
            )
    return "".join(f"{key}={texts[key]}\n" for key in sorted(texts))


def merge(
    current: str,
    owner: Owner,
    wanted: Mapping[str, Secret | str],
    operators: Collection[str] = (),
    required: Collection[str] = (),
) -> Merged:
    """Give the text in which this owner's keys are exactly the wanted ones, and nothing else has changed.

    `operators` are keys that an operator has set. BadInput for a wanted key of another owner, Refused when a
    required key would be missing or empty, or when a line of somebody else would be read anew: nothing is
    written then.
    """
    noted = {*operators, *(wanted if owner == "operator" else ())}
    for key in wanted:
        if owner == "platform" or owner_of(key, noted) != owner:
            raise BadInput(f"{key} is no key of {owner}", next_step="leave it to its owner")
    before, texts = parse(current), {key: plain(value) for key, value in wanted.items()}
    mine = owned(current, owner, noted)
    changed = sorted(key for key in mine.keys() | texts if before.get(key) != texts.get(key))
    fresh = {key: texts[key] for key in changed if key in texts}
    text = _replaced(current, changed, fresh) if changed else current
    _require_read(text, {key: before[key] for key in before if key not in changed} | fresh)
    _require(text, required)
    unowned = sorted(key for key in parse(text) if owner_of(key, noted) is None)
    return Merged(text, tuple(changed), tuple(unowned))


def owned(text: str, owner: Owner, operators: Collection[str] = ()) -> dict[str, str]:
    """Give the values of one owner's keys as they stand in a text."""
    return {key: value for key, value in parse(text).items() if owner_of(key, operators) == owner}


def owner_of(key: str, operators: Collection[str] = ()) -> Owner | None:
    """Give who may write a key; None when nobody is known to."""
    for owner, pattern in _OWNERS.items():
        if pattern.fullmatch(key):
            return owner
    return "operator" if key in operators else None


def declared(
    found: Environment, app: AppDomain, platform: PlatformDomain, telemetry: Mapping[str, str]
) -> dict[str, str]:
    """Give the keys that tell a service which environment it is in."""
    return {
        "APP_DOMAIN": app.name,
        "ENV": found.app_env,
        "ENV_DOMAIN_SUFFIX": found.domain_suffix,
        "ENV_SUFFIX": found.suffix,
        "INFRA_ENV": found.name,
        "INTERNAL_DOMAIN": platform.name,
        **telemetry,
    }


def released(release: Release) -> dict[str, str]:
    """Give the keys that tell which code runs; none without a release."""
    if not release.is_known:
        return {}
    names = {part: part.upper().replace("-", "_") for part in release.images}
    digests = {f"{names[part]}_DIGEST": image.digest for part, image in release.images.items()}
    tag = release.version or f"sha-{release.commit}"
    return {"GIT_COMMIT_SHA": release.commit, "IMAGE_TAG": tag, **digests}


def signature(text: str) -> str:
    """Give a text with the wrapped token blank: what a bundle's digest covers."""
    return "".join(f"{WRAPPED}=\n" if piece.key == WRAPPED else piece.text for piece in pieces(text))


def _replaced(current: str, changed: Collection[str], fresh: Mapping[str, str]) -> str:
    """Give the text with each changed key written once, where it counted; new ones come last, in order."""
    kept = "".join(_kept(current, changed, fresh))
    known = parse(current)
    added = encode({key: fresh[key] for key in fresh if key not in known})
    is_open = added and kept and not kept.endswith(("\n", "\r"))
    return f"{kept}\n{added}" if is_open else f"{kept}{added}"


def _kept(current: str, changed: Collection[str], fresh: Mapping[str, str]) -> Iterator[str]:
    found = list(pieces(current))
    last = {piece.key: place for place, piece in enumerate(found)}
    for place, piece in enumerate(found):
        if piece.key not in changed:
            yield piece.text
        elif piece.key in fresh and place == last[piece.key]:
            yield encode({piece.key: fresh[piece.key]})


def _require_read(text: str, expected: Mapping[str, str]) -> None:
    """Refuse a text in which a broken line of somebody else swallows one of ours, or comes to mean more."""
    found = parse(text)
    wrong = sorted(key for key in found.keys() | expected if found.get(key) != expected.get(key))
    if wrong:
        raise Refused(
            f"beside a broken line the platform would read {', '.join(wrong)} otherwise: nothing was written",
            next_step="mend the env's broken line in the platform, then repeat the command",
        )


def _require(text: str, required: Collection[str]) -> None:
    values = parse(text)
    missing = sorted(key for key in required if not values.get(key))
    if missing:
        raise Refused(
            f"the env would lack {', '.join(missing)}: nothing was written", next_step="give them first"
        )
