"""The real Vault of the tests: one on PATH, else the one that `tools/vault` builds once into the cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.model.errors import MissingProgram
from infra.workspace import vault_program as workspace

ROOT = Path(__file__).resolve().parents[2]


def vault_program() -> Path:
    """Give the program; a machine that has none fails on CI, and elsewhere the test says how to get one."""
    try:
        return workspace.vault_program(ROOT, os.environ)
    except MissingProgram as missing:
        words = f"{missing.message}: {missing.next_step}"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
