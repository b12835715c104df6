"""The mounts of a compose service, in their short and their long form."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from infra.model.container import Mount, MountKind
from infra.plan.lint.composer import Node
from infra.plan.lint.document import ComposeService
from infra.plan.lint.nodes import entries, is_plain, items, text

CONSUMED_AT, RENDERED_AT = "/secrets", "/vault/secrets"
_KINDS: dict[str, MountKind] = {"volume": "volume", "bind": "bind", "tmpfs": "memory"}


def mounts(service: ComposeService) -> Iterator[tuple[Mount, Node]]:
    """Give each entry of `volumes` with its node; a source that is a path is always a bind."""
    for node in items(service.keys.get("volumes")):
        yield (_short(text(node)) if node.id == "scalar" else _long(entries(node))), node


def is_secrets(mount: Mount) -> bool:
    """Tell whether rendered secrets are mounted here."""
    return any(f"{mount.target}/".startswith(f"{place}/") for place in (CONSUMED_AT, RENDERED_AT))


def shares_secrets(service: ComposeService) -> bool:
    """Tell whether a service renders or mounts secrets."""
    return any(is_secrets(mount) for mount, _ in mounts(service))


def _short(written: str) -> Mount:
    source, colon, rest = written.partition(":")
    if not colon:
        return Mount("volume", normpath(source))
    target, _, options = rest.partition(":")
    return Mount(_kind(source), normpath(target), source, "ro" in options.split(","))


def _long(found: dict[str, Node]) -> Mount:
    source = text(found.get("source"))
    kind = _KINDS.get(text(found.get("type")), _kind(source))
    is_path = kind == "volume" and _kind(source) == "bind"
    return Mount(
        "bind" if is_path else kind,
        normpath(text(found.get("target"))),
        source,
        is_plain(found.get("read_only"), "true"),
    )


def _kind(source: str) -> MountKind:
    return "bind" if source.startswith(("/", ".", "~")) else "volume"
