"""Takes away what this checkout's local environment left behind: `development` is the runbook."""
