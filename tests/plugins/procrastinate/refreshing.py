"""A process that needs a token again and again: whoever finds it expired refreshes it, and spends the old one by that."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pillarbox import Vault
from pillarbox_procrastinate import PostgresRows

NAME = "acme/user:otto/m365"
DESTINATION = {"method": "m365", "server": "login.example"}


class Reversed:
    """Seals nothing; the vault's own tests see to that."""

    def seal(self, secret, associated):
        return secret[::-1] + associated

    def open(self, sealed, associated):
        if not sealed.endswith(associated):
            raise ValueError("bound elsewhere")
        return sealed.removesuffix(associated)[::-1]


def refresh(vault: Vault, provider: Path, wanted: int) -> None:
    """Have a token that is newer than *wanted*: another process's, if it was quicker."""
    with vault.lock(NAME):
        found = vault.load(NAME, DESTINATION)
        if int(found.secret) > wanted:
            return
        with provider.open("a") as spent:  # the provider's memory of tokens that were used
            spent.write(f"{int(found.secret)}\n")
        vault.save(NAME, str(int(found.secret) + 1).encode(), DESTINATION, version=found.version)


def main(url: str, provider: str, expiries: str) -> None:
    vault = Vault(PostgresRows(url), Reversed())
    for wanted in range(int(expiries)):
        refresh(vault, Path(provider), wanted)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
