"""Vault and OpenBao: the store of deployed environments, spoken to through one client."""
