"""Wrong in what a recipient reads, and whose it is."""

from __future__ import annotations

import attrs

from tests.contract.good import Good
from tests.contract.wrong.caught import caught_by


class Rewriting(Good):
    """Changes the bytes on their way."""

    def content(self, submission):
        return self.rewritten(submission.content)


@caught_by("a_subject_in_any_script_is_read_as_it_was_written")
class CutsTheSubject(Rewriting):
    def rewritten(self, content):
        message = parsed(content)
        subject = str(message["Subject"])
        del message["Subject"]
        message["Subject"] = subject[:78]
        return message.as_bytes()


@caught_by("an_empty_subject_stays_empty")
class NamesTheNameless(Rewriting):
    def rewritten(self, content):
        message = parsed(content)
        subject = str(message.get("Subject") or "").strip()
        del message["Subject"]
        message["Subject"] = subject or "(no subject)"
        return message.as_bytes()


@caught_by("a_text_in_any_script_is_read_as_it_was_written")
class KnowsLatinAlone(Rewriting):
    def rewritten(self, content):
        message = parsed(content)
        text = message.get_body(("plain",))
        if text is not None:
            text.set_content(text.get_content().encode("latin-1", "replace").decode("latin-1"))
        return message.as_bytes()


@caught_by("html_is_read_as_it_was_written")
class EscapesTwice(Rewriting):
    def rewritten(self, content):
        message = parsed(content)
        html = message.get_body(("html",))
        if html is not None:
            html.set_content(html.get_content().replace("&", "&amp;"), subtype="html")
        return message.as_bytes()


@caught_by("an_international_domain_goes_by_its_a_label")
class ShowsTheDomain(Good):
    def wanted(self, submission, fault):
        return tuple(one.replace("xn--bcher-kva", "bücher") for one in super().wanted(submission, fault))

    def receipt(self, submission, recipients, fault):
        return super().receipt(submission, submission.envelope.recipients, fault)


@caught_by("each_message_goes_to_its_own_recipients_alone")
class RemembersRecipients(Good):
    def wanted(self, submission, fault):
        self.everybody = [*getattr(self, "everybody", []), *super().wanted(submission, fault)]
        return tuple(self.everybody)


@caught_by("each_message_of_a_batch_goes_to_its_own_recipients_alone")
class OneEnvelopeForTheBatch(Good):
    def send_many(self, attempts):
        first = None
        for submission, journal in attempts:
            first = first or submission.envelope
            yield self.send(attrs.evolve(submission, envelope=first), journal)


def parsed(content):
    from email import message_from_bytes, policy

    return message_from_bytes(content, policy=policy.SMTP)
