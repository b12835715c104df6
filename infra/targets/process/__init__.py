"""The stack as processes: supervised, found again by their environment, run from snapshots."""
