"""After any fault at any call, Outlook has sent at most one mail, and what is said of it is true."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pillarbox.testing.outlook import FakeAccount, FakeOutlook, Fault
from pillarbox_mapi.accounts import Wish
from pillarbox_mapi.outlook import Outlook
from pillarbox_mapi.patience import Patience
from pillarbox_mapi.problems import Problem
from tests.plugins.mapi.scripted import activation

CALLS = (
    ("Class", "Activate"), ("Application", "GetNamespace"), ("NameSpace", "Logon"), ("NameSpace", "Accounts"),
    ("Account", "AccountType"), ("Account", "SmtpAddress"), ("Application", "CreateItem"), ("MailItem", "Recipients"),
    ("Recipients", "Add"), ("Recipient", "Resolve"), ("MailItem", "SendUsingAccount"), ("MailItem", "Save"),
    ("MailItem", "EntryID"), ("MailItem", "Send"), ("MailItem", "Submitted"), ("MailItem", "Delete"),
    ("NameSpace", "GetDefaultFolder"), ("Items", "Restrict"),
)  # fmt: skip
CODES = (0x80010001, 0x8001010A, 0x80004004, 0x800706BE, 0x800706BA, 0x80004005, 0x80020009, 0x8004010A)
FAULT = st.builds(
    lambda call, **more: Fault(*call, **more),
    st.sampled_from(CALLS),
    action=st.sampled_from(["error", "error", "crash", "silent"]),
    nth=st.integers(1, 3),
    times=st.integers(1, 3),
    hresult=st.sampled_from(CODES),
    ran=st.booleans(),
)


class Clock:
    """Time that passes in sleep alone."""

    now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def once(outlook, spool):
    """Send as the transport does, once more where the look says that it did not leave; return the last word."""
    clock = Clock()
    patience = Patience(clock=clock, sleep=clock.sleep)
    worker = Outlook(activation(outlook), patience)
    letter = {
        "key": "k1", "folder": "1", "subject": "s", "text": "body.txt", "html": None, "people": [[1, "a@b.example"]],
        "answers_to": [], "importance": 1, "read_receipt": False, "headers": [], "files": [], "on_behalf": "",
    }  # fmt: skip
    for again in (False, True):
        patience.begin(60)
        try:
            worker.prepare(letter, Wish(accept=("exchange",)), "", spool, again=again)
            worker.submit()
        except Problem as problem:
            outlook.misbehave()
            if problem.step == "send" and problem.kept is not True:
                return worker.find("k1", "", "")["where"]
        else:
            return "sent"
    return "not sent"


@settings(deadline=None, max_examples=300)
@given(st.lists(FAULT, max_size=3))
def test_whatever_goes_wrong_no_mail_leaves_twice(faults):
    """What an error says not to have left has not: only then is it sent again."""
    # An answer that says "refused before it ran", or E_ABORT with the draft still there, of a call that ran would be
    # Outlook's lie, not a fault.
    honest = [one for one in faults if not (one.ran and one.hresult in {0x80010001, 0x8001010A})]
    outlook = FakeOutlook([FakeAccount("a@acme.example")], faults=honest, sleep=lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body.txt").write_bytes(b"text")
        word = once(outlook, Path(folder))
    assert len(outlook.sent) <= 1
    silent = any((one.member, one.action) == ("Send", "silent") for one in honest)
    assert (word in {"sent", "outbox"}) == bool(outlook.sent) or silent
