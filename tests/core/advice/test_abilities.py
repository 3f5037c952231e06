"""What the account could do, or could not any more."""

from __future__ import annotations

import attrs

from pillarbox import Answer, AnswerState, Level, Message, Receipt

from .scene import ByUser, Settings, connection, found, learned, mailer, sent


def test_copies_are_filed_or_not_any_more():
    """The one is good news, the other is not."""
    told = found(mailer(), "strict")["change-copy"][0]
    assert (told.seen, told.level) == ("now: not known; then: filed by Strictmail", Level.OK)
    back = found(learned(mailer(method="strict"), company=connection()), "umail")["change-copy"][0]
    assert (back.seen, back.level) == ("now: filed by Strictmail; then: not known", Level.WARN)


def test_looking_depends_on_what_is_granted():
    """Before anybody has connected it can't be told; then it can."""
    assert found(mailer(), "strict")["change-look"][0].level is Level.SKIP
    assert found(learned(mailer(), company=connection()), "strict")["change-look"][0].level is Level.OK
    sends = connection(scopes=("send",))
    assert found(learned(mailer(), company=sends), "strict")["change-look"][0].level is Level.WARN


class Partly(ByUser):
    """Refuses the second recipient for good."""

    settings: Settings
    label = "Partly"

    def send(self, submission, journal):
        first, *rest = submission.envelope.recipients
        answers = {one: Answer(AnswerState.REFUSED, "no", "550") for one in rest}
        with journal.handing_over():
            return Receipt(submission.message_id, recipients={first: Answer(AnswerState.ACCEPTED), **answers})


def test_who_reads_the_header_can_not_send_to_some_alone():
    """It matters where it has happened."""
    box = mailer(method="partly", extra={"partly": Partly})
    assert found(box, "strict")["change-partial"][0].level is Level.OK
    sent(box, to=2)
    told = found(box, "strict")["change-partial"][0]
    assert told.level is Level.WARN
    assert "concerned 1 messages" in told.seen


@attrs.frozen
class Wishes:
    """What a message may ask of one method."""

    tracked: bool = False


class Wishing(ByUser):
    settings: Settings
    label = "Wishing"
    options = Wishes


def test_what_messages_asked_of_their_method_alone_is_counted():
    """Another method passes it over."""
    box = mailer(method="wishing", extra={"wishing": Wishing})
    box.enqueue(
        Message(to=["ap@customer.example"], subject="x", text="y", options={"wishing": {"tracked": True}}),
        user="anna",
    )
    assert found(box, "umail")["change-options"][0].seen == (
        "1 messages asked for something that only wishing does; it would be passed over"
    )
