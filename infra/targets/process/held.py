"""What an agent has taken of its credential: kept aside in memory, and put back when the new one fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.model.places import Places
from infra.model.secret import Secret
from infra.targets.process import modes

NAMES = ("unwrapped", "accessor", "secret_id")


@dataclass(frozen=True, slots=True)
class Held:
    """The files of one credential, by name; a file that is not there is left out."""

    files: Mapping[str, Secret]

    @property
    def accessor(self) -> str:
        """The accessor that names it, empty when the agent has none."""
        found = self.files.get("accessor")
        return found.reveal() if found else ""


def held(places: Places, service: str) -> Held:
    """Give the credential that a service's agent holds now."""
    folder = Path(places.credential(service))
    found = {name: folder / name for name in NAMES if (folder / name).is_file()}
    return Held({name: Secret(file.read_text(encoding="utf-8")) for name, file in found.items()})


def put_back(places: Places, service: str, before: Held) -> None:
    """Make the agent hold this credential again: it uses it at its next login. A repeat is safe."""
    folder = Path(places.credential(service))
    for name in NAMES:
        if name in before.files:
            modes.write(folder / name, before.files[name].reveal(), modes.PRIVATE)
        else:
            (folder / name).unlink(missing_ok=True)
