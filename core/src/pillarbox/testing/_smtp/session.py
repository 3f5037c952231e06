"""One connection's conversation: a well-behaved submission server with a place for a script at every point."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from .record import Manners, Record
from .sign_in import SignIn
from .state import State, Transaction
from .turn import Speech, Turn
from .values import Connection, Heard, MailPath, Received, Said, mail_path, unstuffed
from .wire import Ended, Taken, Wire

COMMANDS = 100_000
"""After so many commands a connection ends."""

_BDAT = re.compile(rb"BDAT (\d{1,9})( LAST)? *", re.IGNORECASE)


def _nothing(_: Said) -> None:
    """Have no effect."""


def _line(taken: Taken) -> bytes:
    """Return a command without its line end."""
    return taken.octets.rstrip(b"\r\n")


class Session:
    """The conversation with one client.

    Args:
        wire: Its octets.
        manners: How to behave.
        record: Where to write down what is heard.
        number: The connection's, from 1.
        peer: The client's address and port.
    """

    def __init__(
        self, wire: Wire, manners: Manners, record: Record, *, number: int, peer: tuple[str, int]
    ) -> None:
        self._wire = wire
        self._manners = manners
        self._record = record
        self._number = number
        self._peer = peer
        self._state = State()
        self._in_service = True
        self._ended = ""

    def seen(self) -> Connection:
        """Return the connection as it is now."""
        return Connection(
            number=self._number,
            peer=self._peer,
            tls=self._wire.tls,
            authenticated_as=self._state.user,
            ended=self._ended,
        )

    def run(self) -> None:
        """Hold the conversation to its end, whatever that is; the socket is closed then."""
        why = "a script failed"
        try:
            self._converse()
        except Ended as end:
            why = end.why
        except Exception as error:  # noqa: BLE001  (raised again by whoever stops the server)
            self._record.fail(error)
        finally:
            self._hear("unread", self._wire.rest())
            self._ended = why
            self._wire.close()

    def stop(self) -> None:
        """End it from another thread."""
        self._wire.stop()

    def _converse(self) -> None:
        self._say("connect")
        if self._manners.implicit_tls:
            self._handshake()
        self._say("greeting", b"220 scripted.example ESMTP\r\n", effect=self._after_greeting)
        for _ in range(COMMANDS):
            self._command(self._wire.line())
        raise Ended("the client sent more commands than are taken")

    def _command(self, taken: Taken) -> None:
        verb = _line(taken).partition(b" ")[0].decode("ascii", "replace").lower()
        self._ANSWERS.get(verb, Session._other)(self, taken)

    def _answer(
        self,
        point: str,
        taken: Taken,
        usual: bytes,
        *,
        address: str = "",
        effect: Callable[[Said], None] = _nothing,
    ) -> Said | None:
        """Write down the command and take the turn; return the answer that was given."""
        self._hear(point, taken)
        return self._say(point, usual, line=_line(taken), address=address, effect=effect).answer

    def _say(
        self,
        point: str,
        usual: bytes = b"",
        *,
        line: bytes = b"",
        address: str = "",
        effect: Callable[[Said], None] = _nothing,
        arrived: Callable[[int], bool] = bool,
    ) -> Speech:
        """Take the turn at *point*; after a 421 the line is closed."""
        speech = Speech(self._wire, effect)
        refused = usual and point != "quit" and not self._in_service
        turn = Turn(
            point=point,
            occurrence=self._record.reach(point),
            connection=self._number,
            line=line,
            address=address,
            usual=b"503 5.5.1 there is no service here\r\n" if refused else usual,
            tls=bool(self._wire.tls),
            send=speech.send,
            arrived=arrived,
            wire=self._wire,
        )
        self._manners.behaviour(point).act(turn)
        if speech.answer and speech.answer.code == 421:
            self._wire.finish("421")
        return speech

    def _hear(self, point: str, taken: Taken) -> None:
        if taken.octets:
            self._record.hear(
                Heard(
                    connection=self._number,
                    point=point,
                    octets=taken.octets,
                    tls=bool(self._wire.tls),
                    read=taken.read,
                )
            )

    def _after_greeting(self, said: Said) -> None:
        """After a greeting that refused, all but QUIT is refused (RFC 5321 3.1)."""
        self._in_service = said.code == 220

    def _ehlo(self, taken: Taken) -> None:
        point = "ehlo-after-tls" if self._wire.tls and not self._manners.implicit_tls else "ehlo"
        self._answer(
            point, taken, self._manners.ehlo(secured=bool(self._wire.tls)), effect=self._state.after_hello
        )

    def _helo(self, taken: Taken) -> None:
        self._answer("helo", taken, b"250 scripted.example\r\n", effect=self._state.after_hello)

    def _starttls(self, taken: Taken) -> None:
        offered = self._state.offer("STARTTLS") is not None
        usual = b"220 2.0.0 go ahead\r\n" if offered else b"502 5.5.1 TLS is not offered\r\n"
        said = self._answer("starttls", taken, usual)
        if said and said.code == 220:
            self._handshake()

    def _handshake(self) -> None:
        """Go under TLS, unless a script wrote something in the clear instead."""
        if self._manners.tls is None:
            raise RuntimeError("The script answered STARTTLS with 220, but ScriptedServer was given no tls=.")
        self._hear("unread", self._wire.rest())
        if not self._say("tls").silent:
            self._wire.cut("no handshake")
        self._wire.secure(self._manners.tls)
        self._state = State()

    def _auth(self, taken: Taken) -> None:
        exchange = SignIn(_line(taken), self._manners.users)

        def signed_in(said: Said) -> None:
            if said.code == 235:
                self._state.user = exchange.user

        offered = self._state.offer("AUTH") is not None
        usual = exchange.usual if offered else b"502 5.5.1 AUTH is not offered\r\n"
        said = self._answer("auth", taken, usual, effect=signed_in)
        while said and said.code == 334:
            response = self._wire.line()
            exchange.hear(_line(response))
            said = self._answer("auth-continue", response, exchange.usual, effect=signed_in)

    def _mail(self, taken: Taken) -> None:
        path = mail_path(_line(taken))
        self._answer(
            "mail",
            taken,
            self._state.refusal_of_mail(path) or b"250 2.1.0 sender ok\r\n",
            address=path.address if path else "",
            effect=lambda said: self._state.after_mail(said, path),
        )

    def _rcpt(self, taken: Taken) -> None:
        path = mail_path(_line(taken))
        self._answer(
            "rcpt",
            taken,
            self._state.refusal_of_rcpt(path) or b"250 2.1.5 recipient ok\r\n",
            address=path.address if path else "",
            effect=lambda said: self._state.after_rcpt(said, path),
        )

    def _data(self, taken: Taken) -> None:
        said = self._answer("data", taken, self._state.refusal_of_content() or b"354 go ahead\r\n")
        if said and said.code == 354:
            arrived = self._wire.content_arrived
            early = self._say("body", arrived=arrived).answer if arrived(1) else None
            stuffed, dot = self._wire.content()
            self._hear("body", stuffed)
            self._hear("dot", dot)
            self._conclude("dot", unstuffed(stuffed.octets), dot, early)

    def _bdat(self, taken: Taken) -> None:
        found = _BDAT.fullmatch(_line(taken))
        if found is None:
            self._answer("bdat", taken, b"501 5.5.4 BDAT needs a size\r\n")
            return
        point, size = ("bdat-last" if found[2] else "bdat"), int(found[1])
        self._hear(point, taken)
        early = self._early_answer(size) if size else None
        chunk = self._wire.take(size)
        self._hear("body", chunk)
        self._after_chunk(point, chunk.octets, taken, early)

    def _early_answer(self, size: int) -> Said | None:
        """Take the turn at `body` when a chunk of *size* octets has begun to arrive."""
        self._wire.arrived(1)
        return self._say("body", arrived=lambda octets: octets <= size and self._wire.arrived(octets)).answer

    def _after_chunk(self, point: str, chunk: bytes, taken: Taken, early: Said | None) -> None:
        refusal = self._state.refusal_of_chunk()
        if self._state.transaction and not refusal:
            self._state.transaction.chunks += chunk
            if point == "bdat-last":
                self._conclude(point, bytes(self._state.transaction.chunks), taken, early)
                return
        if early is None:
            self._say(point, refusal or b"250 2.0.0 %d octets\r\n" % len(chunk), line=_line(taken))

    def _conclude(self, point: str, content: bytes, taken: Taken, early: Said | None) -> None:
        """Give the final answer, unless a script gave it while the content was still coming."""
        refusal = self._state.refusal_of_content(len(content))
        place = self._record.receive(self._as_received(content))
        self._state.transaction = None
        if early:
            self._record.answer(place, early.code)
            return
        usual = refusal or b"250 2.0.0 queued as scripted-%d\r\n" % (place + 1)
        self._say(point, usual, line=_line(taken), effect=lambda said: self._record.answer(place, said.code))

    def _as_received(self, content: bytes) -> Received:
        transaction = self._state.transaction or Transaction(MailPath(""))
        return Received(
            connection=self._number,
            sender=transaction.sender,
            recipients=tuple(transaction.recipients),
            content=content,
            tls=bool(self._wire.tls),
            authenticated_as=self._state.user,
        )

    def _rset(self, taken: Taken) -> None:
        self._answer("rset", taken, b"250 2.0.0 reset\r\n", effect=self._state.after_rset)

    def _noop(self, taken: Taken) -> None:
        self._answer("noop", taken, b"250 2.0.0 here\r\n")

    def _quit(self, taken: Taken) -> None:
        self._answer("quit", taken, b"221 2.0.0 farewell\r\n")
        self._wire.finish("quit")

    def _other(self, taken: Taken) -> None:
        self._answer("other", taken, b"500 5.5.1 no such command\r\n")

    _ANSWERS: ClassVar[dict[str, Callable[[Session, Taken], None]]] = {
        "ehlo": _ehlo,
        "helo": _helo,
        "starttls": _starttls,
        "auth": _auth,
        "mail": _mail,
        "rcpt": _rcpt,
        "data": _data,
        "bdat": _bdat,
        "rset": _rset,
        "noop": _noop,
        "quit": _quit,
    }
