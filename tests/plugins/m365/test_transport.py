"""What the transport declares, and that a mailer wires it to its registration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pillarbox import (
    App,
    Capabilities,
    Company,
    Connection,
    Journal,
    Level,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Message,
    MessageError,
    Receipt,
    SettingsError,
    User,
)
from pillarbox.testing.graph import FakeGraph
from pillarbox_m365 import M365App, M365Settings, M365Transport, Mode
from pillarbox_m365.tokens import Kept
from tests.plugins.m365.givens import ANNA, CONFIRM, ORDERS, SEND, outcome_of, submission, transport


@pytest.fixture
def mailer(graph: FakeGraph) -> Iterator[Mailer]:
    """A mailer of a company that was connected with the right to send and confirm."""
    company = Company(address=ORDERS, name="Acme Ltd", method="m365")
    directory = MemoryDirectory(company, [User(id="anna", address=ANNA, name="Anna Berg")])
    apps = {"m365": {"client_id": "app", "tenant": "acme.example", "graph": graph.url}}
    with Mailer(directory, vault=MemoryVault(), apps=apps) as made:
        kept = Kept(scopes={"send": CONFIRM}).taken(
            "send", {"access_token": graph.token(ORDERS, *CONFIRM), "expires_in": 3600}, "{}"
        )
        credentials = made._credentials(made._to_connect(None, None)[1])
        learned = {"issuer": "i", "subject": "s", "address": ORDERS, "scopes": list(CONFIRM)}
        credentials.update(lambda _: (kept.sealed(), learned))
        yield made


def test_a_user_sends_through_the_companys_account(mailer: Mailer, graph: FakeGraph) -> None:
    """The mail shows the mailbox with the user's name, and answers go to the user."""
    receipt = mailer.send(Message(to="ap@customer.example", subject="x", text="y"), user="anna")
    assert isinstance(receipt, Receipt)
    (mail,) = graph.sent(ORDERS)
    assert mail.shown == ORDERS
    assert b"Anna Berg <orders@acme.example>" in mail.content
    assert b"Reply-To: Anna Berg <anna@acme.example>" in mail.content


def test_mail_that_nobody_writes_keeps_its_header(mailer: Mailer, graph: FakeGraph) -> None:
    """MIME holds what Graph has no field for."""
    mailer.send(Message(to="ap@customer.example", subject="x", text="y"))
    assert b"Auto-Submitted: auto-generated" in graph.sent(ORDERS)[0].content


def test_check_goes_through(mailer: Mailer) -> None:
    """From the settings to the limits."""
    found = list(mailer.check("anna"))
    assert [one.level for one in found if one.stage in {"mailbox", "sender", "limits"}] == [Level.OK] * 3


def test_without_a_registration(graph: FakeGraph) -> None:
    """It says where it is missing."""
    with transport(graph) as one:
        one.app = None
        with pytest.raises(SettingsError, match="No registration"):
            one.send(submission(), Journal())


def test_an_envelope_of_others_is_refused(graph: FakeGraph) -> None:
    """Graph would send to those that the message names."""
    import attrs

    from pillarbox import Envelope

    what = submission(to=["a@x.example", "b@x.example"])
    with transport(graph) as one:
        part = attrs.evolve(what, envelope=Envelope(ORDERS, ("a@x.example",)))
        assert isinstance(outcome_of(one, part), MessageError)
    assert graph.requests == []


def test_an_app_reaches_the_mailbox_by_its_address(graph: FakeGraph) -> None:
    """There is no /me without a person."""
    from tests.plugins.m365.givens import Holder

    held = Holder(graph.token("", *CONFIRM, app=True))
    with transport(graph, credentials=held, mode=Mode.APP, mailbox=ORDERS) as one:
        assert isinstance(outcome_of(one, submission()), Receipt)
    assert graph.requests[0].path == f"/v1.0/users/{ORDERS}/messages"


def test_what_it_can_do_follows_from_what_was_granted() -> None:
    """Not from what was asked for (rule 23)."""
    known = {"issuer": "i", "subject": "s"}
    assert M365Transport.capabilities(None) == Capabilities(
        note="The account is not connected.", size=4_000_000
    )
    looks = M365Transport.capabilities(Connection(**known, scopes=CONFIRM, grant="send"))
    sends = M365Transport.capabilities(Connection(**known, scopes=SEND, grant="confirm"))
    assert (looks.find, sends.find) == (True, False)
    assert "send and confirm" in sends.note
    assert (looks.size, sends.size) == (None, 4_000_000)


def test_its_limits() -> None:
    """Below those of Exchange Online (rule 28)."""
    limits = M365Transport.limits(M365Settings())
    assert (limits.per_minute, limits.concurrency, limits.recipients) == (28, 2, 500)


@pytest.mark.parametrize(
    ("given", "sign_in"),
    [
        ({}, ""),
        ({"mailbox": ORDERS}, f"signs in as {ORDERS}"),
        ({"mailbox": ORDERS, "signs_in_as": ANNA}, f"signs in as {ANNA}, for {ORDERS}"),
        ({"mailbox": ORDERS, "mode": Mode.APP}, f"signs in as the registered application, for {ORDERS}"),
    ],
)
def test_an_account_in_words(given: dict[str, object], sign_in: str) -> None:
    """For explain."""
    assert M365Transport.describe(M365Settings(**given)).sign_in == sign_in


def test_only_its_own_address_is_proven(graph: FakeGraph) -> None:
    """Of others only sending tells."""
    with transport(graph) as one:
        assert one.may_show(ORDERS.upper()) is not None
        assert one.may_show(ANNA) is None


def test_the_transcript_tells_each_exchange(graph: FakeGraph) -> None:
    """Without a query, in which an upload has its proof."""
    lines: list[str] = []
    with transport(graph, trace=lines.append) as one:
        outcome_of(one, submission())
    assert [line.split()[0] for line in lines] == ["POST", "PATCH", "POST", "GET"]
    assert not any("?" in line for line in lines)


def test_closing_an_app_that_is_bound(graph: FakeGraph) -> None:
    """Another registration is another connection."""
    with transport(graph) as one:
        outcome_of(one, submission())
        one.close()
        one.app = App(M365App(client_id="app", tenant="acme.example", graph=graph.url))
        assert isinstance(outcome_of(one, submission()), Receipt)
