"""From a fresh clone to serving, with empty and with filled package caches.

python -m bench.fresh        prints both in seconds; downloads some 150 MB, so it is run by hand only
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from infra.model.variables import seen_by

ROOT = Path(__file__).resolve().parent.parent


def serving(folder: Path, caches: Path) -> float:
    """Clone, set up and take down again; give the seconds of the setup alone."""
    clone = folder / "clone"
    env = seen_by("git", os.environ)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True, env=env)
    places = {"XDG_STATE_HOME": folder / "state", "XDG_DATA_HOME": folder / "share", "HOME": folder / "home"}
    cached = {"PIP_CACHE_DIR": caches / "pip", "UV_CACHE_DIR": caches / "uv"}
    own = {name: str(path) for name, path in {**places, **cached}.items()}
    variables = {**seen_by("installer", os.environ), **own}
    began = time.monotonic()
    try:
        subprocess.run(["./inv", "finance_report.app.setup"], check=True, cwd=clone, env=variables)
        return time.monotonic() - began
    finally:
        subprocess.run(["./inv", "finance_report.destroy", "--yes"], check=True, cwd=clone, env=variables)


def main() -> None:
    """Measure both, in folders that every user may pass through."""
    place = Path(tempfile.mkdtemp(prefix="fresh-"))
    place.chmod(0o711)
    try:
        for name in ("empty", "filled"):
            (place / name).mkdir(mode=0o711)
            seconds = serving(place / name, place / "caches")
            sys.stdout.write(f"fresh clone to serving, {name} caches: {seconds:.1f} s\n")
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
