"""Acceptance: runs the check of each promise on state of its own, and tells what it saw."""
