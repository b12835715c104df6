"""Where secrets, releases and leases are kept."""
