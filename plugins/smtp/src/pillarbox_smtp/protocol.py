"""The conversation of message submission (RFC 6409), without any I/O: generators that ask and are answered.

Each step yields what to write and how many replies to wait for (`Ask`); whoever drives it sends the replies in, or
throws `Broken` in when they don't come. What a step returns or raises is decided by `judgement` alone.
"""

from __future__ import annotations

import base64
import binascii
import enum
from collections.abc import Generator, Mapping
from typing import NamedTuple, TypeAlias, TypeVar

from pillarbox import Answer, Receipt, SendDeferred, SendError

from . import judgement, lockstep
from .capabilities import Capabilities
from .envelope import Transaction, path
from .judgement import Broken, marked
from .replies import Reply
from .sasl import Dialogue, SaslError

T = TypeVar("T")


class Ask(NamedTuple):
    """One exchange: octets to write, and replies to read under one deadline. A reply of 421 ends it early.

    Attributes:
        stage: Where in the conversation it is.
        data: What to write; nothing where the replies are owed already.
        replies: How many to read.
        ahead: How many more replies the data will bring, which are not waited for.
        before: How many of the leading pieces of data are commands in front of the content.
        content: How many of those behind them are content, and not for a transcript.
        secret: Whether data and replies belong to a sign-in.
        final: Whether it ends the content, for whose answer a server may take ten minutes (RFC 5321 4.5.3.2.6).
        overlaps: Whether replies to what was written before may be waiting still.
        hides: What is blanked out of all that the server says from then on.
    """

    stage: str
    data: tuple[bytes, ...] = ()
    replies: int = 1
    ahead: int = 0
    before: int = 0
    content: int = 0
    secret: bool = False
    final: bool = False
    overlaps: bool = False
    hides: tuple[str, ...] = ()


Steps: TypeAlias = Generator[Ask, list[Reply], T]


class Phase(enum.Enum):
    """Where a session stands."""

    CONNECTED = "connected"
    READY = "between two transactions"
    BEGUN = "in a transaction that was refused, to be reset before the next"
    AHEAD = "the next transaction is announced; its replies are owed"
    AWAITED = "the server waits for the content"
    OVER = "nothing can be said any more"


class Session:
    """One session with a server. Its methods are steps for a driver.

    Args:
        server: Its name, for errors.
        local_name: What EHLO says.

    Attributes:
        offered: What the server offers; forgotten when encryption begins.
        encrypted: Whether the octets go through TLS.
        phase: Where it stands.
        ahead: The transaction whose commands were written behind the end of the last content, or None.
        gone: Whether the server closed, or announced with 421 that it will.
        takes_ahead: Whether commands may be written behind the end of a content, as far as the greeting tells.
        greeting: The server's first words.
    """

    def __init__(self, server: str, local_name: str, *, encrypted: bool = False) -> None:
        self.server = server
        self.local_name = local_name
        self.offered: Capabilities = Capabilities()
        self.encrypted: bool = encrypted
        self.phase: Phase = Phase.CONNECTED
        self.ahead: Transaction | None = None
        self.gone: bool = False
        self.takes_ahead: bool = True
        self.greeting: str = ""

    def greet(self) -> Steps[None]:
        """Wait for the greeting, then say EHLO, or HELO to a server that does not know it.

        Raises:
            SendDeferred: It was not greeted as it should.
        """
        greeting = yield from self._one(Ask("greeting"))
        if greeting.code != 220:
            raise self._refused("greeting", greeting)
        self.greeting = greeting.text
        self.takes_ahead = lockstep.bears_commands_behind_content(greeting.text)
        yield from self.hello()

    def hello(self) -> Steps[None]:
        """Say EHLO (HELO when it is refused) and keep what the server offers.

        Raises:
            SendDeferred: Both were refused, or not answered.
        """
        name = self.local_name.encode("ascii")
        self.offered = Capabilities()
        reply = yield from self._one(Ask("greeting", (b"EHLO " + name + b"\r\n",)))
        if reply.code == 250:
            self.offered = Capabilities.of(reply)
        elif reply.kind == 5:
            reply = yield from self._one(Ask("greeting", (b"HELO " + name + b"\r\n",)))
        if reply.code != 250:
            raise self._refused("greeting", reply)
        self.phase = Phase.READY

    def start_tls(self) -> Steps[None]:
        """Ask for encryption; when this returns, the driver begins it and then calls `secured`.

        Raises:
            SendDeferred: It is not offered, or refused: without it nothing is said.
        """
        if not self.offered.starttls:
            self.phase = Phase.OVER
            raise marked(
                SendDeferred(
                    f"{self.server} does not offer STARTTLS, which the settings require; nothing left.",
                    stage="tls",
                    cure="Try encryption = tls (port 465), or ask the provider. If it used to work here, somebody on"
                    " the way may be removing it.",
                ),
                "tls-not-offered",
            )
        reply = yield from self._one(Ask("tls", (b"STARTTLS\r\n",)))
        if reply.code != 220:
            raise self._refused("tls", reply)

    def secured(self) -> None:
        """Note that encryption has begun, and forget what was offered before (RFC 3207 4.2)."""
        self.encrypted = True
        self.offered = Capabilities()
        self.phase = Phase.CONNECTED

    def sign_in(self, dialogue: Dialogue) -> Steps[None]:
        """Sign in by *dialogue* (RFC 4954), and by no other mechanism should it fail.

        Raises:
            SignInNeeded: The credential was refused.
            SendDeferred: The server could not check it now, or did not prove to know it (SCRAM).
        """
        first = dialogue.first()
        command = b"AUTH " + dialogue.name.encode("ascii")
        if first is not None:
            command += b" " + (base64.b64encode(first) or b"=")
        reply = yield from self._said(dialogue, command)
        while reply.code == 334:
            response = self._response(dialogue, reply)
            reply = yield from self._said(dialogue, base64.b64encode(response))
        if reply.code != 235:
            raise self._refused("sign-in", reply)
        if not dialogue.proven:
            raise self._not_proven("the server did not prove that it knows the password")

    def _said(self, dialogue: Dialogue, line: bytes) -> Steps[Reply]:
        return (yield from self._one(Ask("sign-in", (line + b"\r\n",), secret=True, hides=dialogue.secrets)))

    def _response(self, dialogue: Dialogue, reply: Reply) -> bytes:
        try:
            return dialogue.respond(base64.b64decode(b"".join(reply.lines), validate=True))
        except (binascii.Error, SaslError) as error:
            said = str(error) if isinstance(error, SaslError) else "what it asked is not base64"
        raise self._not_proven(said)

    def _not_proven(self, said: str) -> SendDeferred:
        self.phase = Phase.OVER
        error = SendDeferred(
            f"The sign-in at {self.server} was broken off: {said}; nothing left.",
            stage="sign-in",
            cure="Check that this is the right server. If it is, name another mechanism in the setting sasl.",
        )
        return marked(error, "sign-in-garbage")

    def announce(self, transaction: Transaction) -> Steps[Mapping[str, Answer]]:
        """Announce *transaction* and return the answer for each recipient; the server then waits for the content.

        With PIPELINING the commands are one write (RFC 2920), which may have been made already (`ahead`).

        Raises:
            SendDeferred, SendRejected, SignInNeeded: The server does not want it; nothing left.
        """
        if self.phase is Phase.BEGUN:
            yield from self.reset()
        written = self.ahead is transaction
        self.ahead = None
        self.phase = Phase.BEGUN
        together = (
            self._together(transaction, written=written)
            if self.offered.pipelining
            else self._in_turn(transaction)
        )
        replies, broken = yield from together
        try:
            answers = judgement.envelope(self.server, transaction, replies, broken)
        except SendError:
            yield from self._abandon(transaction, replies)
            raise
        self.phase = Phase.AWAITED
        return answers

    def _together(
        self, transaction: Transaction, *, written: bool
    ) -> Steps[tuple[list[Reply], Broken | None]]:
        data = () if written else (b"".join(transaction.commands),)
        replies, broken = yield from self._some(Ask("sender", data, replies=len(transaction.commands)))
        return replies, broken

    def _in_turn(self, transaction: Transaction) -> Steps[tuple[list[Reply], Broken | None]]:
        replies: list[Reply] = []
        for number, command in enumerate(transaction.commands):
            if number == len(transaction.commands) - 1 and all(reply.kind != 2 for reply in replies[1:]):
                break
            stage = "recipient" if number else "sender"
            more, broken = yield from self._some(Ask(stage, (command,)))
            replies += more
            if broken is not None or self.gone or (number == 0 and replies[0].kind != 2):
                return replies, broken
        return replies, None

    def _abandon(self, transaction: Transaction, replies: list[Reply]) -> Steps[None]:
        """Leave a transaction that was refused. A server that waits for its content all the same gets none.

        When no recipient was taken and DATA was pipelined with them, RFC 2920 3.1 asks for a lone dot, and whatever
        the server answers, nothing was sent. After any other 354 the line can only be cut.
        """
        complete = len(replies) == len(transaction.commands)
        if any(reply.kind == 3 for reply in replies[:-1]) or (complete and replies[-1].kind in {2, 3}):
            waits_for_nobody = replies[-1].code == 354 and all(
                reply.kind in {4, 5} for reply in replies[1:-1]
            )
            if replies[0].kind == 2 and waits_for_nobody:
                yield from self._some(Ask("content", (b".\r\n",)))
            else:
                self.phase = Phase.OVER

    def out_of_step(self, *, closed: bool) -> SendDeferred:
        """Note that the server, which waited for content, hung up or spoke out of turn; return what that means."""
        self.phase = Phase.OVER
        self.gone = True
        how = (
            Broken(judgement.How.CLOSED)
            if closed
            else Broken(judgement.How.GARBAGE, "more than it was asked for")
        )
        return judgement.lost(self.server, "content", how)

    def content(
        self, transaction: Transaction, answers: Mapping[str, Answer], ahead: Transaction | None = None
    ) -> Steps[Receipt]:
        """Hand the content over, in one write with the commands of *ahead*, and return the server's word.

        Raises:
            SendDeferred, SendRejected: The server refused it in a complete reply.
            OutcomeUnknown: It may have it, and did not say.
        """
        following = ahead.commands if ahead is not None else ()
        pieces = len(transaction.pieces)
        replies, broken = yield from self._some(
            Ask(
                "content", (*transaction.pieces, *following), ahead=len(following), content=pieces, final=True
            )
        )
        if broken is not None:
            raise judgement.unanswered(self.server, transaction, answers, broken)
        if replies[0].code != 250 and replies[0].kind not in {4, 5}:
            self.phase = Phase.OVER
        elif self.phase is not Phase.OVER:
            self.phase, self.ahead = (Phase.READY, None) if ahead is None else (Phase.AHEAD, ahead)
        return judgement.final(self.server, transaction, answers, replies[0])

    def begin_chunks(
        self, transaction: Transaction, *, reset: bool
    ) -> Steps[tuple[list[Reply], Broken | None]]:
        """Announce *transaction* with the first octet of its content as a chunk (RFC 3030), and wait for the replies.

        With *reset* RSET goes in front, whose reply is left out.
        """
        self.phase = Phase.BEGUN
        data = transaction.begun(reset=reset)
        count = len(transaction.commands) + reset
        ask = Ask("content", data, replies=count, before=count, content=len(data) - count)
        replies, broken = yield from self._some(ask)
        return replies[reset:], broken

    def write_chunk(
        self, transaction: Transaction, *, reset: bool, begun: bool
    ) -> Steps[tuple[Broken | None, int]]:
        """Write *transaction* whole, its content as one BDAT chunk, and wait for nothing.

        Args:
            transaction: What to write.
            reset: Whether RSET goes in front, so that what became of the one before does not matter.
            begun: Whether `begin_chunks` has; then this is the rest of the content.

        Returns why it could not be written, or None, and how many octets there were to write.
        """
        data = transaction.rest if begun else transaction.chunked(reset=reset)
        ahead = 1 if begun else len(transaction.commands) + reset
        content = len(data) - ahead
        ask = Ask("content", data, replies=0, ahead=ahead, before=ahead, content=content, overlaps=True)
        _, broken = yield from self._some(ask)
        return broken, sum(map(len, data))

    def read_chunk(self, count: int) -> Steps[tuple[list[Reply], Broken | None]]:
        """Wait for the next *count* replies to what `write_chunk` wrote."""
        return (yield from self._some(Ask("content", (), replies=count, final=True)))

    def hear_out(self) -> Steps[bool]:
        """Wait for the end of a connection that the server said it would close; return whether that was all it said."""
        replies, _ = yield from self._some(Ask("content", ()))
        return not replies and self.gone

    def leave_unsettled(self) -> None:
        """Have the next transaction begin with RSET: what became of the last one need not be known for it."""
        if self.phase is Phase.READY:
            self.phase = Phase.BEGUN

    def reset(self) -> Steps[None]:
        """Forget a transaction that was begun (RFC 5321 4.1.1.5).

        Raises:
            SendDeferred: The server did not.
        """
        reply = yield from self._one(Ask("reset", (b"RSET\r\n",)))
        if reply.code != 250:
            raise self._refused("reset", reply)
        self.phase = Phase.READY

    def still_there(self) -> Steps[None]:
        """Ask the server for nothing but an answer (RFC 5321 4.1.1.9).

        Raises:
            SendDeferred: It gave none, or not the right one.
        """
        reply = yield from self._one(Ask("reset", (b"NOOP\r\n",)))
        if reply.code != 250:
            raise self._refused("reset", reply)

    def try_sender(self, address: str) -> Steps[None]:
        """Ask whether the account may send as *address*, and begin no transaction that is ever ended.

        Raises:
            SendRejected, SendDeferred, SignInNeeded: It may not, or not now.
        """
        yield from self._tried("sender", b"MAIL FROM:" + path(address))

    def try_recipient(self, address: str) -> Steps[None]:
        """Ask, after `try_sender`, whether the server takes mail for *address*.

        Raises:
            SendRejected, SendDeferred: It does not, or not now.
        """
        yield from self._tried("recipient", b"RCPT TO:" + path(address))

    def _tried(self, stage: str, command: bytes) -> Steps[None]:
        self.phase = Phase.BEGUN
        reply = yield from self._one(Ask(stage, (command + b"\r\n",)))
        if reply.kind != 2:
            raise judgement.refused(self.server, stage, reply)

    def _one(self, ask: Ask) -> Steps[Reply]:
        """Ask for one reply; a broken exchange is told as what it means before the hand-over."""
        replies, broken = yield from self._some(ask)
        if broken is not None or not replies:
            raise judgement.lost(self.server, ask.stage, broken or Broken(judgement.How.CLOSED))
        return replies[0]

    def _some(self, ask: Ask) -> Steps[tuple[list[Reply], Broken | None]]:
        """Ask, and return the replies as far as they came, with why they came no further."""
        try:
            replies = yield ask
            broken = None
        except Broken as what:
            replies, broken = what.replies, what
            self.phase = Phase.OVER
            self.gone = what.how in {judgement.How.CLOSED, judgement.How.RESET}
        if replies and replies[-1].code == 421:
            self.phase = Phase.OVER
            self.gone = True
        return replies, broken

    def _refused(self, stage: str, reply: Reply) -> SendError:
        """Return the error that *reply* means, of a step without which there is no next."""
        if stage != "reset" or reply.kind not in {4, 5}:
            self.phase = Phase.OVER
        return judgement.refused(self.server, stage, reply)
