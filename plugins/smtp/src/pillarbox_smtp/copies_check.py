"""Diagnosis of sent copies: whether the mailbox for them can be used. It warns only, since it stops no mail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import attrs

from pillarbox import Credentials, Finding, Level, Network

from . import hosts
from .copies import Copies
from .imap_folders import Folder
from .imap_session import Trouble
from .settings import SmtpSettings

STAGE = "copy"
NEARLY_FULL = 95
"""Per cent of a quota from which on it is warned of."""


def look_at_copies(
    settings: SmtpSettings,
    network: Network,
    credentials: Credentials | None,
    trace: Callable[[str], None] | None = None,
    *,
    may_connect: bool = True,
) -> Iterator[Finding]:
    """Give what is found of the mailbox for copies; nothing where none is set. Nothing is filed or created."""
    known = hosts.host(settings.server)
    if settings.saved_copy is None:
        if known.files_copy:
            yield _found(Level.OK, "copy-by-provider", f"filed by {known.provider}")
        return
    if not may_connect:
        yield _found(Level.SKIP, "copy-not-reached", "not reached")
        return
    look = _Look(Copies(settings, network, credentials, trace))
    try:
        yield from look.findings()
    finally:
        look.copies.close()


class _Look:
    """One diagnosis; the first trouble ends it."""

    def __init__(self, copies: Copies) -> None:
        self.copies = copies
        self._folder: Folder | None = None

    def findings(self) -> Iterator[Finding]:
        for action in (self._connected, self._signed_in, self._foldered, self._roomy):
            started = time.monotonic()
            self.copies.grant_time()
            try:
                finding = action()
            except Trouble as trouble:
                finding = _found(Level.WARN, trouble.code, trouble.detail, trouble.cure)
            if finding is not None:
                yield attrs.evolve(finding, seconds=time.monotonic() - started)
            if finding is None or finding.level is Level.WARN:
                return

    def _connected(self) -> Finding:
        mailbox = self.copies.mailbox
        mailbox.connect()
        version = f"TLS {mailbox.protection}" if mailbox.protection else "not encrypted"
        return _found(Level.OK, "copy-connected", f"{mailbox.access.place} answered by IMAP, {version}")

    def _signed_in(self) -> Finding:
        self.copies.mailbox.sign_in()
        return _found(Level.OK, "copy-signed-in", f"signed in as {self.copies.mailbox.access.username}")

    def _foldered(self) -> Finding:
        self._folder = self.copies.find_folder()
        if self._folder is None:
            return _found(
                Level.OK, "copy-folder-to-come", "there is no folder yet; the first copy creates it"
            )
        return _found(Level.OK, "copy-folder", f"copies go to {self._folder.name}")

    def _roomy(self) -> Finding | None:
        quota = self.copies.mailbox.quota(self._folder) if self._folder else None
        if quota is None or not quota[1]:
            return None
        used, most = quota
        unit, size = ("MB", 1024) if most >= 10 * 1024 else ("KB", 1)
        seen = f"{used / size:,.0f} of {most / size:,.0f} {unit} are used"
        if used * 100 >= most * NEARLY_FULL:
            return _found(
                Level.WARN, "copy-nearly-full", seen, "Make room in the mailbox, or have its quota raised."
            )
        return _found(Level.OK, "copy-quota", seen)


def _found(level: Level, code: str, seen: str, cure: str = "") -> Finding:
    return Finding(STAGE, level, code, seen, cure)
