"""What a provider says of mails afterwards: taken from its web hooks, asked for, and kept of the right mail."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import pytest

from pillarbox import (
    AsyncMailer,
    Choice,
    Company,
    EventSource,
    Mailer,
    MemoryDirectory,
    Message,
    MessageError,
    Plugins,
    Polled,
    Recorded,
    Report,
    ReportKind,
    ReportRefused,
    SendDeferred,
    SettingsError,
    Unavailable,
    User,
)
from pillarbox.outbox import SqliteOutbox, slip, slip_html
from pillarbox.testing import MemoryTransport

AP = "ap@customer.example"
ACME = Company(address="orders@acme.example", name="Acme Ltd", method="post")


class Events(EventSource):
    """A provider whose pages of reports a test puts here."""

    pages: ClassVar[list] = []
    asked: ClassVar[list] = []
    closed: ClassVar[list] = []

    def parse(self, headers, body):
        if headers.get("X-Signed") != "by us":
            raise ReportRefused("The request is not signed by the provider.")
        return [Report(kind=ReportKind.BOUNCED, recipient=AP, message_id=body.decode())]

    def poll(self, cursor):
        self.asked.append(cursor)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    def close(self):
        self.closed.append(self.account.owner)


class Post(MemoryTransport):
    events = Events


@pytest.fixture
def mailer(tmp_path):
    Events.pages, Events.asked, Events.closed = [], [], []
    plugins = Plugins(extra={"post": Post, "memory": MemoryTransport})
    directory = MemoryDirectory(
        ACME,
        [User(id="anna", address="anna@acme.example", choice=Choice.PERSONAL, method="post")],
        plugins=plugins,
    )
    with Mailer(directory, outbox=SqliteOutbox(tmp_path / "outbox.sqlite3"), plugins=plugins) as made:
        yield made


def sent(mailer, **fields):
    """Return the entry of a mail that was sent."""
    receipt = mailer.send(Message(to=AP, subject="Invoice", text="Hi", **fields))
    return mailer.queue.known(receipt.message_id.strip("<>").partition("@")[0])


def bounced(entry, **more):
    return Report(kind=ReportKind.BOUNCED, recipient=AP, message_id=entry.submission.message_id, **more)


def test_a_web_hook_is_taken_in_two_lines(mailer):
    entry = sent(mailer)
    reports = mailer.events().parse({"X-Signed": "by us"}, entry.submission.message_id.encode())
    assert mailer.record(reports) == Recorded(new=1)
    assert [one.recipient for one in mailer.queue.reports(entry.key)] == [AP]


def test_a_web_hook_that_is_not_the_provider_s_is_refused(mailer):
    with pytest.raises(ReportRefused, match="not signed"):
        mailer.events().parse({}, b"<x@y>")


def test_all_reports_are_read_before_one_is_kept(mailer):
    entry = sent(mailer)

    def reports():
        yield bounced(entry)
        raise ReportRefused("The rest is garbage.")

    with pytest.raises(ReportRefused):
        mailer.record(reports())
    assert mailer.queue.reports(entry.key) == []


def test_more_at_once_than_are_taken_are_refused(mailer):
    entry = sent(mailer)
    with pytest.raises(MessageError, match="10,000"):
        mailer.record(bounced(entry) for _ in range(10_001))


def test_a_look_goes_on_where_the_last_ended(mailer):
    entry = sent(mailer)
    Events.pages = [
        Polled([bounced(entry)], "1", more=True),
        Polled([bounced(entry, detail="again")], "2"),
        Polled([], "3"),
    ]
    assert mailer.poll_reports() == Recorded(new=2)
    assert mailer.poll_reports() == Recorded()
    assert Events.asked == [None, "1", "2"]
    assert Events.closed == ["company", "company"]


def test_what_came_before_a_failure_is_kept_and_the_next_look_goes_on_there(mailer):
    entry = sent(mailer)
    Events.pages = [Polled([bounced(entry)], "1", more=True), SendDeferred("The line broke.")]
    with pytest.raises(SendDeferred):
        mailer.poll_reports()
    assert len(mailer.queue.reports(entry.key)) == 1
    Events.pages = [Polled([], "2")]
    mailer.poll_reports()
    assert Events.asked[-1] == "1"


def test_a_look_for_ever_ends(mailer):
    Events.pages = [Polled([], str(number), more=True) for number in range(100)]
    mailer.poll_reports()
    assert len(Events.asked) == 20


def test_a_cursor_without_end_is_refused(mailer):
    Events.pages = [Polled([], "x" * 1_001)]
    with pytest.raises(SendDeferred, match="more reports at once"):
        mailer.poll_reports()


def test_what_a_person_s_mailbox_says_is_of_their_mail_alone(mailer):
    """The account that is asked bounds what is believed."""
    entry = sent(mailer)
    Events.pages = [Polled([bounced(entry)], "1")]
    assert mailer.poll_reports("anna") == Recorded(unknown=1)
    assert mailer.queue.reports(entry.key) == []


def test_a_method_that_tells_nothing_says_so(tmp_path):
    plugins = Plugins(extra={"memory": MemoryTransport})
    directory = MemoryDirectory(Company(address="a@b.example", method="memory"), plugins=plugins)
    with Mailer(directory, outbox=SqliteOutbox(tmp_path / "o.sqlite3"), plugins=plugins) as made:
        with pytest.raises(Unavailable, match="tells nothing"):
            made.events()
        with pytest.raises(Unavailable, match="tells nothing"):
            made.poll_reports()


def test_without_an_outbox_there_is_nothing_to_say_it_of():
    plugins = Plugins(extra={"post": Post})
    mailer = Mailer(MemoryDirectory(ACME, plugins=plugins), plugins=plugins)
    with pytest.raises(SettingsError, match="no outbox"):
        mailer.record([Report(kind=ReportKind.BOUNCED, recipient=AP, provider_id="x")])


def test_a_history_keeps_reports_as_well(tmp_path):
    plugins = Plugins(extra={"post": Post})
    directory = MemoryDirectory(ACME, plugins=plugins)
    with Mailer(directory, history=tmp_path / "history.sqlite3", plugins=plugins) as made:
        receipt = made.send(Message(to=AP, subject="Invoice", text="Hi"))
        report = Report(kind=ReportKind.ARRIVED, message_id=receipt.message_id)
        assert made.record([report]) == Recorded(new=1)


def test_a_source_that_neither_asks_nor_takes_hooks_says_so():
    source = EventSource(None)
    with pytest.raises(Unavailable, match="web hooks"):
        source.parse({}, b"")
    with pytest.raises(Unavailable, match="can't be asked"):
        source.poll(None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipient": AP},
        {"recipient": "nobody", "message_id": "<a@b>"},
        {"message_id": "x" * 1_000},
        {"message_id": "<a@b>", "at": dt.datetime(2026, 1, 1)},  # noqa: DTZ001  (that is the point)
    ],
)
def test_a_report_that_can_t_be_one_is_refused(wrong):
    with pytest.raises(MessageError):
        Report(kind=ReportKind.FAILED, **wrong)


def test_a_provider_s_words_are_cleaned_and_escaped_on_the_page(mailer):
    entry = sent(mailer)
    mailer.record([bounced(entry, detail="550 <script>\x1b[31m" + "x" * 2000)])
    shown = slip(entry, reports=mailer.queue.reports(entry.key))
    ((who, said),) = shown.reports
    assert who == AP
    assert said.startswith("reported as bounced, 20")
    assert "\x1b" not in said
    page = slip_html(shown)
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


async def polled(mailer):
    return await AsyncMailer(mailer).poll_reports(), await AsyncMailer(mailer).record([])


def test_an_event_loop_asks_as_well(mailer):
    import asyncio

    Events.pages = [Polled([], "1")]
    assert asyncio.run(polled(mailer)) == (Recorded(), Recorded())
