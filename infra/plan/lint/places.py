"""What of the host a container sees (C17), and where secrets are kept (C25)."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from infra.model.container import SECRETS_OPTIONS, Mount
from infra.plan.data_paths import data_folder
from infra.plan.lint.composer import Node
from infra.plan.lint.document import Document
from infra.plan.lint.mounted import CONSUMED_AT, is_secrets, mounts
from infra.plan.lint.nodes import entries, text
from infra.plan.lint.rule import Fault, Rule
from infra.plan.lint.sent import Sent

SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")


def _host(document: Document) -> Iterator[Fault]:
    sent = document.sent
    for service in document.services:
        for mount, node in mounts(service):
            words = _seen(mount, sent)
            if words:
                yield Fault(words, service.name, node)
        if "build" in service.keys and not sent.from_source:
            yield Fault("the image is built on the host", service.name, service.keys["build"])
    for name, node in entries(document.top.get("volumes")).items():
        options = entries(entries(node).get("driver_opts"))
        if text(options.get("device")).startswith(("/", ".", "~")):
            yield Fault(f"the volume {name} is the host's {text(options['device'])}", node=node)


def _seen(mount: Mount, sent: Sent) -> str:
    """Say what a mount shows of the host that it must not; the engine's socket has a rule of its own."""
    if mount.kind != "bind" or mount.source.endswith(SOCKETS):
        return ""
    if not mount.source.startswith("/"):
        return f"{mount.source or 'nothing'} is a relative host path"
    if _lies_below(mount.source, _data_folders(sent)) or _is_secrets_folder(mount, sent):
        return ""
    return f"{mount.source} is no data folder of {sent.service} in {sent.environment.name}"


def _data_folders(sent: Sent) -> tuple[str, ...]:
    """Give the folders of this service in the table of data (environments.md 6)."""
    folder = data_folder(sent.data_root, sent.project, sent.service, sent.environment.suffix)
    log = data_folder(sent.data_root, sent.project, f"{sent.service}-wal", sent.environment.suffix)
    return folder, log, f"{sent.data_root}/backups/{sent.project}/{sent.environment.name}"


def _is_secrets_folder(mount: Mount, sent: Sent) -> bool:
    is_kept = not sent.secrets_folder or _lies_below(mount.source, (sent.secrets_folder,))
    return not sent.environment.is_deployed and mount.target == CONSUMED_AT and is_kept


def _lies_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(f"{normpath(path)}/".startswith(f"{folder}/") for folder in folders)


def _secrets(document: Document) -> Iterator[Fault]:
    volumes = entries(document.top.get("volumes"))
    for service in document.services:
        for mount, node in mounts(service):
            if is_secrets(mount):
                words = _unsafe(mount, volumes.get(mount.source), document.sent)
                yield from (Fault(f"{mount.target} {word}", service.name, node) for word in words)


def _unsafe(mount: Mount, volume: Node | None, sent: Sent) -> Iterator[str]:
    is_consumer = f"{mount.target}/".startswith(f"{CONSUMED_AT}/")
    if is_consumer and not mount.read_only:
        yield "is not mounted read-only"
    is_folder = mount.kind == "bind" and not sent.environment.is_deployed
    if mount.kind != "volume" and not is_folder:
        yield f"is a {mount.kind} mount, not the volume in memory"
    if mount.kind == "volume" and not _is_in_memory(volume):
        yield "has not the options of a volume in memory"


def _is_in_memory(volume: Node | None) -> bool:
    found = entries(volume)
    options = {key: text(value) for key, value in entries(found.get("driver_opts")).items()}
    is_own = "external" not in found and text(found.get("driver")) in {"", "local"}
    return is_own and options == {"type": "tmpfs", "device": "tmpfs", "o": SECRETS_OPTIONS}


RULES = (
    Rule(
        "C17",
        "no relative bind mount, host paths only from the table of data, no build but from source",
        "use a named volume, or the service's folder below containers/data_root",
        _host,
    ),
    Rule(
        "C25",
        "the secrets volume is tmpfs: 10 MiB, directory 2750, group 10001",
        f'mount a volume with driver_opts: {{type: "tmpfs", device: "tmpfs", o: "{SECRETS_OPTIONS}"}}',
        _secrets,
    ),
)
