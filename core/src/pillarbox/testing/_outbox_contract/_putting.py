"""Cases: what is put is there, whole, once."""

from __future__ import annotations

import datetime as dt

import attrs

from ..._errors import MessageError, OutboxError
from ..._mail import Envelope, Receipt, State
from ..._outbox import Enclosure, Search, steps
from ._ground import NOON, OutboxGround, keys, letter, refused


class Putting(OutboxGround):
    """Keeping."""

    def test_what_is_put_comes_back_whole(self) -> None:
        """Every field of an entry and of its submission, and every octet."""
        later = NOON + dt.timedelta(hours=1)
        one = letter(
            "Übergabe 1",
            chunks=(b"From: a\r\n", bytes(range(256)) * 40),
            bcc_header=b"Bcc: x@y.example\r\n",
            header_size=9,
            envelope=Envelope("", ("a@customer.example", "b@customer.example")),
            from_header="anna@acme.example",
            smtputf8=True,
            reference="INV-1",
            not_after=later,
            options={"x": {"tags": ["a", 1, None]}},
            composed_at=NOON,
            user="anna",
            enclosures=(Enclosure("ü.pdf", 3, "ab"),),
            digest="d",
            priority=-2,
            part_of="p",
            again_of="q",
            due_at=later,
            notes={"draft": "7"},
        )
        self.box.put([one])
        found = self.stands(one)
        is_whole = found.submission.content == one.submission.content
        assert is_whole, (
            "the octets came back otherwise"
        )  # no comparison in words: that of so many takes minutes
        assert attrs.evolve(found.submission, chunks=()) == attrs.evolve(one.submission, chunks=())
        assert attrs.evolve(found, submission=one.submission) == one

    def test_what_is_put_is_there_for_others_when_put_returns(self) -> None:
        """Another opening of the same outbox sees it: a worker's, in another process."""
        (key,), other = self.put(), self.open()
        found = other.get(key)
        assert found is not None, "put returned, and another opening of the outbox has nothing"

    def test_the_same_again_changes_nothing(self) -> None:
        """It is returned as it stands, however far it has come."""
        one = letter(key="5" * 32, digest="same")
        (entry,) = self.box.put([one])
        claimed = self.claim()[0]
        receipt = Receipt(entry.submission.message_id, at=NOON)
        moves = steps.by_way_of_attempting(claimed, steps.after(claimed, receipt, self.settings, NOON).step)
        assert self.take(*moves)
        (again,) = self.box.put([attrs.evolve(one, subject="Other")])
        assert (again.state, again.subject) == (State.ACCEPTED, "Invoice")
        assert len(self.box.list()) == 1

    def test_other_content_under_a_key_is_refused(self) -> None:
        """With an error of its own, and nothing is changed."""
        self.put(letter(key="5" * 32, digest="one"))
        with refused(MessageError):
            self.put(letter("Other", key="5" * 32, digest="two"))
        assert self.stands("5" * 32).subject == "Invoice"

    def test_all_are_kept_or_none(self) -> None:
        """The parts of one message do not come apart."""
        self.put(letter(key="5" * 32, digest="one"))
        with refused(MessageError):
            self.box.put([letter("First"), letter("Clash", key="5" * 32, digest="two"), letter("Last")])
        assert [one.subject for one in self.box.list()] == ["Invoice"]

    def test_what_a_sender_puts_for_itself_is_its_own(self) -> None:
        """A send that waits for its answer: nobody else claims it while the sender lives."""
        sender = self.box.enter("send")
        one = letter(state=State.CLAIMED, worker=sender, fence=1)
        (kept,) = self.box.put([one])
        assert not self.claim(), "a worker claimed what a sender is sending"
        with self.box.journal(kept).handing_over():
            self.is_in(kept, State.ATTEMPTING)

    def test_an_entry_is_found_by_the_start_of_its_key(self) -> None:
        """As a person types it, where only one has it."""
        self.put(letter(key="ab12cd" + "0" * 26), letter(key="ab12ce" + "0" * 26))
        assert self.box.known("ab12cd").key == "ab12cd" + "0" * 26
        for wrong in ("ffffff", "' OR 1=1 --", "%"):
            with refused(OutboxError):
                self.box.known(wrong)

    def test_what_was_put_is_listed_newest_first(self) -> None:
        """Without its bytes."""
        put = self.put(letter("1"), letter("2"), letter("3"))
        found = self.box.list(Search(limit=2))
        assert keys(found) == [put[2], put[1]]
        assert not any(one.submission.chunks for one in found)
        assert keys(self.box.list(Search(before=put[1]))) == [put[0]]
