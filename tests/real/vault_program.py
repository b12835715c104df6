"""The real Vault of the tests: one on PATH, else the one that `tools/vault` builds once into the cache."""

from __future__ import annotations

import os
from pathlib import Path

from infra.workspace import vault_program as workspace
from tests.needs import ROOT, require


def vault_program() -> Path:
    """Give the program; the test that has none is skipped, and on CI it fails."""
    require("vault")
    return workspace.vault_program(ROOT, os.environ)
