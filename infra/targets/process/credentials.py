"""The bootstrap credential of an agent that runs as a process, and what the agent tells about itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from infra.model import dotenv
from infra.model.errors import BadInput, CannotTell
from infra.model.places import Places
from infra.model.secret import Secret
from infra.targets.process import modes, secret_files

DELIVERY = "delivery"
ADDRESS, ROLE_ID, WRAPPED = "VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_WRAPPED_SECRET_ID"
ROOT = "VAULT_CACERT_BYTES"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What lies there for an agent; `wrapped` is empty once it is blanked.

    `has_secret_id` tells that an agent unwrapped one here; `written` is in seconds since the epoch. `root` is
    the certificate, in PEM, that alone vouches for the server; empty for one that this machine's roots know.
    """

    address: str
    role_id: str
    wrapped: Secret
    has_secret_id: bool
    written: float
    root: str

    @property
    def is_enough(self) -> bool:
        """True when an agent can log in with it, now or after it has unwrapped it."""
        return self.has_secret_id or bool(self.wrapped.reveal())


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the last passed health check of an agent wrote; times are as Vault and `date` write them, UTC.

    `deploy` is the one that started the agent, `token_deploy` the one that its credential was made for.
    """

    time: str
    deploy: str
    accessor: str
    token_accessor: str
    token_expires: str
    token_deploy: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a rendered file was made from; `read` is when the agent last read it with success."""

    path: str
    version: int
    created: str
    read: str


def deliver(
    places: Places, service: str, *, address: str, role_id: str, wrapped: Secret, root: str = ""
) -> None:
    """Put server, role id and a wrapped secret id where the agent of a service takes them at its start.

    `root` is the certificate that alone vouches for the server.
    """
    _write(places, service, address, role_id, wrapped, root)


def blank(places: Places, service: str) -> None:
    """Forget the wrapped secret id, which is used by now; server and role id stay. A repeat is safe."""
    known = delivered(places, service)
    if known is not None and known.wrapped.reveal():
        _write(places, service, known.address, known.role_id, Secret(""), known.root)


def delivered(places: Places, service: str) -> Delivered | None:
    """Give what lies there for a service's agent, None when nothing does; CannotTell for a broken file."""
    file = _file(places, service)
    try:
        values = dotenv.parse(file.read_text(encoding="utf-8"))
        written = file.stat().st_mtime
        return Delivered(
            address=values[ADDRESS],
            role_id=values[ROLE_ID],
            wrapped=Secret(values[WRAPPED]),
            has_secret_id=bool(_size(file.with_name("secret_id"))),
            written=written,
            root=values.get(ROOT, ""),
        )
    except FileNotFoundError:
        return None
    except (OSError, BadInput, KeyError, ValueError):
        raise CannotTell(f"{file} is not what was delivered", next_step=f"rm {file}") from None


def heartbeat(places: Places, service: str) -> Heartbeat | None:
    """Give what the agent's last passed health check wrote; None when there is none, or half of one."""
    lines = _text(places, service, ".heartbeat").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    names = [field.name for field in fields(Heartbeat)]
    return Heartbeat(**{name: found[name] for name in names}) if found.keys() >= set(names) else None


def rendered_versions(places: Places, service: str) -> tuple[Rendered, ...]:
    """Give what the rendered file of a service was made from; nothing when the agent has not said so."""
    rows = [line.split() for line in _text(places, service, ".versions").splitlines()]
    return tuple(
        Rendered(path, int(version), created, read)
        for path, version, created, read in (row for row in rows if len(row) == 4 and row[1].isdigit())
    )


def _write(places: Places, service: str, address: str, role_id: str, wrapped: Secret, root: str) -> None:
    modes.walkable(Path(places.root))  # it may be the first thing there, and others pass through
    plain = {ADDRESS: address, ROLE_ID: role_id, ROOT: root}
    values = {key: Secret(text) for key, text in plain.items()}
    secret_files.write(_file(places, service), {**values, WRAPPED: wrapped})


def _file(places: Places, service: str) -> Path:
    return Path(places.credential(service)) / DELIVERY


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _text(places: Places, service: str, name: str) -> str:
    try:
        return Path(places.secrets_file(service)).with_name(name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
