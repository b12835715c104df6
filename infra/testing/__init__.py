"""The application's tests, each run in databases of its own: the runbook is `run`."""
