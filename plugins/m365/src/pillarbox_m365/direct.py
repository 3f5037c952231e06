"""Send only: one request that submits, MIME or JSON; where no answer comes, nobody can look what became of it."""

from __future__ import annotations

from pillarbox import Copy, CopyState, Journal, MessageError, Receipt, Submission

from . import bodies, fields, parts
from .answers import error_of
from .bodies import Body
from .graph import Graph
from .octets import Octets
from .receipts import MICROSOFT
from .scopes import LARGEST_REQUEST


def submit(
    graph: Graph, submission: Submission, journal: Journal, *, as_mime: bool, save_sent: bool
) -> Receipt:
    """Submit in one request.

    Args:
        graph: The mailbox.
        submission: What is sent.
        journal: Of this attempt.
        as_mime: Whether it may go as MIME: it shows the mailbox's own address.
        save_sent: Whether a copy is filed.

    Raises:
        PillarboxError: As `Transport.send`.
    """
    body = _body(submission, as_mime=as_mime and save_sent, save_sent=save_sent)
    graph.ready()
    with journal.handing_over():
        answer = graph.ask("POST", "/sendMail", "send", body=body, submits=True)
    if answer.status != 202:
        raise error_of(answer, "send", submits=True)
    copy = Copy(CopyState.BY_CARRIER, MICROSOFT) if save_sent else None
    return Receipt(submission.message_id, submitted_only=True, copy=copy, security=graph.security)


def _body(submission: Submission, *, as_mime: bool, save_sent: bool) -> Body:
    """Return the request's body: MIME keeps all that the message says, JSON holds larger files and another From.

    Raises:
        MessageError: It is too large for one request, which is all that this connection may make.
    """
    mime = bodies.of_mime(submission)
    if as_mime and mime.size <= LARGEST_REQUEST:
        return mime
    whole = parts.read(Octets(submission.chunks), submission.bcc_header)
    message = fields.message_of(whole, submission, files=whole.files)
    body = bodies.of_json({"message": message, "saveToSentItems": save_sent}, whole.files)
    if body.size <= LARGEST_REQUEST:
        return body
    raise MessageError(
        f"The message makes a request of {body.size:,} octets; this connection, which may only send, takes"
        f" {LARGEST_REQUEST:,}.",
        cure="Connect the account with send and confirm, which may add larger files to a draft; or send a link.",
    )
