"""Wrong in what leaves, and to whom."""

from __future__ import annotations

import attrs

from pillarbox import (
    Receipt,
)
from tests.contract.good import ByFields, Good
from tests.contract.wrong.caught import caught_by


@caught_by("bcc_gets_it_and_is_not_shown")
class BccShown(Good):
    def content(self, submission):
        return submission.content_with_bcc()


@caught_by("bcc_gets_it_and_is_not_shown")
class BccForgotten(Good):
    def take(self, submission, recipients):
        shown = tuple(who for who in recipients if who.encode() in submission.content)
        super().take(submission, shown)


@caught_by("bcc_gets_it_and_is_not_shown")
class BccForgottenWithoutEnvelope(ByFields):
    def take(self, submission, recipients):
        self.carrier.take(submission.content, None, ("ap@customer.example",))


@caught_by("hostile_bytes_are_untouched")
class LoneDotsEaten(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\n.\r\n", b"\r\n\r\n")


@caught_by("hostile_bytes_are_untouched")
class DotsDoubled(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\n.", b"\r\n..")


@caught_by("hostile_bytes_are_untouched")
class FromEscaped(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\nFrom ", b"\r\n>From ")


@caught_by("hostile_bytes_are_untouched")
class EndsTrimmed(Good):
    def content(self, submission):
        return submission.content.rstrip() + b"\r\n"


@caught_by("hostile_bytes_are_untouched")
class WhiteSpaceTrimmed(Good):
    def content(self, submission):
        return b"\r\n".join(line.rstrip(b" \t") for line in submission.content.split(b"\r\n"))


@caught_by("hostile_bytes_are_untouched")
class LongLinesCut(Good):
    def content(self, submission):
        return b"\r\n".join(line[:990] for line in submission.content.split(b"\r\n"))


@caught_by("the_bytes_are_untouched", "hostile_bytes_are_untouched")
class LineEndsAltered(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\n", b"\n")


@caught_by("the_bytes_are_untouched")
class HeaderAdded(Good):
    def content(self, submission):
        return b"X-Mailer: Wrong 1.0\r\n" + submission.content


@caught_by("bytes_in_pieces_are_untouched")
class PiecesStripped(Good):
    def content(self, submission):
        return b"\r\n".join(chunk.removesuffix(b"\r\n") for chunk in submission.chunks) + b"\r\n"


@caught_by("bytes_in_pieces_are_untouched")
class DotAtAPiecesStartDoubled(Good):
    def content(self, submission):
        return b"".join(b"." + chunk if chunk.startswith(b".") else chunk for chunk in submission.chunks)


@caught_by("a_large_message_arrives_whole")
class CutAtABuffer(Good):
    def content(self, submission):
        return submission.content[: 64 * 1024]


@caught_by("the_envelope_is_exact", "one_send_is_one_message")
class OneMessageForEach(Good):
    def take(self, submission, recipients):
        for recipient in recipients:
            super().take(submission, (recipient,))


@caught_by("the_envelope_is_exact")
class RecipientDropped(Good):
    def take(self, submission, recipients):
        super().take(submission, recipients[:1])


@caught_by("the_envelope_is_exact")
class RecipientsSorted(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(sorted(recipients)))


@caught_by("the_envelope_is_exact")
class RecipientsLowered(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(map(str.lower, recipients)))


@caught_by("the_envelope_is_exact")
class HyphenTakenForAnOption(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(who for who in recipients if not who.startswith("-")))


@caught_by("the_envelope_is_exact")
class SenderReplaced(Good):
    def take(self, submission, recipients):
        self.carrier.take(submission.content, "orders@acme.example", recipients)


@caught_by("the_null_sender_is_exact_or_refused")
class NullSenderReplaced(Good):
    def take(self, submission, recipients):
        self.carrier.take(submission.content, submission.envelope.sender or "root@acme.example", recipients)


@caught_by("a_quoted_local_part_is_exact_or_refused")
class QuotesLost(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(who.replace('"', "") for who in recipients))


@caught_by("an_international_local_part_is_exact_or_refused")
class AccentsLost(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(who.encode("ascii", "replace").decode() for who in recipients))


@caught_by("an_international_local_part_is_exact_or_refused")
class CodecError(Good):
    def wanted(self, submission, fault):
        return tuple(who.encode("ascii").decode() for who in super().wanted(submission, fault))


@caught_by("a_receipt_carries_our_message_id")
class WrongMessageId(Good):
    def receipt(self, submission, recipients, fault):
        return attrs.evolve(super().receipt(submission, recipients, fault), message_id="<other@acme.example>")


@caught_by("a_receipt_carries_our_message_id")
class NoReceipt(Good):
    def receipt(self, submission, recipients, fault):
        return None


@caught_by("the_account_that_the_client_used_is_told")
class ClientsSenderNotTold(ByFields):
    def receipt(self, submission, recipients, fault):
        return Receipt(submission.message_id)
