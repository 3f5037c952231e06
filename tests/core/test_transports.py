"""The contract's base: honest defaults, and a journal whose hand-over is one moment for all threads."""

from __future__ import annotations

import threading

import pytest

from pillarbox import (
    Account,
    Capabilities,
    Connection,
    Description,
    Journal,
    Limits,
    Receipt,
    SendDeferred,
    SendRejected,
    SightingState,
    Transport,
    Unavailable,
)
from tests.core.doubles import ByUser, NoSettings, Scripted, attempts, submission


class Plain(Transport):
    """What an author has to write, and no more."""

    settings: NoSettings
    label = "Plain"

    def send(self, submission, journal):
        with journal.handing_over():
            return Receipt(submission.message_id)


def test_all_but_sending_has_an_honest_default():
    """Nothing is promised that is not there."""
    with Plain(NoSettings()) as plain:
        assert plain.find(submission(), Journal()).state is SightingState.UNCLEAR
        assert list(plain.check()) == []
        assert plain.may_show("a@b.example") is None
    assert (Plain.limits(None), Plain.describe(None)) == (Limits(), Description(via="Plain"))
    assert (Plain.identity(None), Plain.warnings(None)) == (None, ())
    assert Plain.capabilities(Connection(issuer="i", subject="s")) == Capabilities()
    assert not Plain.capabilities(None).find


def test_sending_several_is_sending_each_in_turn():
    """The next is pulled when the last is answered; a refusal is an answer."""
    pulled = []

    def source():
        for attempt in attempts("1", "2", "3"):
            pulled.append(attempt)
            yield attempt

    answers = Scripted(("", None), ("inside", SendRejected("no"))).send_many(source())
    for number in range(1, 4):
        next(answers)
        assert len(pulled) == number


def test_a_platform_where_it_does_not_work_is_named():
    """Instead of an ImportError from an SDK."""

    class Elsewhere(Plain):
        platforms = ("vms", "plan9")

    with pytest.raises(Unavailable, match="Plain works on vms and plan9, not on"):
        Elsewhere.require_platform()
    Plain.require_platform()


def test_a_note_is_kept_before_it_is_believed():
    """What can't be written is not in the notes."""

    class Full(Journal):
        def _write(self, name, value):
            raise OSError(28, "No space left on device")

    journal = Full({"draft": "1"})
    with pytest.raises(OSError, match="No space"):
        journal.note("draft", "2")
    assert journal.notes == {"draft": "1"}
    plain = Journal({"draft": "1"})
    plain.note("draft", "2")
    assert plain.notes == {"draft": "2"}


def test_the_hand_over_is_marked_once_before_the_block():
    """A second one in the same attempt (a repeat behind a 401) marks nothing again."""
    marks = []

    class Counted(Journal):
        def _mark(self):
            marks.append(self.handed_over)

    journal = Counted()
    for _ in range(2):
        with journal.handing_over():
            assert journal.handed_over
    assert marks == [False]
    assert not journal.call_off()
    assert not journal.called_off


def test_a_called_off_attempt_hands_nothing_over():
    """Not then, and not later."""
    journal = Journal()
    assert journal.call_off()
    assert journal.call_off()
    for _ in range(2):
        with pytest.raises(SendDeferred, match="nothing left"), journal.handing_over():
            pytest.fail("handed over")
    assert not journal.handed_over


def test_handing_over_and_calling_off_at_once_agree():
    """Either it left or it was called off: never both, never neither, whoever comes first."""
    for _ in range(300):
        journal, gate, said = Journal(), threading.Barrier(2), []

        def hand_over(journal=journal, gate=gate, said=said):
            gate.wait(10)
            try:
                with journal.handing_over():
                    said.append("left")
            except SendDeferred:
                pass

        thread = threading.Thread(target=hand_over)
        thread.start()
        gate.wait(10)
        if journal.call_off():
            said.append("called off")
        thread.join(10)
        assert said in (["left"], ["called off"])


def test_an_account_is_named_by_company_owner_and_method():
    """That is its lane; the mailbox signs in unless another does."""
    account = Account(owner="user:anna", method="smtp", mailbox="a@acme.example", company="acme")
    assert (account.key, account.signs_in_as) == ("acme/user:anna/smtp", "a@acme.example")
    assert ByUser.settings_class().__name__ == "Settings"
