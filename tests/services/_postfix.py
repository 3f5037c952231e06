"""Postfix: Debian's own, its sign-ins judged by Dovecot, its accepted mail handed to the recording sink."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.services._server import SENDERS, Server

if TYPE_CHECKING:
    from tests.services._authority import Authority

# Folder of the queue -> owner, group and mode, as Debian's /etc/postfix/postfix-files has them.
_OWN: Final = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming")
_QUEUE: Final = {
    **dict.fromkeys((*_OWN, "private", "saved", "trace"), ("postfix", "root", 0o700)),
    "maildrop": ("postfix", "postdrop", 0o730),
    "pid": ("root", "root", 0o755),
    "public": ("postfix", "postdrop", 0o710),
}


class Postfix(Server):
    """Postfix on three ports.

    `plain_port` offers no TLS, offers AUTH, and takes mail without it. `starttls_port` wants STARTTLS and
    `tls_port` speaks TLS from the first byte; both then want AUTH, and an envelope sender that belongs to who
    signed in (`SENDERS`), else 553 5.7.1 at RCPT. Accepted mail gains one Received field on top, nothing else.
    `certified_port` wants STARTTLS and a client certificate of the authority, offers no AUTH, and takes mail of
    the one client that it knows by fingerprint.
    """

    name = "Postfix"
    program = Path("/usr/lib/postfix/sbin/master")
    port_names = (*Server.port_names, "certified_port")
    certified_port: int

    def __init__(self, authority: Authority, sasl_socket: Path) -> None:
        super().__init__(authority)
        self._client_fingerprint = authority.client_fingerprint
        self._sasl_socket = sasl_socket

    def configure(self) -> list[str]:
        """Queue, data folder and configuration; the master process runs without the checks of postfix(1)."""
        self._make_folders()
        logins = " ".join(f"{{ {sender} = {', '.join(who)} }}" for sender, who in SENDERS.items())
        main = self.write(
            "main.cf",
            "postfix-main.cf",
            sasl_socket=self._sasl_socket,
            sender_logins=logins,
            client_fingerprint=self._client_fingerprint,
        )
        os.utime(main, (0, 0))  # Postfix waits for a file changed just now to settle, over a second
        self.write("master.cf", "postfix-master.cf")
        return [str(self.program), "-c", str(self.folder), "-d"]

    def settled(self) -> bool:
        """Looks in the order in which a mail moves, so that none slips through between two looks."""
        return not any(
            file.is_file()
            for name in ("incoming", "active", "deferred")
            for file in self._queue.glob(f"{name}/**/*")
        )

    def diagnosis(self) -> str:
        """Postfix says why it can't start to syslog alone; this is what postconf(1) thinks of its settings."""
        done = subprocess.run(
            ["postconf", "-c", str(self.folder), "-n"], capture_output=True, text=True, check=False
        )
        return done.stderr

    @property
    def _queue(self) -> Path:
        return self.folder / "queue"

    def _make_folders(self) -> None:
        self._queue.mkdir()
        for name, access in _QUEUE.items():
            _make_folder(self._queue / name, *access)
        _make_folder(self.folder / "data", "postfix", "postfix", 0o700)


def _make_folder(folder: Path, owner: str, group: str, mode: int) -> None:
    folder.mkdir()
    os.chown(folder, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
    folder.chmod(mode)
