"""The outbox's pages: what a person sees, and what they may decide."""

from __future__ import annotations

import pytest

from pillarbox import State
from tests.plugins.web.test_settings import smtp_saved


@pytest.fixture
def full(acme):
    """A company that sends, with a mail of Anna's and one of Otto's that wait."""
    smtp_saved(acme)
    return acme, acme.queue("anna", reference="INV-1"), acme.queue("otto", reference="INV-2")


def state(acme, entry):
    return acme.mailer.queue.get(entry.key).state


def test_everybody_sees_their_own_and_an_administrator_all(full):
    acme, hers, his = full
    assert hers.key in acme.browser("anna").get("/outbox").text
    assert his.key not in acme.browser("anna").get("/outbox").text
    assert {hers.key, his.key} <= set(acme.browser("petra").get("/outbox").text.replace('"', "/").split("/"))
    assert acme.browser("anna").get(f"/outbox/{his.key}").status_code == 404
    assert acme.browser("anna").get(f"/outbox/{hers.key}").status_code == 200


def test_the_invoice_that_never_came_is_found_by_its_number(full):
    acme, hers, his = full
    page = acme.browser("petra").get("/outbox", params={"reference": "INV-2"}).text
    assert his.key in page
    assert hers.key not in page
    assert "Invoice 1001" in acme.browser("petra").get(f"/outbox/{his.key}").text


def test_a_person_cancels_holds_settles_and_sends_again(full):
    acme, hers, his = full
    petra = acme.browser("petra")
    deed = lambda entry, what: petra.post(f"/outbox/{entry.key}", {"deed": what})  # noqa: E731
    assert deed(hers, "cancel").status_code == 303
    assert state(acme, hers) is State.CANCELLED
    assert deed(his, "hold").status_code == 303
    assert state(acme, his) is State.HELD
    assert deed(his, "sent").status_code == 303
    assert state(acme, his) is State.ACCEPTED
    assert deed(his, "retry").status_code == 409  # it is over
    assert deed(his, "again").headers["location"].endswith("done=again")


def test_nobody_decides_about_anothers_mail(full):
    acme, _hers, his = full
    anna = acme.browser("anna")
    answer = anna.post(f"/outbox/{his.key}", {"deed": "cancel"}, page="/users/anna")
    assert answer.status_code == 404
    assert state(acme, his) is State.QUEUED


def test_an_administrator_does_not_send_by_a_personal_account(acme):
    """They may cancel it (rule 7)."""
    smtp_saved(acme)
    acme.browser("anna").save(
        "/users/anna",
        {"settings": "personal", **acme.smtp(**{"smtp.username": "anna@acme.example", "smtp.password": "x"})},
    )
    hers = acme.queue("anna")
    acme.mailer.queue.hold(hers.key, "for a look")
    petra = acme.browser("petra")
    assert petra.post(f"/outbox/{hers.key}", {"deed": "not-sent"}, page="/users").status_code == 409
    assert state(acme, hers) is State.HELD
    assert petra.post("/users/anna/test", {}, page="/users").status_code == 409
    assert acme.server.taken == []
    assert petra.post(f"/outbox/{hers.key}", {"deed": "cancel"}, page="/users").status_code == 303


def test_pause_and_resume_reach_as_far_as_the_person(full):
    acme, _hers, _his = full
    acme.browser("anna").post("/outbox/pause", {"reason": "on leave"}, page="/users/anna")
    (pause,) = acme.mailer.queue.pauses()
    assert (pause.scope, pause.by, pause.reason) == ("user:company/anna", "anna", "on leave")
    acme.browser("otto").post("/outbox/resume", {"scope": pause.scope}, page="/users/otto")
    assert acme.mailer.queue.pauses()
    acme.browser("petra").post("/outbox/resume", {"scope": pause.scope}, page="/users")
    assert not acme.mailer.queue.pauses()


def test_what_was_sent_is_a_chart_with_its_numbers(full):
    acme, *_ = full
    acme.mailer.worker().run(drain=True)
    page = acme.browser("petra").get("/").text
    assert 'class="accepted" x=' in page
    assert "accepted 2" in page


def test_hostile_text_is_shown_as_text(acme):
    smtp_saved(acme)
    from pillarbox import Message

    nasty = "<script>alert(1)</script>\u202e"
    entry = acme.mailer.enqueue(Message(to=["a@b.example"], subject=nasty, text="x"), user="anna")
    for path in ("/outbox", f"/outbox/{entry.key}"):
        text = acme.browser("petra").get(path).text
        assert "<script>alert" not in text
        assert "\u202e" not in text


def test_an_administrator_resumes_no_personal_account(acme):
    """What its owner paused, its owner lets go on."""
    smtp_saved(acme)
    acme.browser("anna").save(
        "/users/anna",
        {"settings": "personal", **acme.smtp(**{"smtp.username": "anna@acme.example", "smtp.password": "x"})},
    )
    from pillarbox.outbox import Pause

    pause = Pause(scope="lane:company/user:anna/smtp", reason="on leave", by="anna")
    acme.mailer.queue.pause(pause)
    assert (
        acme.browser("petra").post("/outbox/resume", {"scope": pause.scope}, page="/users").status_code == 409
    )
    assert acme.mailer.queue.pauses()
    assert (
        acme.browser("anna").post("/outbox/resume", {"scope": pause.scope}, page="/users/anna").status_code
        == 303
    )
    assert not acme.mailer.queue.pauses()
