"""The fake Outlook behaves as the facts about the real one say."""

from __future__ import annotations

import pytest

from pillarbox.testing.outlook import FakeAccount, FakeOutlook, Fault, OutlookFault, busy, denied

POP = FakeAccount("pop@acme.example", kind=2)


def written(outlook, subject="Invoice 1001"):
    item = outlook.activate().call("CreateItem", 0)
    item.put("Subject", subject)
    assert item.get("Recipients").call("Add", "Anna <anna@acme.example>").call("Resolve")
    return item


def answer(call, *args):
    with pytest.raises(OutlookFault) as caught:
        call(*args)
    return caught.value


def test_a_mail_moves_from_drafts_to_the_outbox_to_sent():
    outlook = FakeOutlook()
    item = written(outlook)
    item.call("Save")
    assert [mail.subject for mail in outlook.in_folder("Drafts")] == ["Invoice 1001"]
    item.call("Send")
    assert (len(outlook.in_folder("Outbox")), len(outlook.in_folder("Drafts"))) == (1, 0)
    outlook.transmit()
    assert [mail.addresses() for mail in outlook.in_folder("Sent Items")] == [("anna@acme.example",)]


def test_a_mail_has_an_entry_id_from_the_first_save_on():
    item = written(FakeOutlook())
    assert item.get("EntryID") == ""
    item.call("Save")
    assert item.get("EntryID")


def test_after_send_every_member_says_that_the_item_was_moved():
    item = written(FakeOutlook())
    item.call("Send")
    assert answer(item.get, "Subject").scode == answer(item.call, "Save").scode == 0x8004010A


def test_an_account_is_chosen_by_a_reference_and_a_plain_put_does_nothing():
    outlook = FakeOutlook([FakeAccount("anna@acme.example"), POP])
    item, pop = written(outlook), outlook.session.get("Accounts").call("Item", 2)
    item.put("SendUsingAccount", pop)
    assert item.get("SendUsingAccount") is None
    item.putref("SendUsingAccount", pop)
    assert item.get("SendUsingAccount").get("SmtpAddress") == "pop@acme.example"


def test_a_file_is_attached_by_an_absolute_path_and_kept_with_its_octets(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    outlook = FakeOutlook()
    item = written(outlook)
    assert answer(item.get("Attachments").call, "Add", "a.pdf").scode == 0x80070002
    item.get("Attachments").call("Add", str(tmp_path / "a.pdf"), 1, 0, "invoice.pdf")
    item.call("Send")
    assert [(file.name, file.content) for file in outlook.sent[0].files] == [("invoice.pdf", b"%PDF")]


def test_a_folder_is_filtered_by_a_property_of_a_mail():
    outlook = FakeOutlook()
    for key in ("a", "b"):
        item = written(outlook, key)
        item.get("PropertyAccessor").call("SetProperty", "urn:x", key)
        item.call("Save")
    found = outlook.session.call("GetDefaultFolder", 16).get("Items").call("Restrict", "@SQL=\"urn:x\" = 'b'")
    assert [found.call("Item", 1).get("Subject"), found.get("Count")] == ["b", 1]


def test_an_unknown_recipient_stops_send():
    outlook = FakeOutlook(unresolvable=["anna@acme.example"])
    item = outlook.activate().call("CreateItem", 0)
    assert item.get("Recipients").call("Add", "anna@acme.example").call("Resolve") is False
    assert answer(item.call, "Send").scode == 0x80004005
    assert outlook.sent == []


def test_a_busy_outlook_refuses_a_call_as_often_as_the_script_says():
    outlook = FakeOutlook(faults=[busy("MailItem", "Send", 2)])
    item = written(outlook)
    assert [answer(item.call, "Send").hresult for _ in range(2)] == [0x80010001] * 2
    item.call("Send")
    assert len(outlook.sent) == 1


def test_a_crash_ends_every_object_and_leaves_the_mailbox():
    outlook = FakeOutlook(faults=[Fault("MailItem", "Send", "crash", ran=True)])
    item = written(outlook)
    assert answer(item.call, "Send").hresult == 0x800706BE
    assert len(outlook.sent) == 1
    application = outlook.activate()
    assert application.get("Name") == "Outlook"
    outlook.crash()
    assert answer(application.get, "Name").hresult == 0x800706BA


def test_the_guard_denies_what_is_guarded_and_nothing_else():
    outlook = FakeOutlook(guard=True)
    account = outlook.session.get("Accounts").call("Item", 1)
    assert account.get("AccountType") == 0
    assert answer(account.get, "SmtpAddress").scode == 0x80004004


def test_a_world_and_its_mailbox_go_through_json(tmp_path):
    world = FakeOutlook([POP], faults=[denied("MailItem", "Send")], store=tmp_path / "store.jsonl")
    written(world).call("Save")
    again = FakeOutlook.from_json(world.to_json())
    assert (again.accounts, again.script.faults) == (world.accounts, world.script.faults)
    assert again.mails == world.mails


def test_a_fault_that_happened_does_not_happen_again_in_the_next_process(tmp_path):
    crash = Fault("MailItem", "Send", "crash")
    world = FakeOutlook(faults=[crash], store=tmp_path / "store.jsonl")
    assert answer(written(world).call, "Send").hresult == 0x800706BE
    again = FakeOutlook.from_json(world.to_json())
    written(again).call("Send")
    assert len(again.sent) == 1


def test_members_carry_the_dispids_of_outlook():
    members = FakeOutlook().application.call("CreateItem", 0).members()
    assert (members["SendUsingAccount"].dispid, members["Send"].dispid) == (64209, 0xF075)


def test_what_an_account_sent_is_filed_in_its_own_store():
    outlook = FakeOutlook([FakeAccount("anna@acme.example", store="Anna")])
    written(outlook).call("Send")
    outlook.transmit()
    store = outlook.account("anna@acme.example").get("DeliveryStore")
    assert store.call("GetDefaultFolder", 5).get("Items").get("Count") == 1
    assert outlook.session.call("GetDefaultFolder", 5).get("Items").get("Count") == 0
