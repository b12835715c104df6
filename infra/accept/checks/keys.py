"""Checks of who names which variable: whole in an application's checkout, and noticed where it is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.accept.ground import Ground, exits, on_files, require
from infra.model.acceptance import Evidence


def keys_agree(ground: Ground, source: str, file: str, old: str, new: str, relation: int) -> Evidence:
    """Prove that the application keeps all relations, and that one is told where `old` became `new`.

    The application is the one that was named, else `source` of this checkout; `source` is what is broken.
    """
    whole = ground.application or ground.trial.root / source
    good = exits(ground.trial.inv(f"env.check-keys --app-dir {whole} --json"))
    copy = _copy(ground, source)
    text = (copy / file).read_text(encoding="utf-8")
    require(old in text, f"{source}/{file} has no {old!r}")
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    bad = exits(ground.trial.inv(f"env.check-keys --app-dir {copy} --json"), 1)
    found = {one["relation"]: one for one in bad.json["facts"]["broken"]}
    require(relation in found, f"{bad}: relations {sorted(found)}, not {relation}")
    names = ", ".join(found[relation]["keys"])
    told = f"{len(good.json['facts']['settings'])} settings"
    return on_files(f"{good}, {told}; {file} broken: exit 1, relation {relation}: {names}")


def keys_missing(ground: Ground, source: str, file: str) -> Evidence:
    """Prove that a missing input is an error that names it."""
    copy = _copy(ground, source)
    (copy / file).unlink()
    bad = exits(ground.trial.inv(f"env.check-keys --app-dir {copy} --json"), 2)
    words = bad.json["errors"][0]["message"]
    require(file in words, f"{bad}: {words!r} does not name {file}")
    return on_files(f"{file} removed, {bad}: {words}")


def _copy(ground: Ground, source: str) -> Path:
    copy = ground.trial.folder / "application"
    shutil.rmtree(copy, ignore_errors=True)
    return Path(shutil.copytree(ground.trial.root / source, copy))
