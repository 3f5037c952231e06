"""What pillarbox itself makes of what this transport declares: proofs before the call, and options before they are kept."""

from collections.abc import Iterator

import pytest
from pillarbox_resend import ResendTransport
from pillarbox_resend.contract import KEY
from pillarbox_resend.fake import FakeApi
from pillarbox_resend.transport import AMBIENT

from pillarbox import Company, Mailer, MemoryDirectory, Message, MessageError, Plugins, SenderMismatch, User
from pillarbox.outbox import SqliteOutbox

USERS = [
    User(id="anna", address="anna@acme.example", name="Anna Berg"),
    User(id="eve", address="eve@evil.example"),
]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi(KEY) as made:
        yield made


@pytest.fixture
def mailer(api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[Mailer]:
    """A company whose key is the machine's own."""
    monkeypatch.setenv(AMBIENT, KEY)
    plugins = Plugins(extra={"resend": ResendTransport})
    company = Company(
        address="orders@acme.example", name="Acme Ltd", method="resend", methods={"resend": {"url": api.url}}
    )
    directory = MemoryDirectory(company, USERS, plugins=plugins)
    with Mailer(directory, plugins=plugins, outbox=SqliteOutbox(f"{tmp_path}/outbox.sqlite3")) as made:
        yield made


def letter(**options: object) -> Message:
    return Message(to="ap@customer.example", subject="Invoice", text="Hi", options=options)


def test_a_user_of_a_verified_domain_is_shown_and_it_is_asked_once(mailer: Mailer, api: FakeApi) -> None:
    route = mailer.explain("anna")
    assert any("proven by a verified domain" in one.text for one in route.reasons)
    api.domains = []
    assert mailer.explain("anna") == route
    mailer.send(letter(), user="anna")
    assert api.kept[0].value["from"] == "Anna Berg <anna@acme.example>"


def test_a_user_of_another_domain_is_refused_before_the_call(mailer: Mailer, api: FakeApi) -> None:
    with pytest.raises(SenderMismatch, match="not known to be allowed to show eve@evil"):
        mailer.send(letter(), user="eve")
    assert api.requests == []


def test_options_that_there_are_not_are_refused_before_anything_is_kept(mailer: Mailer) -> None:
    with pytest.raises(MessageError, match="colour"):
        mailer.enqueue(letter(resend={"colour": "red"}))
    with pytest.raises(MessageError, match="Did you mean resend"):
        mailer.enqueue(letter(resent={"tags": {}}))
    assert mailer.queue.list() == []


def test_options_go_along_and_those_of_other_methods_are_let_be(mailer: Mailer, api: FakeApi) -> None:
    mailer.send(letter(resend={"tags": {"kind": "invoice"}}, smtp={"notify": "never"}))
    assert api.kept[0].value["tags"] == [{"name": "kind", "value": "invoice"}]
