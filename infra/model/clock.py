"""Moments as text: UTC in ISO 8601, and deploy ids that sort by time."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Give the moment as `2026-01-02T03:04:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def deploy_id(moment: datetime, salt: str) -> str:
    """Give an id that sorts by its moment, to the millisecond; `salt` tells two of one moment apart."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y%m%dT%H%M%S}{utc.microsecond // 1000:03d}-{salt}"
