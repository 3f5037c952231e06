"""Exim: another server's view of the same client, with its own words and its own stages of refusal."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from tests.services._server import LOGINS, SENDERS, Server

if TYPE_CHECKING:
    from collections.abc import Iterable

_SERVERS = Path(os.environ.get("PILLARBOX_SERVERS", "/var/cache/pillarbox/servers"))
_USER = "Debian-exim"


class Exim(Server):
    """Exim on three ports, with the same meaning as those of Postfix.

    It differs where a client must not care: it speaks TLS by GnuTLS, offers PLAIN, LOGIN and CRAM-MD5, and asks
    for the sign-in (530 5.7.0) and refuses a foreign envelope sender (550 5.7.1) at MAIL already. Accepted mail
    gains one Received field on top, nothing else.
    """

    name = "Exim"
    program = _SERVERS / "exim/usr/sbin/exim4"

    def configure(self) -> list[str]:
        """Configuration, look-up files, and the folders and the key in the hands of Exim's own user."""
        config = self.write("exim.conf", "exim.conf", exim=self.program)
        _write_table(self.folder / "passwords", LOGINS.items())
        _write_table(
            self.folder / "sender-logins", ((sender, ":".join(who)) for sender, who in SENDERS.items())
        )
        for name in ("spool", "log"):
            (self.folder / name).mkdir()
        for name in ("spool", "log", "server.key"):
            _give_to_exim(self.folder / name)
        as_exim = ["setpriv", "--reuid", _USER, "--regid", _USER, "--clear-groups"]
        return [*as_exim, str(self.program), "-C", str(config), "-bdf"]

    def settled(self) -> bool:
        """Whether no mail waits in the spool: its -H file is there from before the 250 until it was handed on."""
        return not any(self.folder.glob("spool/input/*-H"))


def _write_table(file: Path, rows: Iterable[tuple[str, str]]) -> None:
    file.write_text("".join(f"{key}: {value}\n" for key, value in rows))


def _give_to_exim(path: Path) -> None:
    user = pwd.getpwnam(_USER)
    os.chown(path, user.pw_uid, user.pw_gid)
