"""A whole stack under a umask of 000: it works, and nobody else can write any of it."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.real.conftest import Checkout

pytestmark = pytest.mark.real


def test_a_stack_under_umask_000_is_nobody_elses_and_what_others_could_write_is_refused(
    checkout: Checkout,
) -> None:
    before = os.umask(0o000)
    try:
        checkout.setup()
        checkout.run("vault.put", "--service", "app", "--key", "OPENROUTER_API_KEY", stdin="sk-or-1")
    finally:
        os.umask(before)
    places = (checkout.home_of_state, checkout.folder / "share", checkout.folder / "cache")
    found = [path for place in places for path in place.rglob("*") if not path.is_symlink()]
    assert len(found) > 500, "state, snapshot, programs, cluster, store and cache"
    assert [str(path) for path in found if path.stat().st_mode & 0o022] == []

    script = checkout.state / "run/backend/entrypoint.sh"
    script.chmod(0o666)
    refused = checkout.run("finance_report.app.setup")
    assert refused.code == 2
    assert f"others can write {script}, and what lies there runs next" in refused.err
    subprocess.run(["chmod", "-R", "go-w", str(checkout.home_of_state)], check=True)

    (checkout.state / "logs").chmod(0o755)
    narrowed = checkout.setup()
    assert "narrowed the rights of others on 1 files and folders" in narrowed.err
    assert checkout.setup().err.count("narrowed") == 0

    (checkout.root / "reference_app/apps/backend/new.py").write_text("", encoding="utf-8")
    (checkout.root / "reference_app/apps/backend").chmod(0o777)
    open_tree = checkout.run("finance_report.app.setup")
    assert (open_tree.code, "store release" in open_tree.err.lower()) == (2, True)
    assert f"others can write {checkout.root}/reference_app/apps/backend, " in open_tree.err
