"""Development servers in the place of the units that they replace: `serve` is the runbook."""
