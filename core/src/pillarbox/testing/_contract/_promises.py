"""Cases: what a transport declares, it keeps: its limits, its proofs, and that it sends nothing twice."""

from __future__ import annotations

from ..._attachment import Attachment
from ..._errors import MessageError
from ..._mail import Receipt, Submission
from ..._transports import Journal, Limits
from ...outbox import deliver
from ._ground import Ground, NotStaged, outcome_of

LARGEST = 8 * 1024 * 1024
"""Octets up to which a declared size is tried: a contract is over in seconds."""
MOST = 2_000
"""Recipients up to which a declared number is tried."""
STRANGER = "eve@evil.example"


class Promises(Ground):
    """What it says that it can."""

    def test_a_message_of_the_size_that_it_declares_is_taken(self) -> None:
        """To the octet; one octet more is refused before anything leaves."""
        size = self._declared().size
        if size is None or size > LARGEST:
            raise NotStaged(f"limits() declares no size, or one above {LARGEST:,} octets")
        if not self.keeps_bytes:
            raise NotStaged("the carrier takes fields, not bytes")
        self._ends_at(self._of_size(size), self._of_size(size + 1), f"a message of {size:,} octets")

    def test_as_many_recipients_as_it_declares_are_taken(self) -> None:
        """Each of them; one more is refused before anything leaves."""
        most = self._declared().recipients
        if most is None or most > MOST:
            raise NotStaged(f"limits() declares no number of recipients, or one above {MOST:,}")
        self._ends_at(self._addressed(most), self._addressed(most + 1), f"{most} recipients")

    def _ends_at(self, last: Submission, too_much: Submission, what: str) -> None:
        before = self.count()
        with self.opened() as transport:
            receipt = outcome_of(transport, last, Journal())
            assert isinstance(receipt, Receipt), f"it declares {what}, and they ended in {receipt!r}"
            assert not receipt.refused, f"it declares {what}, and refuses {len(receipt.refused)}"
            journal = Journal()
            try:
                deliver(too_much, journal, transport)
            except MessageError:
                assert not journal.handed_over, f"more than {what} were handed over"
            else:
                raise AssertionError(f"it declares {what}, and more were taken")
        assert before is None or self.count() == before + 1, f"the carrier does not have {what} once"

    def test_what_recognises_a_key_sends_nothing_twice(self) -> None:
        """Where `resend_safe_for` says so: the same submission again is answered, and goes to nobody."""
        if not self.transport_class().resend_safe_for:
            raise NotStaged("resend_safe_for is nothing: a key is not recognised")
        submission, before = self.submission(), len(self.accepted())
        first, second = self.send(submission), self.send(submission)
        count = len(self.accepted()) - before
        assert count == 1, f"it says that it recognises a key, and the carrier has the message {count} times"
        assert first.reference == second.reference, "the second answer is about another message"

    def test_no_proof_is_given_for_a_strangers_address(self) -> None:
        """`may_show` proves; where it can't, and where it can't look, it says None (rule 9)."""
        with self.opened() as transport:
            assert transport.may_show(STRANGER) is None, f"it proves that it may show {STRANGER}"

    def test_attachments_of_every_kind_arrive(self) -> None:
        """Empty ones, large ones, those of any name, and those that HTML shows: each once, octet by octet."""
        files = _files()
        got = self.arrived(
            self.submission(html='<p>Hello <img src="cid:logo"></p>', attachments=list(files.values()))
        )
        found = self.attachments_of(got)
        assert sorted(found) == sorted(files), f"the attachments are {sorted(found)}"
        for name, one in files.items():
            assert found[name] == one.content, f"{name} is altered"

    def _declared(self) -> Limits:
        with self.opened() as transport:
            return type(transport).limits(transport.settings)

    def _of_size(self, size: int) -> Submission:
        empty = self.submission_of(b"\r\n")
        left = size - empty.size + 2
        full, rest = divmod(left, 72)
        short = b"x" * (rest - 2) + b"\r\n" if rest >= 2 else b""
        lines = [b"x" * 70 + b"\r\n"] * full
        if rest == 1:
            lines[-1] = b"x" * 71 + b"\r\n"
        return self.submission_of(b"".join(lines) + short)

    def _addressed(self, number: int) -> Submission:
        return self.submission(to=[f"r{one}@customer.example" for one in range(number)])


def _files() -> dict[str, Attachment]:
    """Return attachments by their names, as recipients get them."""
    made = (
        Attachment("empty.txt", b""),
        Attachment("all octets.bin", bytes(range(256)) * 300),
        Attachment("Größe 你好.pdf", b"%PDF-1.4\n\n."),
        Attachment('a "quoted" name.csv', b"a;b\r\n.\r\n1;2"),
        Attachment("long-" + "x" * 120 + ".txt", b"no line end"),
        Attachment("logo.png", b"\x89PNG\r\n\x1a\n", inline=True, content_id="logo"),
    )
    return {one.filename: one for one in made}
