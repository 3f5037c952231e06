"""Sent copies by IMAP: looked for first, filed once, and told; whatever goes wrong never touches what was sent.

A copy whose APPEND was not answered may be there. It is looked for again on a fresh connection: what is found was
filed; where the server has closed the old connection and nothing is found, it is appended once more; a server that
was only silent may still be at it, so that is left in doubt and told.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable

import attrs

from pillarbox import Copy, CopyState, Credentials, Network, Receipt, Sighting, SightingState, Submission

from . import hosts
from .fields import Encryption
from .imap import Mailbox
from .imap_folders import Folder
from .imap_session import Access, Trouble
from .imap_wire import Deadline, How
from .proxies import way
from .settings import WITH_PASSWORD, WITH_TOKEN, SmtpSettings
from .tls import Trust

LONGEST = 30.0
"""Seconds for reaching the folder, for each look and for each copy, however long the account's own limit is."""
SLOWEST = 64 * 1024
"""Octets a second that a copy has to make beside."""
PAUSE = 60.0
"""Seconds for which a server that could not be reached is not tried again: the mail behind must not wait for each."""


RENEW_AFTER = 120.0
"""Seconds of rest after which a connection is not trusted any more: some networks drop a quiet one without a word."""
_ENDED = frozenset({How.CLOSED, How.RESET})
"""How a connection is lost that the server has given up as well."""


INBOX = "INBOX"


@attrs.frozen
class Seen:
    """What a look found.

    Attributes:
        is_there: Whether the message is in the folder; None where the look failed.
        is_marked: Whether it is the folder that the server files in: it says so itself.
        where: The folder, with its server.
        detail: Why it failed, a sentence.
    """

    is_there: bool | None
    where: str = ""
    detail: str = ""
    is_marked: bool = False


def access_of(settings: SmtpSettings) -> Access | None:
    """Return how the mailbox with the sent mail is reached; None where that is not known.

    What `saved_copy` leaves out is as for sending. A provider that files by itself is known with its IMAP server.
    """
    copy, known = settings.saved_copy, hosts.host(settings.server)
    if copy is None and not (known.imap and settings.authenticate):
        return None
    own = copy is not None and copy.password is not None
    return Access(
        server=copy.server if copy else known.imap,
        port=copy.port if copy else 993,
        encryption=copy.encryption if copy else Encryption.TLS,
        username=(copy.username if copy else "") or settings.username,
        secret="saved_copy.password" if own else ("" if settings.sign_in else "password"),
        mechanisms=WITH_TOKEN if settings.sign_in and not own else WITH_PASSWORD,
        trust=Trust(copy.ca_file, copy.fingerprint) if copy else Trust(settings.ca_file),
        is_direct=not settings.proxy,
    )


def sighting(seen: Seen, submission: Submission, filer: hosts.Host | None, settling: float) -> Sighting:
    """Return what it proves that a copy was *seen* or not.

    Args:
        seen: What a look found.
        submission: What was looked for.
        filer: The provider whose server files by itself what it sends; None where only we file copies.
        settling: Seconds that filing may take.
    """
    if seen.is_there:
        state = CopyState.BY_CARRIER if filer else CopyState.ALREADY_THERE
        copy = Copy(state, filer.provider if filer else seen.where)
        said = f"found in {seen.where}"
        return Sighting(SightingState.SENT, Receipt(submission.message_id, detail=said, copy=copy))
    if seen.is_there is None:
        return Sighting(SightingState.UNCLEAR, detail=f"Looking in {seen.where} failed. {seen.detail}")
    if filer is None:
        return Sighting(
            SightingState.UNCLEAR,
            detail=f"It is not in {seen.where}, which proves nothing: the server files no copy by itself.",
            is_final=True,
        )
    if not seen.is_marked:
        said = f"It is not in {seen.where}, which is not marked as the folder for sent mail, so it proves nothing."
        return Sighting(SightingState.UNCLEAR, detail=said)
    if dt.datetime.now(dt.UTC) - submission.composed_at < dt.timedelta(seconds=settling):
        return Sighting(
            SightingState.UNCLEAR, detail=f"It is not in {seen.where} yet, which may take a while."
        )
    return Sighting(
        SightingState.ABSENT, detail=f"It is not in {seen.where}, where {filer.provider} files sent mail."
    )


class Copies:
    """Files sent copies for one account and looks for them; keeps its connection between two messages.

    Args:
        settings: The account's; there is an `access_of` them.
        network: How to reach the server.
        credentials: The account's, or None.
        trace: Takes lines of the conversation, redacted.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        network: Network,
        credentials: Credentials | None,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        access = access_of(settings)
        assert access is not None
        self.mailbox: Mailbox = Mailbox(
            access, network, credentials, lambda: way(settings, credentials), trace
        )
        self._settings = settings
        self._credentials = credentials
        self._seconds = min(settings.timeout, LONGEST)
        self._folder: Folder | None = None
        self._renewed = False
        self._pause: tuple[float, Trouble] | None = None
        self._used = 0.0
        self._process = os.getpid()

    @property
    def where(self) -> str:
        """The folder as far as it is known, with the server."""
        wanted = self._settings.saved_copy.folder if self._settings.saved_copy else ""
        name = self._folder.name if self._folder else wanted or "Sent"
        return f"{name} at {self.mailbox.access.server}"

    def file(self, submission: Submission) -> Copy:
        """File a copy of *submission*, Bcc included, unless there is one already; never raises."""
        try:
            return self._filed(submission)
        except Trouble as trouble:
            return self._told(CopyState.UNCLEAR if trouble.in_doubt else CopyState.FAILED, trouble)
        except Exception as error:  # noqa: BLE001  (the message was accepted, whatever fails here)
            self.mailbox.drop()
            return Copy(CopyState.FAILED, self.where, f"Filing it failed with {type(error).__name__}.")

    def look(self, submission: Submission) -> Seen:
        """Look whether the folder holds *submission*; never raises."""
        try:
            folder = self._ready(may_create=False)
            found = self.mailbox.has(folder, submission.message_id)
        except Trouble as trouble:
            return Seen(None, self.where, self._redacted(trouble.detail))
        except Exception as error:  # noqa: BLE001  (a look that fails is no answer)
            self.mailbox.drop()
            return Seen(None, self.where, f"Looking failed with {type(error).__name__}.")
        return Seen(found, self.where, is_marked=folder.is_marked)

    def has_arrived(self, submission: Submission) -> bool | None:
        """Whether the mailbox's inbox holds *submission*; None where copies go there too.

        Raises:
            Trouble: The look failed.
        """
        copy = self._settings.saved_copy
        if copy is not None and copy.folder.upper() == INBOX:
            return None
        self._keep_to_process()
        self.grant_time()
        if not self.mailbox.is_open:
            self._open()
        return self.mailbox.has(Folder.named(INBOX), submission.message_id)

    def close(self) -> None:
        """Let the connection go without waiting."""
        if self._process == os.getpid():
            self.mailbox.close()
        else:  # the parent's: a word on it would end the parent's session
            self.mailbox.drop()

    def _filed(self, submission: Submission) -> Copy:
        try:
            return self._once(submission)
        except Trouble as trouble:
            may_go_again = trouble.in_doubt or (trouble.how in _ENDED and self._pause is None)
            if not may_go_again:
                raise
            first = trouble
        return self._again(submission, first)

    def _once(self, submission: Submission) -> Copy:
        folder = self._ready()
        if self.mailbox.has(folder, submission.message_id):
            return Copy(CopyState.ALREADY_THERE, self.where)
        return self._appended(folder, submission)

    def _again(self, submission: Submission, first: Trouble) -> Copy:
        """Look on a fresh connection what became of a copy whose connection was lost, and file it if it is not there.

        Raises:
            Trouble: With `in_doubt` where that can't be known.
        """
        try:
            folder = self._ready()
            if self.mailbox.has(folder, submission.message_id):
                return Copy(CopyState.FILED if first.in_doubt else CopyState.ALREADY_THERE, self.where)
            if first.in_doubt and first.how not in _ENDED:
                raise first  # the server may still be at it
            return self._appended(folder, submission)
        except Trouble as trouble:
            trouble.in_doubt = trouble.in_doubt or first.in_doubt
            raise

    def _appended(self, folder: Folder, submission: Submission) -> Copy:
        content = submission.content_with_bcc()
        self.mailbox.deadline = Deadline(self._seconds + len(content) / SLOWEST)
        try:
            uid = self.mailbox.append(folder, content)
        except Trouble as trouble:
            if trouble.code != "copy-folder-missing" or not self._may_create:
                raise
            self._folder = self.mailbox.create(folder.name)
            uid = self.mailbox.append(self._folder, content)
        return Copy(CopyState.FILED, self.where, f"UID {uid}" if uid else "")

    def _ready(self, *, may_create: bool = True) -> Folder:
        """Return the folder, on a connection that answers; each try has the time of one.

        Raises:
            Trouble: There is none, or it was tried in vain a moment ago.
        """
        self._keep_to_process()
        self._refuse_haste()
        self.grant_time()
        try:
            if not self.mailbox.is_open or time.monotonic() - self._used > RENEW_AFTER:
                self._folder = None
                self.mailbox.close()
                self._open()
            if self._folder is None:
                self._folder = self.find_folder() or self._created(may_create=may_create)
        except Trouble as trouble:
            self._pause = (time.monotonic() + PAUSE, trouble)
            raise
        self._pause, self._used = None, time.monotonic()
        return self._folder

    def _open(self) -> None:
        """Connect and sign in; where a token is refused and the connector has another, once more with that (rule 24).

        Raises:
            Trouble: It did not go as it should.
        """
        self.mailbox.connect()
        try:
            self.mailbox.sign_in()
        except Trouble as trouble:
            refused = trouble.code == "copy-sign-in-refused" and not self._renewed
            if not (refused and self.mailbox.has_another_token()):
                raise
            self._renewed = (
                True  # until one is taken: a mailbox that takes none must not cost a refresh each time
            )
            self.mailbox.connect()
            self.mailbox.sign_in()
        self._renewed = False

    def find_folder(self) -> Folder | None:
        """Return the folder for copies, or None where there is none and it may be created.

        Raises:
            Trouble: There is none.
        """
        copy = self._settings.saved_copy
        try:
            if copy is not None and copy.folder:
                folder: Folder | None = Folder.named(copy.folder)
                self.mailbox.look_into(Folder.named(copy.folder))
            else:
                folder = self.mailbox.sent_folder()
        except Trouble as trouble:
            if trouble.code != "copy-folder-missing" or not self._may_create:
                raise
            return None
        if folder is None and not self._may_create:
            raise Trouble(
                "copy-folder-missing",
                f"{self.mailbox.access.server} has no folder for sent mail.",
                "Name one with folder, or set create_folder = true.",
            )
        return folder

    def _created(self, *, may_create: bool) -> Folder:
        if not may_create:
            raise Trouble(
                "copy-folder-missing", f"{self.mailbox.access.server} has no folder for sent mail yet."
            )
        copy = self._settings.saved_copy
        return self.mailbox.create(copy.folder if copy else "")

    def grant_time(self) -> None:
        """Let what follows take as long as one exchange may."""
        self.mailbox.deadline = Deadline(self._seconds)

    @property
    def _may_create(self) -> bool:
        copy = self._settings.saved_copy
        return copy is not None and copy.create_folder

    def _refuse_haste(self) -> None:
        if self._pause is not None and not self.mailbox.is_open and time.monotonic() < self._pause[0]:
            trouble = self._pause[1]
            raise Trouble(trouble.code, f"{trouble.detail} It is not tried again for a minute.", trouble.cure)

    def _keep_to_process(self) -> None:
        if self._process != os.getpid():
            self.mailbox.drop()
            self._process = os.getpid()

    def _told(self, state: CopyState, trouble: Trouble) -> Copy:
        return Copy(state, self.where, self._redacted(trouble.detail), cure=trouble.cure)

    def _redacted(self, text: str) -> str:
        return self._credentials.redact(text) if self._credentials is not None else text
