"""The kinds of stores that keep the contract, and what can go wrong around each."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from infra.model.addresses import Addresses
from infra.model.secret import Secret
from infra.store import private_file, shelf
from infra.store.file_store import FileStore
from infra.store.interface import Store
from infra.store.vault import wire
from infra.store.vault.client import VaultClient
from infra.store.vault.kv import VaultStore
from tests.doubles.vault_api import POOR, ROOT, VaultApi
from tests.real.vault_server import SealableServer

PATH = "finance_report/local/app"
AT = Addresses("db", "cache", {}, "d", "d_app")
BRIEF = 0.3


class Site(Protocol):
    """A kind of store, with what can go wrong around it."""

    store: Store

    def again(self) -> Store:
        """Give another client of the same store."""

    def refuse(self) -> None:
        """Make the store refuse this client."""

    def silence(self) -> None:
        """Make the store answer nobody."""

    def break_down(self) -> None:
        """Make the store answer what cannot be read: sealed, or damaged."""

    def end(self) -> None:
        """Give back what the faults took."""


class FileSite:
    """The store of local environments in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "secrets"
        self.store = self.again()
        self._monkeypatch = monkeypatch
        self._held = ExitStack()

    def again(self) -> Store:
        return FileStore(self.folder, "local", self.folder.parent / "checkout")

    def refuse(self) -> None:
        self.folder.chmod(0o755)

    def silence(self) -> None:
        self._monkeypatch.setattr(shelf, "PATIENCE", 0.02)
        lock = self._held.enter_context((self.folder / "local.json.lock").open())
        fcntl.flock(lock, fcntl.LOCK_EX)

    def break_down(self) -> None:
        private_file.replace(self.folder / "local.json", '{"format": 1, "entr')

    def end(self) -> None:
        self._held.close()


@dataclass
class DoubleSite:
    """The store of deployed environments against the double."""

    api: VaultApi
    monkeypatch: pytest.MonkeyPatch
    token: str = ROOT

    def __post_init__(self) -> None:
        self.store = self.again()

    def again(self) -> Store:
        return VaultStore(VaultClient(self.api.address, Secret(self.token), pause=0.001), "secret")

    def refuse(self) -> None:
        self.token = POOR

    def silence(self) -> None:
        self.monkeypatch.setattr(wire, "PATIENCE", BRIEF / 3)
        self.api.delay = 30

    def break_down(self) -> None:
        self.api.is_sealed = True

    def end(self) -> None:
        """The double ends with its test."""


@dataclass
class ServerSite:
    """The store of deployed environments against a real server, emptied before."""

    server: SealableServer
    monkeypatch: pytest.MonkeyPatch
    token: str = ""

    def __post_init__(self) -> None:
        self.token = self.server.root
        self._undo = ExitStack()
        self._empty("")
        self.store = self.again()

    def again(self) -> Store:
        return VaultStore(VaultClient(self.server.address, Secret(self.token), pause=0.001), "secret")

    def refuse(self) -> None:
        wishes = {"policies": ["none"], "no_default_policy": True}
        self.token = self.server.must("POST", "auth/token/create", wishes)["auth"]["client_token"]

    def silence(self) -> None:
        self.monkeypatch.setattr(wire, "PATIENCE", BRIEF)
        os.kill(self.server.pid, signal.SIGSTOP)
        self._undo.callback(os.kill, self.server.pid, signal.SIGCONT)

    def break_down(self) -> None:
        self.server.seal()
        self._undo.callback(self.server.unseal)

    def end(self) -> None:
        self._undo.close()

    def _empty(self, folder: str) -> None:
        listed = self.server.call("LIST", f"secret/metadata/{folder}")
        for name in listed.json()["data"]["keys"] if listed.ok else ():
            if name.endswith("/"):
                self._empty(f"{folder}{name}")
            else:
                self.server.must("DELETE", f"secret/metadata/{folder}{name}")
