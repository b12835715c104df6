"""Is it really running: the gate, the facts of what runs, probes and smoke."""
