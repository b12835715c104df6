"""The key of this user's proofs: which processes on this machine are ours.

It lies beside the secrets and outside of every state folder: a state that is lost takes no proof with it.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from infra.model.errors import StoreError
from infra.model.secret import Secret
from infra.store import private_file

PATIENCE = 10.0
_KEY = re.compile(r"[0-9a-f]{64}\n?")


class ProofKey:
    """One private file. Whoever starts a process makes it, whoever only looks goes without it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: Secret | None = None

    def read(self) -> Secret | None:
        """Give the key, None while there is none; Denied when others could read it."""
        if self._known is None:
            text = private_file.read(self._file)
            self._known = None if text is None else self._checked(text)
        return self._known

    def make(self) -> Secret:
        """Give the key, made now where there is none. A repeat gives the same one."""
        found = self.read()
        if found is None:
            private_file.make_folder(self._file.parent)
            with private_file.locked(self._file, PATIENCE):
                if private_file.read(self._file) is None:
                    private_file.replace(self._file, secrets.token_hex(32) + "\n")
            return self.make()
        return found

    def _checked(self, text: str) -> Secret:
        if not _KEY.fullmatch(text):
            raise StoreError(
                f"{self._file} is damaged: it holds no key",
                next_step=f"rm {self._file}   # the next setup makes another one",
            )
        return Secret(text.strip())
