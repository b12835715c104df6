"""Builds the frontend: `python build.py` writes `dist/`, `python build.py --check` only looks.

NEXT_PUBLIC_API_URL, the origin of the API, is baked in; empty is right where one router serves both.
Exit code 0; 1 when a page is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import bundle

HERE = Path(__file__).parent


def main(arguments: Sequence[str]) -> int:
    """The exit code; what was written goes to stdout, faults go to stderr."""
    parser = argparse.ArgumentParser(prog="python build.py", description="Build the frontend.")
    parser.add_argument("--check", action="store_true", help="look for faults, write nothing")
    parser.add_argument("--out", type=Path, default=HERE / "dist", help="where to (default: dist/)")
    asked = parser.parse_args(arguments)
    api_url = os.environ.get("NEXT_PUBLIC_API_URL", "").rstrip("/")
    try:
        sources = bundle.Sources.read(HERE)
        files = bundle.made(sources, api_url, is_hashed=True)
    except bundle.Broken as broken:
        print(broken, file=sys.stderr)
        return 1
    if not asked.check:
        _write(asked.out, files | {"manifest.json": _manifest(sources, files)})
    for name, content in sorted(files.items()):
        print(f"{len(content):8}  {name}")
    return 0


def _manifest(sources: bundle.Sources, files: dict[str, bytes]) -> bytes:
    text = json.dumps({"sources": sources.digest, "files": sorted(files)}, indent=1)
    return text.encode() + b"\n"


def _write(out: Path, files: dict[str, bytes]) -> None:
    """Put the new build in the old one's place, whole or not at all."""
    fresh = out.with_name(f"{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name, content in files.items():
        file = fresh / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
