"""Cases: what a provider says of mails afterwards is kept once, of the right mail, and changes nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from ..._errors import OutboxError
from ..._mail import Envelope, Receipt, State
from ..._outbox import Entry, steps
from ..._reports import Recorded, Report, ReportKind
from .._contract import NotStaged
from ._ground import NOON, OutboxGround, letter

AP = "ap@customer.example"
ELSEWHERE = "elsewhere"


def bounced(entry: Entry, recipient: str = AP, **more: Any) -> Report:
    """Return that *entry* bounced at a recipient, named by its Message-ID."""
    facts: dict[str, Any] = {
        "message_id": entry.submission.message_id,
        "detail": "550 no such user",
        "at": NOON,
        **more,
    }
    return Report(kind=ReportKind.BOUNCED, recipient=recipient, **facts)


class Reporting(OutboxGround):
    """What is reported."""

    def test_a_report_is_kept_and_shown_with_its_mail(self) -> None:
        """With the recipient as the mail has it, the kind, the words and the moment, and when it was kept."""
        entry = self.accepted_entry()
        self.clock.forward(60)
        assert self.recorded(bounced(entry, AP.upper())) == Recorded(new=1)
        (kept,) = self.box.reports(entry.key)
        assert (kept.recipient, kept.kind, kept.detail, kept.at) == (
            AP,
            ReportKind.BOUNCED,
            "550 no such user",
            NOON,
        )
        assert kept.recorded_at == NOON + dt.timedelta(seconds=60)

    def test_a_report_that_says_no_moment_has_none(self) -> None:
        """And is kept once as well."""
        entry = self.accepted_entry()
        assert self.recorded(bounced(entry, at=None)) == Recorded(new=1)
        assert self.recorded(bounced(entry, at=None)) == Recorded(again=1)
        assert [one.at for one in self.box.reports(entry.key)] == [None]

    def test_a_report_changes_nothing_of_what_was_accepted(self) -> None:
        """State, receipt, reason and history stay; what waits goes on waiting."""
        entry, waiting = self.accepted_entry(), letter("waits")
        self.put(waiting)
        before = [(self.box.get(one.key), self.box.history(one.key)) for one in (entry, waiting)]
        assert self.recorded(bounced(entry), bounced(waiting)) == Recorded(new=2)
        assert [(self.box.get(one.key), self.box.history(one.key)) for one in (entry, waiting)] == before

    def test_a_report_comes_again_in_another_order_and_is_kept_once(self) -> None:
        """Providers repeat themselves, and keep no order."""
        entry = self.accepted_entry()
        first, second = bounced(entry), bounced(entry, detail="550 still not")
        assert self.recorded(first, second, first) == Recorded(new=2, again=1)
        assert self.recorded(second, first) == Recorded(again=2)
        assert len(self.box.reports(entry.key)) == 2

    def test_reports_that_differ_are_kept_apart(self) -> None:
        """By kind, moment or words."""
        entry = self.accepted_entry()
        others = [
            bounced(entry),
            bounced(entry, at=NOON + dt.timedelta(seconds=1)),
            bounced(entry, detail="other"),
        ]
        arrived = Report(
            kind=ReportKind.ARRIVED,
            recipient=AP,
            message_id=entry.submission.message_id,
            detail="550 no such user",
            at=NOON,
        )
        assert self.recorded(*others, arrived) == Recorded(new=4)

    def test_a_report_finds_its_mail_by_the_provider_s_name(self) -> None:
        """Where it names no Message-ID; the receipt has that name."""
        entry = self.accepted_entry(reference="prov-1")
        other = self.accepted_entry(reference="prov-2")
        report = Report(kind=ReportKind.COMPLAINED, recipient=AP, provider_id="prov-1")
        assert self.recorded(report) == Recorded(new=1)
        assert [len(self.box.reports(one.key)) for one in (entry, other)] == [1, 0]

    def test_a_report_of_another_company_s_mail_is_unknown(self) -> None:
        """Neither the Message-ID nor the provider's name reaches it."""
        entry = self.accepted_entry(reference="prov-1", company=ELSEWHERE)
        by_name = Report(kind=ReportKind.FAILED, recipient=AP, provider_id="prov-1")
        assert self.recorded(bounced(entry), by_name) == Recorded(unknown=2)
        assert self.box.reports(entry.key) == []

    def test_a_report_of_another_owner_s_mail_is_unknown(self) -> None:
        """Who reads anna's mailbox says nothing of the company's mail."""
        entry = self.accepted_entry()
        mine = self.accepted_entry(owner="user:anna")
        assert self.recorded(bounced(entry), bounced(mine), owner="user:anna") == Recorded(new=1, unknown=1)
        assert self.box.reports(entry.key) == []

    def test_a_report_of_no_mail_is_unknown(self) -> None:
        """Whatever it names, and however."""
        self.accepted_entry()
        odd = ["<nobody@acme.example>", "nobody", "<@>", "%", "_" * 32, "'; DROP TABLE entries; --@x"]
        reports = [Report(kind=ReportKind.BOUNCED, recipient=AP, message_id=one) for one in odd]
        named = [Report(kind=ReportKind.BOUNCED, recipient=AP, provider_id=one) for one in odd]
        assert self.recorded(*reports, *named) == Recorded(unknown=12)

    def test_a_report_without_a_recipient_is_of_the_only_one(self) -> None:
        """Of a mail to several it is unknown: nobody is guessed."""
        one = self.accepted_entry()
        two = self.accepted_entry(to_several=True)
        assert self.recorded(bounced(one, ""), bounced(two, "")) == Recorded(new=1, unknown=1)
        assert [kept.recipient for kept in self.box.reports(one.key)] == [AP]

    def test_a_report_of_a_mail_that_was_split_is_of_the_part_with_that_recipient(self) -> None:
        """The parts have one Message-ID."""
        first = letter("first", to=AP)
        part = letter(
            "second",
            to="office@customer.example",
            part_of=first.key,
            message_id=first.submission.message_id,
        )
        self.put(first, part)
        assert self.recorded(bounced(first, "office@customer.example")) == Recorded(new=1)
        assert [len(self.box.reports(one.key)) for one in (first, part)] == [0, 1]

    def test_of_one_recipient_no_more_is_kept_than_a_slip_shows(self) -> None:
        """What comes after is counted; of another recipient there is still room."""
        entry = self.accepted_entry(to_several=True)
        many = [bounced(entry, detail=str(number)) for number in range(40)]
        assert self.recorded(*many) == Recorded(new=16, over=24)
        assert self.recorded(bounced(entry, "office@customer.example")) == Recorded(new=1)

    def test_where_the_next_look_begins_is_kept_with_what_came(self) -> None:
        """Per source, and as it was given last."""
        entry = self.accepted_entry()
        assert self.box.cursor("imap") is None
        self.box.record([bounced(entry)], company="acme", source="imap", cursor="1:7")
        self.box.record([], company="acme", source="imap", cursor="1:9")
        self.box.record([], company="acme", source="other", cursor="x")
        assert (self.box.cursor("imap"), self.box.cursor("other"), self.box.cursor("third")) == (
            "1:9",
            "x",
            None,
        )

    def test_what_was_reported_outlives_the_outbox_that_kept_it(self) -> None:
        """Another one over the same storage has it."""
        entry = self.accepted_entry()
        assert self.recorded(bounced(entry)) == Recorded(new=1)
        self.box.close()
        assert len(self.box.reports(entry.key)) == 1

    def recorded(self, *reports: Report, owner: str | None = None) -> Recorded:
        """Keep *reports* of mail of the company acme."""
        try:
            return self.box.record(reports, company="acme", owner=owner)
        except OutboxError as error:
            if error.detail == "This outbox keeps no reports.":
                raise NotStaged(error.detail) from None
            raise

    def accepted_entry(self, *, reference: str = "", to_several: bool = False, **more: Any) -> Entry:
        """Return an entry that was accepted, under the provider's name *reference*."""
        facts: dict[str, Any] = {
            "lane": f"{more.get('company', 'acme')}/{more.get('owner', 'company')}/x",
            **more,
        }
        made = letter("Invoice", **facts)
        if to_several:
            made = _to_several(made)
        entry = self.attempted(made)
        receipt = Receipt(entry.submission.message_id, reference=reference)
        assert self.take(steps.after(entry, receipt, self.settings, NOON).step)
        self.is_in(entry, State.ACCEPTED)
        return self.stands(entry)


def _to_several(entry: Entry) -> Entry:
    envelope = Envelope("orders@acme.example", (AP, "office@customer.example"))
    return attrs.evolve(entry, submission=attrs.evolve(entry.submission, envelope=envelope))
