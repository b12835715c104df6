"""What nobody owns any more, on this machine and on the host: shown in six sections, never removed."""
