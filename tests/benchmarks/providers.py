"""Microsoft 365 and Gmail as contenders, from the host's values to the provider's receipt; and who posts JSON by hand."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pillarbox
from tests.benchmarks.cases import RECIPIENT, SENDER, SENDER_NAME, SUBJECT, case
from tests.benchmarks.fakes import PLAIN
from tests.benchmarks.jobs import Job, Run
from tests.benchmarks.ours import message

CONFIRM = ("Mail.Send", "Mail.ReadWrite")
SEND = ("Mail.Send",)
GMAIL = "https://www.googleapis.com/auth/gmail."


class Held(pillarbox.Credentials):
    """A connection with a token that is good, and what it was granted."""

    def __init__(self, *scopes: str) -> None:
        self._learned = {"scopes": scopes, "address": SENDER}

    def secret(self, name: str) -> str:
        raise pillarbox.SignInNeeded(f"No {name}.")

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        return "a-token"

    def update(
        self, change: Callable[[pillarbox.Stored | None], tuple[bytes, Mapping[str, Any]] | None]
    ) -> pillarbox.Stored:
        return pillarbox.Stored(b"", self._learned)


@contextlib.contextmanager
def graph_by_draft(job: Job) -> Iterator[Run]:
    """Send and confirm: a draft, an upload where the file is large, and the call that sends it."""
    with _graph(job, CONFIRM) as run:
        yield run


@contextlib.contextmanager
def graph_at_once(job: Job) -> Iterator[Run]:
    """Send only: one request."""
    with _graph(job, SEND) as run:
        yield run


@contextlib.contextmanager
def graph_by_draft_composed(job: Job) -> Iterator[Run]:
    """The same as by draft, of a message that was composed before: what a worker has to do."""
    with _graph(job, CONFIRM, composed=True) as run:
        yield run


@contextlib.contextmanager
def graph_at_once_composed(job: Job) -> Iterator[Run]:
    """The same in one request, of a message that was composed before."""
    with _graph(job, SEND, composed=True) as run:
        yield run


@contextlib.contextmanager
def gmail_by_draft(job: Job) -> Iterator[Run]:
    """Send and confirm: a draft that is uploaded, and the call that sends it."""
    with _gmail(job, f"{GMAIL}compose") as run:
        yield run


@contextlib.contextmanager
def gmail_at_once(job: Job) -> Iterator[Run]:
    """Send only: one upload."""
    with _gmail(job, f"{GMAIL}send") as run:
        yield run


@contextlib.contextmanager
def posts_json(job: Job) -> Iterator[Run]:
    """Post the same file in base64 as JSON, without headers, outcomes or a second look, to the same server."""
    import requests

    what, url = case(job.case), f"http://127.0.0.1:{job.port}{PLAIN}"
    around = {"from": SENDER, "name": SENDER_NAME, "to": RECIPIENT, "subject": SUBJECT, "text": what.text}

    def run(count: int) -> None:
        for _ in range(count):
            encoded = base64.b64encode(what.attachment or b"").decode("ascii")
            requests.post(url, json={**around, "contentBytes": encoded}, timeout=60).raise_for_status()

    yield run


@contextlib.contextmanager
def _graph(job: Job, scopes: tuple[str, ...], *, composed: bool = False) -> Iterator[Run]:
    from pillarbox_m365 import M365App, M365Settings, M365Transport

    app = M365App(client_id="app", tenant="acme.example", graph=f"http://127.0.0.1:{job.port}")
    transport = M365Transport(M365Settings(), Held(*scopes))
    with _sending(job, transport, app, "m365", composed=composed) as run:
        yield run


@contextlib.contextmanager
def _gmail(job: Job, scope: str) -> Iterator[Run]:
    from pillarbox_gmail import GmailApp, GmailSettings, GmailTransport

    app = GmailApp(client_id="app", api=f"http://127.0.0.1:{job.port}")
    transport = GmailTransport(GmailSettings(), Held(scope))
    with _sending(job, transport, app, "gmail") as run:
        yield run


@contextlib.contextmanager
def _sending(
    job: Job, transport: pillarbox.Transport, app: Any, method: str, *, composed: bool = False
) -> Iterator[Run]:
    """Yield what composes, unless that is done, and sends by *transport*, which keeps its connection between turns."""
    what, account = case(job.case), pillarbox.Account(owner="company", method=method, mailbox=SENDER)
    transport.account, transport.app = account, pillarbox.App(app)
    route = pillarbox.Route(
        account=account,
        from_address=pillarbox.Address(SENDER, SENDER_NAME),
        envelope_sender=SENDER,
        user="anna",
    )

    ready = pillarbox.compose(message(what), route)

    def run(count: int) -> None:
        for _ in range(count):
            submission = ready if composed else pillarbox.compose(message(what), route)
            transport.send(submission, pillarbox.Journal())

    with contextlib.closing(transport):
        yield run
