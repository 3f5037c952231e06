"""What can go wrong, named by what the caller does next.

    PillarboxError                                                        exit
    + SettingsError            fix the settings; nothing left               78
    | - NoMethod               the method is None: says whose
    | - InvalidSettings        .problems: one sentence for each field
    | - SenderMismatch         this account may not show that address
    | - Changed                somebody saved the record meanwhile
    + Unavailable              a platform, program or distribution is
    |                          missing; says the cure                       69
    | - TransportNotInstalled
    + MessageError             this message can't be sent as it is;
    |                          nothing left                                 65
    + OutboxError              no such entry, or it stands where that
    |                          can't be done; nothing changed               65
    + ReportRefused            a web hook is not its provider's, or no
    |                          report; nothing of it was believed           65
    + SendError                .detail .code .stage                the outbox then
      - SendRejected           final                                65     fails it, tells the user
      - SendDeferred           try later, .retry_after              75     retries with back-off
      - SignInNeeded           the credential was refused           77     pauses the account
      - OutcomeUnknown         handed over, no answer               70     looks; else holds it

Every error survives pickle and copy, so that it can cross a process boundary (Celery).
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._mail import Answer

QUOTATION_OCTETS = 512
"""The most that is shown of what a server said (RFC 5321 4.5.3.1.5 bounds a reply line at 512)."""


def quotation(said: str | bytes) -> str:
    """Return *said*, a server's or a program's words, fit to be shown to a person.

    Control, escape and bidirectional characters are dropped, line breaks become spaces and the text is cut
    at 512 octets of UTF-8.
    """
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if text.isascii() and text.isprintable() and len(text) <= QUOTATION_OCTETS:
        return text if "  " not in text and text == text.strip() else " ".join(text.split())
    kept = "".join(_shown(character) for character in text[: 4 * QUOTATION_OCTETS])
    line = " ".join(kept.split())
    return line.encode("utf-8", "replace")[:QUOTATION_OCTETS].decode("utf-8", "ignore")


def _shown(character: str) -> str:
    if character in "\r\n\t\u2028\u2029\x85":
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} else character


class PillarboxError(Exception):
    """Whatever pillarbox raises on purpose.

    Attributes:
        detail: What happened, in one sentence; a server's words only as a quotation.
        cure: What to do about it, or "".
        exit_code: What the `pillarbox` command exits with (BSD sysexits).
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, detail: str = "", *, cure: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.detail} {self.cure}".strip()


class SettingsError(PillarboxError):
    """The settings have to be mended; nothing left."""

    exit_code = 78


class NoMethod(SettingsError):
    """The method that counts here is None.

    Attributes:
        owner: Whose method it is: `company` or `user:<id>`.
    """

    def __init__(self, detail: str = "", *, owner: str = "company", cure: str = "") -> None:
        super().__init__(detail, cure=cure)
        self.owner = owner


class InvalidSettings(SettingsError):
    """Settings that can't be used, with every problem at once.

    Attributes:
        problems: One `path  sentence` for each field, in the order of the file.
        where: What was read, a file's name for instance.
    """

    def __init__(self, problems: Iterable[str] = (), *, where: str = "the settings") -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        self.where = where
        super().__init__(self._sentence())
        self.args: tuple[object, ...] = (self.problems,)

    def _sentence(self) -> str:
        count = len(self.problems)
        head = f"{self.where} has {count} problem{'' if count == 1 else 's'}"
        return "\n  ".join([head, *self.problems])

    def __str__(self) -> str:
        return self._sentence()


class SenderMismatch(SettingsError):
    """The account may not show the address that the message would have shown."""


class Changed(SettingsError):
    """The record was saved by somebody else since it was read; read it again and repeat the change."""


class Unavailable(PillarboxError):
    """A platform, a program or a distribution is missing."""

    exit_code = 69


class TransportNotInstalled(Unavailable):
    """No installed distribution offers the method.

    Attributes:
        method: The name that was looked for.
    """

    def __init__(self, detail: str = "", *, method: str = "", cure: str = "") -> None:
        super().__init__(detail, cure=cure)
        self.method = method


class MessageError(PillarboxError):
    """The message can't be sent as it is; nothing left."""

    exit_code = 65


class ReportRefused(PillarboxError):
    """What came does not prove that the provider sent it, or is no report; nothing of it was believed. Answer with 400."""

    exit_code = 65


class OutboxError(PillarboxError):
    """There is no such entry in the outbox, or it stands where that can't be done; nothing changed."""

    exit_code = 65


class SendError(PillarboxError):
    """An attempt that did not end in acceptance.

    Attributes:
        detail: What happened; a server's words are cleaned and cut (see `quotation`).
        code: The server's code as it gave it (`550 5.1.1`), or "".
        stage: Where the attempt had got to (`connect`, `tls`, `sign-in`, `sender`, `recipient`, `content` ...), or "".
        recipients: What the server said of each recipient, where it said something: wire address -> `Answer`.
    """

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        stage: str = "",
        cure: str = "",
        recipients: Mapping[str, Answer] | None = None,
    ) -> None:
        super().__init__(quotation(detail), cure=cure)
        self.code: str = quotation(code)
        self.stage = stage
        self.recipients: dict[str, Answer] = dict(recipients or {})


class SendRejected(SendError):
    """The refusal is final: nothing left, and trying again won't help."""

    exit_code = 65


class SendDeferred(SendError):
    """Nothing left, but it may later.

    Attributes:
        retry_after: Seconds that the server asked to wait, or None.
    """

    exit_code = 75

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after: float | None = None,
        code: str = "",
        stage: str = "",
        cure: str = "",
        recipients: Mapping[str, Answer] | None = None,
    ) -> None:
        super().__init__(detail, code=code, stage=stage, cure=cure, recipients=recipients)
        self.retry_after = retry_after


class SignInNeeded(SendError):
    """The credential was refused or is missing; a person has to give a new one. Nothing left."""

    exit_code = 77


class OutcomeUnknown(SendError):
    """The message was handed over and no valid answer came: it may have been sent, or not."""

    exit_code = 70
