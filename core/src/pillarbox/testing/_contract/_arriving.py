"""Cases: what a recipient reads is what was written, whether the carrier takes bytes or fields; and of each mail its own."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import cast

from ..._mail import Receipt, Submission
from ..._transports import Journal
from ._ground import Accepted, Ground, outcome_of

WORDS = "Größe, 请款单, ¼ € — naïve"
"""Text that is lost by whoever takes it for ASCII or Latin-1."""


def _read(got: Accepted) -> EmailMessage:
    return message_from_bytes(got.content, policy=policy.default)


def _texts(message: Message, kind: str) -> str:
    """Return the texts of a *kind*, `plain` or `html`, of all parts."""
    parts = [part for part in message.walk() if part.get_content_type() == f"text/{kind}"]
    return "\n".join(str(part.get_content()) for part in cast("list[EmailMessage]", parts))


class Arriving(Ground):
    """What a recipient reads."""

    def test_a_subject_in_any_script_is_read_as_it_was_written(self) -> None:
        """Decoded by whoever gets it; a long one is folded and not cut."""
        subject = f"Invoice 1001: {WORDS} {'x' * 150} end"
        got = _read(self.arrived(self.submission(subject=subject)))
        found = " ".join(str(got["Subject"]).split())
        assert found == subject, f"the subject is read as {found!r}"

    def test_an_empty_subject_stays_empty(self) -> None:
        """Nobody writes one in its place."""
        got = _read(self.arrived(self.submission(subject="")))
        found = str(got.get("Subject") or "").strip()
        assert not found, f"the subject was empty, and is read as {found!r}"

    def test_a_text_in_any_script_is_read_as_it_was_written(self) -> None:
        """Whatever the encoding on the way."""
        got = _read(self.arrived(self.submission(f"Dear customer,\n{WORDS}\n")))
        assert WORDS in _texts(got, "plain"), f"the text is read as {_texts(got, 'plain')!r}"

    def test_html_is_read_as_it_was_written(self) -> None:
        """With its letters and its links."""
        html = f'<p>{WORDS} <a href="https://acme.example/?a=1&amp;b=2">pay</a></p>'
        got = _read(self.arrived(self.submission("Dear customer\n", html=html)))
        found = _texts(got, "html")
        assert WORDS in found, f"the HTML is read as {found!r}"
        assert "?a=1&amp;b=2" in found or "?a=1&b=2" in found, f"a link is altered: {found!r}"

    def test_an_international_domain_goes_by_its_a_label(self) -> None:
        """As the envelope has it: what is shown to people is no address (rule 31)."""
        self.needs_envelope()
        submission = self.submission(to="ap@bücher.example")
        assert submission.envelope.recipients == ("ap@xn--bcher-kva.example",)
        got = self.arrived(submission)
        assert got.recipients == submission.envelope.recipients, f"it went to {got.recipients}"

    def test_each_message_goes_to_its_own_recipients_alone(self) -> None:
        """Of several by one instance, none has another's, nor another's text."""
        before = len(self.accepted())
        with self.opened() as transport:
            for number in range(3):
                outcome = outcome_of(transport, self._numbered(number), Journal())
                assert isinstance(outcome, Receipt), f"message {number} ended in {outcome!r}"
        self._are_apart(before)

    def test_each_message_of_a_batch_goes_to_its_own_recipients_alone(self) -> None:
        """Over one line as well."""
        before = len(self.accepted())
        with self.opened() as transport:
            list(transport.send_many((self._numbered(number), Journal()) for number in range(3)))
        self._are_apart(before)

    def _numbered(self, number: int) -> Submission:
        return self.submission(f"for number {number} alone\n", to=f"n{number}@customer.example")

    def _are_apart(self, before: int) -> None:
        for number, got in enumerate(self.accepted()[before:]):
            assert got.recipients == (f"n{number}@customer.example",), (
                f"message {number} went to {got.recipients}"
            )
            text = _texts(_read(got), "plain")
            assert f"number {number} alone" in text, f"message {number} says {text!r}"
