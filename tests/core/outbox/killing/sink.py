"""An SMTP server in a process of its own that writes down, for each recipient, how far its message came, and when.

    python -m tests.core.outbox.killing.sink LOG PAUSE PER_MINUTE MINUTE AT_ONCE

It prints its port and ends with its standard input. The lines of LOG are `what who client seconds`, the seconds of the
machine's monotonic clock: `data` (354 was said), `begin` (the first octet of content came), `accept` (the last came, and
it takes the message), `answer` (250 was said), `refuse` (a limit was passed: more than AT_ONCE connections of one sender,
or more than PER_MINUTE messages within MINUTE seconds, from answer to answer).
"""

from __future__ import annotations

import asyncio
import collections
import os
import re
import sys
import time

ADDRESS = re.compile(r"<([^>]*)>")


class Sink:
    """What all sessions share: the log, and what each sender has had."""

    def __init__(self, log: str, pause: float, per_minute: int, minute: float, at_once: int) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.pause = pause
        self._per_minute, self._minute, self._at_once = per_minute, minute, at_once
        self._answers: dict[str, collections.deque[float]] = collections.defaultdict(collections.deque)
        self._now: collections.Counter[str] = collections.Counter()

    def note(self, what: str, who: str, client: str) -> None:
        os.write(self._log, f"{what} {who} {client} {time.monotonic():.6f}\n".encode())

    def begins(self, sender: str) -> bool:
        """Whether another transaction of *sender* may begin."""
        self._now[sender] += 1
        if self._at_once and self._now[sender] > self._at_once:
            return False
        answers, now = self._answers[sender], time.monotonic()
        while answers and answers[0] <= now - self._minute:
            answers.popleft()
        return not self._per_minute or len(answers) < self._per_minute

    def ends(self, sender: str, *, counts: bool) -> None:
        self._now[sender] -= 1
        if counts and self._per_minute:
            self._answers[sender].append(time.monotonic())


class Session:
    """One connection; commands may come pipelined, answers go in their order."""

    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sink, self._reader, self._writer = sink, reader, writer
        self._client, self._sender, self._to = "?", "", ""

    async def run(self) -> None:
        self._say("220 sink ESMTP")
        while line := await self._reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                self._client = line[5:].decode().strip()
                self._say("250-sink\r\n250-PIPELINING\r\n250 8BITMIME")
            elif verb == b"MAIL":
                self._sender = self._address(line)
                self._say("250 OK")
            elif verb == b"RCPT":
                self._to = self._address(line).partition("@")[0]
                self._say("250 OK")
            elif verb == b"DATA":
                await self._content()
            else:
                self._say("221 bye" if verb == b"QUIT" else "250 OK")
            await self._writer.drain()

    async def _content(self) -> None:
        allowed, accepted = self._sink.begins(self._sender), False
        try:
            if not allowed:
                self._note("refuse")
                self._say("451 4.7.1 too many")
                return
            self._note("data")
            self._say("354 go on")
            await self._until_the_dot()
            await asyncio.sleep(self._sink.pause)
            self._note("accept")
            accepted = True
            await asyncio.sleep(self._sink.pause)
        finally:
            self._sink.ends(self._sender, counts=accepted)
        self._note("answer")
        self._say(f"250 2.0.0 taken as {self._to}")

    async def _until_the_dot(self) -> None:
        line = await self._reader.readline()
        if line:
            self._note("begin")
        while line != b".\r\n":
            if not line:
                raise ConnectionError
            line = await self._reader.readline()

    def _note(self, what: str) -> None:
        self._sink.note(what, self._to, self._client)

    def _say(self, reply: str) -> None:
        self._writer.write(f"{reply}\r\n".encode())

    @staticmethod
    def _address(line: bytes) -> str:
        found = ADDRESS.search(line.decode())
        return found[1] if found else ""


async def serve(sink: Sink) -> None:
    """Serve until standard input ends."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Session(sink, reader, writer).run()
        except OSError:
            pass  # the client was killed: that is what this is for
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, backlog=1_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    log, pause, per_minute, minute, at_once = sys.argv[1:]
    asyncio.run(serve(Sink(log, float(pause), int(per_minute), float(minute), int(at_once))))
