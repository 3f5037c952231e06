"""A sign-in whose token is refreshed by several processes: rows on the disk, and a provider that keeps its books there."""

from __future__ import annotations

import json
import time
from pathlib import Path

from pillarbox import App, Connector, Held, SettingsError, SignInNeeded, SqliteRows, Vault
from pillarbox._vault import AccountCredentials

NAME = "company/company/sign-in"
BOUND = {"method": "testmail", "connector": "testmail"}


class Clear:
    """Seals nothing, and notices when what it is bound to has changed."""

    def seal(self, secret, associated):
        return json.dumps([secret.decode(), associated.decode()]).encode()

    def open(self, sealed, associated):
        secret, bound = json.loads(sealed)
        if bound != associated.decode():
            raise ValueError("not sealed for this")
        return secret.encode()


class Books(Connector):
    """Rotates its refresh tokens, and ends the grant when one is used a second time, as strict providers do."""

    def __init__(self, folder):
        self.file = folder / "asked"

    def start(self, app, asked):
        raise NotImplementedError

    def finish(self, app, asked, kept, callback):
        raise NotImplementedError

    @property
    def asked(self):
        return self.file.read_text().split() if self.file.exists() else []

    def held(self, app, secret, purpose):
        kept = json.loads(secret)
        return Held(kept["token"], kept["end"])

    def refresh(self, app, secret, purpose):
        before = json.loads(secret)["refresh"]
        with self.file.open("a") as file:
            file.write(f"{before}\n")
        if before == "unknown":
            raise SettingsError("Testmail does not know this application.", cure="Look at client_id.")
        if before == "dead" or self.asked.count(before) > 1:
            raise SignInNeeded("Testmail ended the grant.", stage="sign-in", cure="Connect again.")
        return sealed(f"token-{len(self.asked)}", f"refresh-{len(self.asked)}", 3600)


def sealed(token, refresh, seconds):
    """Return what is sealed of a token that is good for *seconds*."""
    return json.dumps({"token": token, "refresh": refresh, "end": time.time() + seconds}).encode()


def vault(folder):
    """Return the vault in *folder*."""
    return Vault(SqliteRows(folder / "vault.sqlite3"), Clear())


def credentials(folder, kept=None):
    """Return a new view of the account's secrets."""
    return AccountCredentials("company/company/", {}, BOUND, vault(folder) if kept is None else kept)


def connected(folder, refresh="refresh-0", seconds=0, **learned):
    """Keep a sign-in whose token is good for *seconds*."""
    connection = {"issuer": "i", "subject": "1", **learned}
    vault(folder).save(NAME, sealed("token-0", refresh, seconds), BOUND, connection=connection)


def token(folder, **more):
    """Return a token, or the name of what it ended in."""
    try:
        return Books(folder).token(App({}), credentials(folder), "send")
    except SignInNeeded as error:
        return f"{type(error).__name__}: {error.detail}"


def elsewhere(folder, gate, answers):
    """Ask for a token in a process of its own, together with the others."""
    gate.wait(30)
    answers.put(token(Path(folder)))
