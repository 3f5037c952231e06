"""What came of a step: pure functions from replies, or from the lack of them, to errors and receipts.

What goes wrong on the way to the mailbox (name, connection, encryption, greeting, a sign-in that is not offered)
says nothing about the message: it is deferred, so that neither a wrong setting nor somebody in the middle can make
mail fail for good. Only an answer about the credential is `SignInNeeded`; only an answer about sender, recipients
or content is `SendRejected`.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pillarbox import (
    Answer,
    AnswerState,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendError,
    SendRejected,
    SignInNeeded,
    quotation,
)

from .envelope import Transaction
from .meanings import meaning_of
from .replies import Reply

E = TypeVar("E", bound=Exception)


class How(enum.Enum):
    """How an exchange ended without all its replies."""

    CLOSED = "closed the connection"
    RESET = "broke the connection off"
    SILENT = "did not answer in full"
    STALLED = "took nothing more"
    GARBAGE = "sent"


class Broken(Exception):
    """An exchange that ended without all its replies.

    Attributes:
        how: In which way.
        said: More of it, a clause: how long was waited, what was sent.
        replies: Those that were complete.
        written: Octets of the exchange that were handed to the operating system.
        alert: By which TLS alert the server refused our certificate, or the lack of one; else "".
    """

    def __init__(
        self, how: How, said: str = "", replies: Sequence[Reply] = (), written: int = 0, alert: str = ""
    ) -> None:
        super().__init__(how, said)
        self.how = how
        self.said = said
        self.replies: list[Reply] = list(replies)
        self.written = written
        self.alert = alert

    @property
    def clause(self) -> str:
        """What the server did: `closed the connection`, `did not answer in full within 30 s`."""
        return f"{self.how.value} {self.said}".rstrip()


_WHILE = {
    "greeting": "before it had greeted",
    "tls": "before encryption began",
    "sign-in": "during the sign-in",
    "sender": "before it had taken the sender",
    "recipient": "before it had taken the recipients",
    "content": "before it asked for the content",
    "reset": "between two messages",
}
_REFUSED = {
    "greeting": "does not take connections",
    "tls": "refused STARTTLS",
    "sign-in": "refused the sign-in",
    "sender": "refused the sender",
    "recipient": "refused every recipient",
    "content": "refused the message",
    "reset": "refused to start over",
}
_TLS_PORT = "If this port speaks TLS from the first octet, set encryption = tls (port 465)."


def marked(error: E, finding: str, meaning: str = "", cure: str = "") -> E:
    """Return *error* with what `check` makes of it: the code of a finding, and where known a meaning and its cure."""
    vars(error).update(finding=finding, meaning=meaning, help=cure)
    return error


def finding_of(error: Exception, default: str) -> str:
    """Return the code of the finding that *error* carries, or *default*."""
    return str(vars(error).get("finding", default))


def helped(error: Exception) -> tuple[str, str]:
    """Return the meaning behind a server's refusal and what helps, or two empty texts."""
    return str(vars(error).get("meaning", "")), str(vars(error).get("help", ""))


def lost(server: str, stage: str, broken: Broken) -> SendDeferred:
    """Return what it means that an exchange broke before the hand-over: nothing left."""
    if broken.alert:
        return unwanted(server, broken.alert)
    tls_port = stage == "greeting" and (broken.how is not How.GARBAGE or "\x15\x03" in broken.said)
    error = SendDeferred(
        f"{server} {broken.clause} {_WHILE[stage]}; nothing left.",
        stage=stage,
        cure=_TLS_PORT if tls_port else "",
    )
    return marked(error, f"{stage}-{broken.how.name.lower()}")


_NO_CERTIFICATE = "Set client_certificate and client_key to what the server's administrator gave you."
_OTHER_CERTIFICATE = (
    "Show the server's administrator the certificate in client_certificate, or have another issued."
)
ALERTS = {
    "CERTIFICATE_REQUIRED": ("wants a client certificate", _NO_CERTIFICATE),
    "BAD_CERTIFICATE": ("does not accept our client certificate", _OTHER_CERTIFICATE),
    "UNSUPPORTED_CERTIFICATE": ("does not take client certificates of this kind", _OTHER_CERTIFICATE),
    "CERTIFICATE_REVOKED": ("says that our client certificate was revoked", _OTHER_CERTIFICATE),
    "CERTIFICATE_EXPIRED": ("says that our client certificate has expired", _OTHER_CERTIFICATE),
    "CERTIFICATE_UNKNOWN": ("does not accept our client certificate", _OTHER_CERTIFICATE),
    "UNKNOWN_CA": ("does not know the authority of our client certificate", _OTHER_CERTIFICATE),
    "ACCESS_DENIED": ("does not accept our client certificate", _OTHER_CERTIFICATE),
}
"""The TLS alerts about a client certificate (RFC 8446 6.2), each as a clause, with its cure. Under TLS 1.3 one arrives
after our side has ended the handshake, in the place of the first reply."""


def unwanted(server: str, alert: str) -> SendDeferred:
    """Return what it means that the server refused our certificate, or the lack of one, by this *alert*."""
    said, cure = ALERTS[alert]
    error = SendDeferred(f"{server} {said}; nothing left.", stage="tls", cure=cure)
    return marked(error, "tls-client-required" if alert == "CERTIFICATE_REQUIRED" else "tls-client-refused")


def nonsense(server: str, stage: str, reply: Reply) -> SendDeferred:
    """Return what it means that *reply* makes no sense where it came, before the hand-over."""
    error = SendDeferred(
        f'{server} answered {reply.status} "{quotation(reply.text)}", which makes no sense there; nothing left.',
        stage=stage,
        code=reply.status,
    )
    return marked(error, f"{stage}-garbage")


def refused(
    server: str, stage: str, reply: Reply, recipients: Mapping[str, Answer] | None = None
) -> SendError:
    """Return what it means that the server gave *reply*, a complete 4xx or 5xx, at *stage*."""
    if reply.kind not in {4, 5}:
        return nonsense(server, stage, reply)
    meaning = meaning_of(stage, reply)
    cure = f"{_sentence(meaning.meaning)} {meaning.cure}" if meaning else ""
    error = _class_of(stage, reply)(
        f'{server} {_REFUSED[stage]}: {reply.status} "{quotation(reply.text)}"',
        stage=stage,
        code=reply.status,
        cure=cure,
        recipients=_refusals(recipients or {}),
    )
    if meaning is None:
        return marked(error, f"{stage}-refused")
    return marked(error, meaning.finding, meaning.meaning, meaning.cure)


def _refusals(answers: Mapping[str, Answer]) -> Mapping[str, Answer]:
    """Return those who were refused: in a message that was not accepted nobody else was."""
    return {who: one for who, one in answers.items() if one.state is not AnswerState.ACCEPTED}


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:]}."


def _class_of(stage: str, reply: Reply) -> type[SendDeferred | SendRejected | SignInNeeded]:
    if reply.kind == 4 or stage in {"greeting", "tls", "reset"}:
        return SendDeferred
    if stage == "sign-in" or reply.code == 530:
        return SignInNeeded
    return SendRejected


_STATES = {2: AnswerState.ACCEPTED, 4: AnswerState.REFUSED_FOR_NOW, 5: AnswerState.REFUSED}


def answer(reply: Reply) -> Answer:
    """Return what a 2xx, 4xx or 5xx *reply* to RCPT says of the recipient."""
    return _answer(reply.code, reply.lines)


@functools.lru_cache(maxsize=512)
def _answer(code: int, lines: tuple[bytes, ...]) -> Answer:
    reply = Reply(code, lines)
    return Answer(_STATES[reply.kind], reply.text, reply.status)


def envelope(
    server: str,
    transaction: Transaction,
    replies: Sequence[Reply],
    broken: Broken | None,
    *,
    go_on: int = 354,
) -> Mapping[str, Answer]:
    """Return what was answered for each recipient, when the server now waits for the content.

    Args:
        server: Its name, for errors.
        transaction: What was announced.
        replies: To MAIL, to each RCPT, to DATA, as far as they came.
        broken: Why they came no further, or None.
        go_on: The code by which the server asks for the content: to the first chunk by BDAT, 250.

    Raises:
        SendDeferred, SendRejected, SignInNeeded: The server does not wait for it, or must not get it.
    """
    if not replies:
        raise lost(server, "sender", broken or Broken(How.CLOSED))
    if replies[0].kind != 2:
        raise refused(server, "sender", replies[0])
    answers = _answers(
        server, transaction, replies[1:-1] if _has_data(transaction, replies) else replies[1:], broken
    )
    if not _has_data(transaction, replies):
        raise lost(server, "content", broken or Broken(How.CLOSED))
    if replies[-1].code != go_on:
        raise refused(server, "content", replies[-1], answers)
    return answers


def _has_data(transaction: Transaction, replies: Sequence[Reply]) -> bool:
    return len(replies) == len(transaction.commands)


def _answers(
    server: str, transaction: Transaction, replies: Sequence[Reply], broken: Broken | None
) -> Mapping[str, Answer]:
    strange = next((reply for reply in replies if reply.kind == 3), None)
    if strange is not None:
        raise nonsense(server, "recipient", strange)
    answers = {who: answer(reply) for who, reply in zip(transaction.recipients, replies, strict=False)}
    if len(replies) < len(transaction.recipients):
        raise _cut_short(server, replies, answers, broken)
    if all(reply.kind != 2 for reply in replies):
        raise _none_accepted(server, replies, answers)
    return answers


def _cut_short(
    server: str, replies: Sequence[Reply], answers: Mapping[str, Answer], broken: Broken | None
) -> SendError:
    """Return what it means that the server stopped answering between two recipients."""
    if broken is None and replies:
        return refused(server, "recipient", replies[-1], answers)
    error = lost(server, "recipient", broken or Broken(How.CLOSED))
    error.recipients = dict(_refusals(answers))
    return error


def _none_accepted(server: str, replies: Sequence[Reply], answers: Mapping[str, Answer]) -> SendError:
    """Return the error of a message that no recipient of may have: final only when each refusal is."""
    telling = next((reply for reply in replies if reply.kind == 4), replies[0])
    return refused(server, "recipient", telling, answers)


def final(server: str, transaction: Transaction, answers: Mapping[str, Answer], reply: Reply) -> Receipt:
    """Return the receipt, when *reply* to the end of the content is a 250.

    Raises:
        SendDeferred, SendRejected: It is a complete 4xx or 5xx: an answer as good as another.
        OutcomeUnknown: It is neither.
    """
    if reply.code == 250:
        text = reply.text
        return Receipt(
            transaction.submission.message_id,
            reference(text),
            recipients=answers,
            detail=text,
            security=transaction.security,
        )
    if reply.kind in {4, 5}:
        raise refused(server, "content", reply, answers)
    raise OutcomeUnknown(
        f'{server} answered the message with {reply.status} "{quotation(reply.text)}", which is neither yes nor no.',
        stage="content",
        code=reply.status,
        recipients=_refusals(answers),
    )


def unanswered(
    server: str, transaction: Transaction, answers: Mapping[str, Answer], broken: Broken
) -> SendError:
    """Return what it means that the exchange broke in the content or before its answer.

    A refusal that came all the same is the answer. Where the end of the content was never written, the server has
    to forget what it got (RFC 5321 3.8 and 4.1.1.4): deferred. In every other case the outcome is unknown.
    """
    early = broken.replies[0] if broken.replies else None
    if early is not None and early.kind in {4, 5}:
        return refused(server, "content", early, answers)
    if broken.written < sum(map(len, transaction.pieces)):
        return SendDeferred(
            f"{server} {broken.clause} in the middle of the content; its end was not written, so nothing was accepted.",
            stage="content",
            recipients=_refusals(answers),
        )
    return OutcomeUnknown(
        f"{server} {broken.clause} after the whole message was handed over; whether it took it is not known.",
        stage="content",
        recipients=_refusals(answers),
    )


def chunk(
    server: str,
    transaction: Transaction,
    replies: Sequence[Reply],
    *,
    whole: bool,
    farewell: Reply | None = None,
) -> Receipt:
    """Return the receipt of a message that was written at once, its content by BDAT.

    Args:
        server: Its name, for errors.
        transaction: What was written.
        replies: To MAIL, to each RCPT, to BDAT, as far as they came.
        whole: Whether all of it was written.
        farewell: A 421 to this message or one in front of it, behind which the server said nothing more and closed:
            it answers in order, so it came no further than that.

    Raises:
        SendDeferred, SendRejected, SignInNeeded: The server took none of it.
        OutcomeUnknown: It may have it, and did not say.
    """
    took = len(replies) == len(transaction.commands) and replies[-1].kind == 2
    if replies and replies[0].kind in {4, 5} and not took:
        raise refused(server, "sender", replies[0])
    recipients = replies[1 : len(transaction.recipients) + 1]
    in_order = all(one.kind == 2 for one in replies[:1]) and all(one.kind in {2, 4, 5} for one in recipients)
    if in_order and len(recipients) == len(transaction.recipients):
        answers = {who: answer(reply) for who, reply in zip(transaction.recipients, recipients, strict=True)}
        if all(one.kind != 2 for one in recipients) and not took:
            raise _none_accepted(server, recipients, answers)
        if len(replies) == len(transaction.commands) and any(one.kind == 2 for one in recipients):
            return final(server, transaction, answers, replies[-1])
    if took:
        raise OutcomeUnknown(
            f"{server} refused the envelope and took the message; to whom it goes is not known.",
            stage="content",
        )
    if not whole:
        raise SendDeferred(
            f"{server} did not take the whole message, so nothing was accepted.", stage="content"
        )
    if farewell is not None:
        raise refused(server, "content", farewell)
    raise OutcomeUnknown(
        f"{server} did not answer after the whole message was handed over; whether it took it is not known.",
        stage="content",
    )


_REFERENCE = re.compile(
    r"""queued\ (?:as\ |\()(?P<queued>[^\s)]+)          # Postfix, Haraka
      | \bid=(?P<exim>[\w.-]+)                           # Exim
      | InternalId=(?P<exchange>[0-9]+)                  # Exchange
      | (?P<gmail>\S+)\ -\ gsmtp                         # Gmail
      | (?P<sendmail>\S+)\ Message\ accepted\ for\ deli  # Sendmail, OpenSMTPD
      | \bqp\ (?P<qmail>[0-9]+)                          # qmail
      | ^Ok\ (?P<ses>[\w-]{16,})$                        # Amazon SES
    """,
    re.VERBOSE | re.IGNORECASE,
)


def reference(text: str) -> str:
    """Return the server's own name for the message, its queue id, where its closing words tell; else ""."""
    found = _REFERENCE.search(text)
    return found[str(found.lastgroup)] if found else ""
