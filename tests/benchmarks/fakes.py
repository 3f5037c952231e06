"""The server side of the providers' interfaces: `python -m tests.benchmarks.fakes graph`, or `gmail`.

It prints its port and ends with its standard input. Beside the interface it takes anything at `PLAIN`, for clients that know
no interface. What was sent before is forgotten with each new message, so that the fake does not grow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from pillarbox.testing._http.values import Call, Reply
from pillarbox.testing.gmail import FakeGmail
from pillarbox.testing.graph import FakeGraph, Token
from tests.benchmarks.cases import SENDER

PLAIN = "/plain"
"""Where any body is answered 202."""
_BEGINNINGS = {"draft", "sendMail", "messages.send", "upload"}


class Graph(FakeGraph):
    """A Graph that remembers one mail."""

    def answer(self, call: Call, step: str) -> Reply:
        if call.path == PLAIN:
            return Reply(202)
        if step in _BEGINNINGS:
            self.empty(SENDER)
            self._office.sent.clear()
        return super().answer(call, step)


class Gmail(FakeGmail):
    """A Gmail that remembers one mail."""

    def answer(self, call: Call, step: str) -> Reply:
        if call.path == PLAIN:
            return Reply(202)
        if step in _BEGINNINGS:
            self._known(SENDER).messages.clear()
        return super().answer(call, step)


_MAKERS: dict[str, Callable[[], Graph | Gmail]] = {
    "graph": Graph,
    "gmail": lambda: Gmail(per_minute=None),
}
_SCOPES = {
    "graph": ("Mail.Send", "Mail.ReadWrite"),
    "gmail": ("https://www.googleapis.com/auth/gmail.compose",),
}


def main() -> None:
    """Serve until standard input ends."""
    [name] = sys.argv[1:]
    with _MAKERS[name]() as fake:
        fake.add_mailbox(SENDER)
        fake.accepts(lambda _: Token(SENDER, _SCOPES[name]))
        sys.stdout.write(f"{fake.url.rpartition(':')[2]}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
