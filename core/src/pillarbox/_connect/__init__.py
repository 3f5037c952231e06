"""Signing an account in: from the wish to the row in the vault, the same for command, pages and a host's own routes."""
