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
    ("NameSpace", "GetDefaultFolder"), ("Items", "Restrict"), ("Account", "DisplayName"), ("Account", "DeliveryStore"),
    ("Accounts", "Count"), ("Accounts", "Item"), ("Attachment", "PropertyAccessor"), ("Attachments", "Add"),
    ("Folder", "Items"), ("Items", "Count"), ("Items", "Item"), ("MailItem", "Attachments"), ("MailItem", "BodyFormat"),
    ("MailItem", "HTMLBody"), ("MailItem", "Importance"), ("MailItem", "PropertyAccessor"), ("MailItem", "ReadReceiptRequested"),
    ("MailItem", "ReplyRecipients"), ("MailItem", "SentOnBehalfOfName"), ("MailItem", "Subject"), ("MailItem", "Close"),
    ("MailItem", "Sent"), ("PropertyAccessor", "SetProperty"), ("Recipient", "Type"), ("Store", "GetDefaultFolder"),
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
        "key": "k1", "folder": "1", "subject": "s", "text": "body.txt", "html": "body.txt", "people": [[1, "a@b.example"]],
        "answers_to": ["c@d.example"], "importance": 2, "read_receipt": True, "headers": [["X-A", "b"]],
        "on_behalf": "boss@a.example",
        "files": [{"path": "body.txt", "name": "dot.png", "content_type": "image/png", "content_id": "dot"}],
    }  # fmt: skip
    for again in (False, True):
        patience.begin(60)
        try:
            worker.prepare(letter, Wish(accept=("exchange",)), "", spool, again=again)
            worker.submit()
        except Problem as problem:
            outlook.misbehave()
            if problem.step == "send" and problem.kept is not True:
                return worker.find("k1", "a@a.example", "")["where"]
        else:
            return "sent"
    return "not sent"


def test_every_call_that_is_made_may_go_wrong(tmp_path):
    """What is tried below is all that a send, a draft left behind and a look ask of Outlook."""
    (tmp_path / "body.txt").write_bytes(b"text")
    lost, stays = Fault("MailItem", "Send", hresult=0x800706BE), Fault("MailItem", "Send", hresult=0x80004005)
    made = set()
    for faults in (
        [],
        [lost],
        [stays],
        [Fault("MailItem", "Subject")],
        [Fault("MailItem", "Save", hresult=0x80004005)],
    ):
        outlook = FakeOutlook([FakeAccount("a@acme.example")], faults=faults)
        once(outlook, tmp_path)
        made |= set(outlook.calls)
    assert made <= set(CALLS)


@settings(deadline=None, max_examples=1000)
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
