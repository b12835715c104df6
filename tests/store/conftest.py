"""The stores that keep the contract: files, the double, a real server, and OpenBao where it is on PATH."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.store.interface import Store
from tests.doubles.vault_api import VaultApi, vault_api
from tests.real.vault_program import vault_program
from tests.real.vault_server import SealableServer, sealable_server
from tests.store.sites import DoubleSite, FileSite, ServerSite, Site

REAL = pytest.mark.real("VT")
BESIDE = pytest.mark.needs("bao")
KINDS = [
    "file",
    "double",
    pytest.param("server", marks=REAL),
    pytest.param("openbao", marks=[REAL, BESIDE]),
]


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SealableServer]:
    with sealable_server(vault_program(), tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SealableServer]:
    with sealable_server(Path(shutil.which("bao") or ""), tmp_path_factory.mktemp("openbao")) as running:
        yield running


@pytest.fixture
def api() -> Iterator[VaultApi]:
    with vault_api() as double:
        yield double


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = _site(request, tmp_path, monkeypatch)
    yield made
    made.end()


@pytest.fixture
def store(site: Site) -> Store:
    return site.store


def _site(request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Give a store of one kind; only what it needs is started."""
    if request.param == "file":
        return FileSite(folder, monkeypatch)
    if request.param == "double":
        return DoubleSite(request.getfixturevalue("api"), monkeypatch)
    fixture = "real_server" if request.param == "server" else "openbao"
    return ServerSite(request.getfixturevalue(fixture), monkeypatch)
