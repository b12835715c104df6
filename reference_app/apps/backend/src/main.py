"""Finance Report, the backend: `python -m uvicorn src.main:app` in the folder that holds `src/`."""

from __future__ import annotations

import logging
import os

from src.application import application
from src.config import ConfigError, Settings


def _settings() -> Settings:
    try:
        return Settings.read(os.environ)
    except ConfigError as error:
        raise SystemExit(f"configuration: {error}") from None


def _quiet_health(record: logging.LogRecord) -> bool:
    """Good answers to /health are many and say nothing; the log is for the rest."""
    match record.args:
        case (_, _, "/health", _, 200):
            return False
    return True


logging.getLogger("uvicorn.access").addFilter(_quiet_health)
app = application(_settings())
