"""An employee's day: new, another password, leaves, marries; and the account that is connected."""

from __future__ import annotations

import re

from pillarbox import Grant, State
from pillarbox.testing import MemoryConnector
from tests.plugins.web.test_settings import smtp_saved
from tests.plugins.web.world import ANNA, ORDERS, SECRET


def test_somebody_is_new(acme):
    petra = acme.browser("petra")
    assert (
        petra.post("/users", {"id": "eva", "name": "Eva", "address": "eva@acme.example"}).status_code == 303
    )
    assert acme.directory.look_up("eva")[1].choice.value == "company"
    again = petra.post("/users", {"id": "eva", "name": "Eva"})
    assert "is the id of another user" in again.text
    wrong = petra.post("/users", {"id": "a b", "name": "Kept", "address": "x"})
    assert (wrong.status_code, 'value="Kept"' in wrong.text) == (422, True)


def test_a_changed_password_is_tried_before_it_replaces_the_old_one_and_the_mail_goes(acme):
    smtp_saved(acme)
    acme.server.passwords[ORDERS] = "the-new-one"
    entry = acme.queue("anna")
    acme.mailer.worker().run(drain=True)
    assert acme.mailer.queue.get(entry.key).state is not State.ACCEPTED
    petra = acme.browser("petra")
    wrong = petra.post("/company/password", {"smtp.password": "a typing error"})
    assert wrong.status_code == 422
    assert "It was not kept: the old one stays." in wrong.text
    right = petra.post("/company/password", {"smtp.password": "the-new-one"})
    assert right.headers["location"].endswith("done=password")
    acme.mailer.worker().run(drain=True)
    assert acme.mailer.queue.get(entry.key).state is State.ACCEPTED


def test_somebody_marries_and_what_waits_goes_along(acme):
    smtp_saved(acme)
    entry = acme.queue("anna")
    answer = acme.browser("petra").post("/users/anna/rename", {"id": "anna.lind"}, page="/users/anna")
    assert answer.headers["location"] == "/mail/users/anna.lind?done=renamed"
    assert acme.mailer.queue.get(entry.key).user == "anna.lind"


def test_somebody_leaves_and_what_waits_is_shown_first(acme):
    smtp_saved(acme)
    acme.queue("anna")
    petra = acme.browser("petra")
    page = petra.get("/users/anna/remove").text
    assert "has not left yet" in page
    assert "Invoice 1001" in page
    assert petra.post("/users/anna/remove", {}).headers["location"].endswith("done=removed")
    assert petra.get("/users/anna").status_code == 404


def test_the_stages_of_a_check_and_a_test_mail_to_oneself(acme):
    smtp_saved(acme)
    petra = acme.browser("petra")
    checked = petra.post("/company/check", {}).text
    assert 'class="ok"' in checked
    assert "That was all." in checked
    assert acme.server.taken == []
    petra.post("/company/test", {}, page="/company/check")
    assert [one.rcpt_tos for one in acme.server.taken] == [[ORDERS]]


def connected(acme, browser, path, grant, **agreed):
    """Connect as a browser would: leave for the provider, agree there, come back."""
    leave = browser.post(f"{path}/connect", {"grant": grant})
    url = leave.headers["refresh"].removeprefix("0; url=")
    assert re.search(r'href="[^"]*memory.invalid', leave.text)
    back = MemoryConnector.agree(url, **agreed)
    assert back.startswith("https://erp.acme.example/mail/connected?")
    return browser.get(back.removeprefix("https://erp.acme.example/mail"))


def test_connect_by_each_grant_and_disconnect(acme):
    petra = acme.browser("petra")
    petra.save("/company", {"method": "connected"})
    assert "Nobody has signed in yet" in petra.get("/company").text
    assert "never sends a mail twice" in petra.get("/company/connect").text
    for grant in Grant:
        assert f"Signed in as {ORDERS}" in connected(acme, petra, "/company", grant.value).text
        assert acme.mailer.connection().grant == grant.value
    assert petra.post("/company/disconnect", {}, page="/company").status_code == 303
    assert acme.mailer.connection() is None


def test_the_wrong_person_connects_and_nothing_is_kept(acme):
    petra = acme.browser("petra")
    petra.save("/company", {"method": "connected"})
    answer = connected(acme, petra, "/company", "send", as_whom="otto@acme.example")
    assert answer.status_code == 409
    assert f"otto@acme.example signed in, and the account is {ORDERS}" in answer.text
    assert acme.mailer.connection() is None


def test_anothers_sign_in_is_not_finished_and_a_stale_link_says_so(acme):
    """The redirect of one person, opened by another: login CSRF."""
    anna = acme.browser("anna")
    anna.save("/users/anna", {"settings": "personal", "method": "connected"})
    leave = anna.post("/users/anna/connect", {"grant": "send"})
    back = MemoryConnector.agree(leave.headers["refresh"].removeprefix("0; url="))
    path = back.removeprefix("https://erp.acme.example/mail")
    assert acme.browser("otto").get(path).status_code == 409
    assert f"Signed in as {ANNA}" in anna.get(path).text
    assert anna.get("/connected?state=nonsense&code=x").status_code == 409


def test_a_changed_method_lists_what_waits_and_lets_it_go(acme):
    """Rule 27: what shows the same address may go by the new account."""
    smtp_saved(acme)
    entry = acme.queue("anna")
    petra = acme.browser("petra")
    petra.save("/company", {"method": "none"})
    petra.save("/company", acme.smtp(**{"smtp.username": ORDERS, "smtp.password": SECRET}))
    page = petra.get("/company/waiting")
    assert page.status_code == 200
    petra.post("/company/waiting", {"key": ""})
    acme.mailer.worker().run(drain=True)
    assert acme.mailer.queue.get(entry.key).state is State.ACCEPTED
