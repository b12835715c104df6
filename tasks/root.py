"""The top of this checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
