"""The stages of the runbook, one file each. `infra.deploy` calls them in order and nothing else does."""
