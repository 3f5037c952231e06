"""What is asked of Outlook."""

from __future__ import annotations

from typing import Final

from pillarbox_mapi.com import ComError, Dispatch
from pillarbox_mapi.drafting import CONTENT_ID
from pillarbox_mapi.folders import HEADERS, KEY
from tests.live.outlook.study import DRAFTS, Study, code, refusal
from tests.live.questions import NotTold, Question, whether

INBOX: Final = 6
TRANSPORT_HEADERS: Final = "http://schemas.microsoft.com/mapi/proptag/0x007D001F"
"""PR_TRANSPORT_MESSAGE_HEADERS_W: the header of a mail that arrived."""
UNKNOWN: Final = "http://schemas.microsoft.com/mapi/string/{00020386-0000-0000-C000-000000000046}/X-Nobody"


def first_account(study: Study) -> Dispatch:
    """Return the profile's first account."""
    return study.session.get("Accounts").call("Item", 1)


def by_reference(study: Study) -> str:
    """Set SendUsingAccount as the plugin does."""
    item = study.item()
    item.putref("SendUsingAccount", first_account(study))
    return whether(item.get("SendUsingAccount"))


def by_value(study: Study) -> str:
    """Set it as scripts do (pywin32 1862)."""
    item, account = study.item(), first_account(study)
    value = getattr(account, "pointer", None) or getattr(account, "inner", None)
    refused = refusal(lambda: item.put("SendUsingAccount", value))
    return (
        f"no, and it is refused with {refused}"
        if refused != "nothing"
        else whether(item.get("SendUsingAccount"))
    )


def entry_ids(study: Study) -> str:
    """Look for the EntryID of a mail before and after Save."""
    item = study.item()
    item.put("Subject", "pillarbox live: a draft that is removed")
    before = item.get("EntryID")
    item.call("Save")
    after = item.get("EntryID")
    item.call("Delete")
    return f"before Save {'one' if before else 'none'}, after it {'one' if after else 'none'}"


def moved_id(study: Study) -> str:
    """Compare the EntryID of the draft with that of the copy in Sent Items."""
    return whether(study.copy(study.plain).get("EntryID") == study.plain.entry_id)


def touched_after_send(study: Study) -> str:
    """Read a mail that was sent."""
    item = study.item()
    item.put("Subject", "pillarbox live: read behind Send")
    item.put("Body", "A test of pillarbox. There is nothing to do.")
    item.get("Recipients").call("Add", study.to).call("Resolve")
    item.call("Send")
    return refusal(lambda: item.get("Subject"))


def drafts(study: Study) -> str:
    """Find a draft, remove it, and look again."""
    key = study.draft()
    found = len(study.in_folder(DRAFTS, key))
    study.discard()
    return f"{found}, and {len(study.in_folder(DRAFTS, key))} when it was removed"


def found_in_sent(study: Study) -> str:
    """Look for a mail as the plugin does after a crash."""
    return study.where(study.plain)


def nobody(study: Study) -> str:
    """Resolve a name that nobody has."""
    recipient = study.item().get("Recipients").call("Add", "nobody whom this address book knows")
    return whether(recipient.call("Resolve"))


def missing_file(study: Study) -> str:
    """Attach a file that is not there."""
    attachments = study.item().get("Attachments")
    return refusal(lambda: attachments.call("Add", "C:\\pillarbox\\no such file.pdf", 1, 0, "a.pdf"))


def unknown_property(study: Study) -> str:
    """Read a header property that was never set."""
    properties = study.item().get("PropertyAccessor")
    return refusal(lambda: properties.call("GetProperty", UNKNOWN))


def sent_by(study: Study) -> str:
    """Compare the account of the copy in Sent Items with the one that the plugin was told of."""
    account = study.copy(study.plain).get("SendUsingAccount")
    if account is None:
        return "it names none"
    return whether(study.plain.account in {account.get("SmtpAddress"), account.get("DisplayName")})


def picture(study: Study) -> str:
    """Read the content id of the inline picture in the copy."""
    attachments = study.copy(study.rich).get("Attachments")
    for number in range(1, attachments.get("Count") + 1):
        if attachments.call("Item", number).get("FileName") == "dot.png":
            properties = attachments.call("Item", number).get("PropertyAccessor")
            return str(properties.call("GetProperty", CONTENT_ID))
    return "the picture is not there"


def file_name(study: Study) -> str:
    """Read the name of the other attachment."""
    attachments = study.copy(study.rich).get("Attachments")
    names = [
        attachments.call("Item", number).get("FileName") for number in range(1, attachments.get("Count") + 1)
    ]
    return whether("Rechnung – größer €.txt" in names)


def kinds(study: Study) -> str:
    """Count the recipients of the copy by their kind: 1 to, 3 blind."""
    recipients = study.copy(study.rich).get("Recipients")
    found = [recipients.call("Item", number).get("Type") for number in range(1, recipients.get("Count") + 1)]
    return ", ".join(map(str, sorted(found)))


def answers(study: Study) -> str:
    """Count the addresses for answers in the copy."""
    return str(study.copy(study.rich).get("ReplyRecipients").get("Count"))


def header_in_sent(study: Study) -> str:
    """Read our header property in the copy."""
    properties = study.copy(study.plain).get("PropertyAccessor")
    return whether(properties.call("GetProperty", HEADERS + KEY) == study.plain.key)


def header_on_the_way(study: Study) -> str:
    """Read the header of the mail that arrived, where it was sent to oneself."""
    subject = str(study.copy(study.plain).get("Subject"))

    def look() -> Dispatch | None:
        items = study.session.call("GetDefaultFolder", INBOX).get("Items")
        found = items.call("Restrict", "[Subject] = '" + subject.replace("'", "''") + "'")
        return found.call("Item", 1) if found.get("Count") else None

    try:
        arrived = study.awaited(look)
    except ComError as error:
        raise NotTold(f"the Inbox answers {code(error.code)}") from None
    header = str(arrived.get("PropertyAccessor").call("GetProperty", TRANSPORT_HEADERS))
    return whether(f"{KEY}: {study.plain.key}".lower() in header.lower())


def trusted(study: Study) -> str:
    """Whether Outlook asks a person before a program may send."""
    return whether(study.application.get("IsTrusted"))


def addresses(study: Study) -> str:
    """Whether accounts tell their addresses: the guard may keep them."""
    return whether(all(one.address for one in study.accounts()))


def dialog(study: Study) -> str:
    """Make a call while a dialog is open."""
    if study.person is None:
        raise NotTold("nobody is there to open a dialog")
    study.person("In Outlook open File, Options, and leave that dialog open.")
    refused = refusal(study.item)
    study.person("Close the dialog again.")
    return refused


QUESTIONS: Final = (
    Question("Does an account that is set by reference stay?", by_reference),
    Question("Does one that is set by value?", by_value),
    Question("Do accounts tell their addresses?", addresses),
    Question("May a program send without a person being asked?", trusted),
    Question("Has a mail an EntryID?", entry_ids),
    Question("How many drafts are found by our header?", drafts),
    Question("Does Outlook know a recipient whom nobody knows?", nobody),
    Question("How is a file refused that is not there?", missing_file),
    Question("How is a header refused that was never set?", unknown_property),
    Question("How is a mail refused that is read behind Send?", touched_after_send),
    Question("Where is a mail that was sent found by our header?", found_in_sent),
    Question("Has its copy the header?", header_in_sent),
    Question("Has its copy the EntryID of the draft?", moved_id),
    Question("Does its copy name the account that was to send?", sent_by),
    Question("By which content id does the copy show the picture?", picture),
    Question("Has the other file its name?", file_name),
    Question("Which kinds of recipients has the copy?", kinds),
    Question("How many addresses for answers has the copy?", answers),
    Question("Does our header travel with the mail?", header_on_the_way),
    Question("How is a call refused while a dialog is open?", dialog),
)
"""In the order in which they are asked. Another order changes nothing."""
