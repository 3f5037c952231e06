"""The company's and a user's settings: what is typed is looked ahead at, saved, refused; nothing is lost, nothing secret shown."""

from __future__ import annotations

import pytest

from pillarbox import Actor, Company, Role, State
from tests.plugins.web.world import ANNA, ORDERS, SECRET

BY = Actor("petra", Role.ADMINISTRATOR)


def smtp_saved(acme, **more):
    return acme.browser("petra").save(
        "/company", acme.smtp(**{"smtp.username": ORDERS, "smtp.password": SECRET, **more})
    )


def test_an_administrator_sets_the_company_up_and_its_mail_goes(acme):
    """From the first page to a mail that a server has taken."""
    answer = smtp_saved(acme)
    assert (answer.status_code, answer.headers["location"]) == (303, "/mail/company?done=saved")
    company, _ = acme.directory.look_up(None)
    assert company.methods["smtp"].password.vault == "smtp"
    entry = acme.queue("anna")
    acme.mailer.worker().run(drain=True)
    assert acme.mailer.queue.get(entry.key).state is State.ACCEPTED
    assert acme.server.taken[0].mail_from == ANNA


def test_the_form_shows_what_is_saved_and_no_secret(acme):
    smtp_saved(acme)
    page = acme.browser("petra").get("/company").text
    assert f'value="{ORDERS}"' in page
    assert "It is kept, and never shown." in page
    assert SECRET not in page


def test_blank_keeps_the_password_and_another_server_wants_it_again(acme):
    """A password that was typed for one server is not given to another (rule 36)."""
    smtp_saved(acme)
    petra = acme.browser("petra")
    assert petra.save("/company", {"name": "Acme & Sons"}).status_code == 303
    answer = petra.save("/company", {"smtp.server": "smtp.evil.example"})
    assert answer.status_code == 422
    assert "is not given to a server it was not typed for" in answer.text
    assert acme.directory.look_up(None)[0].methods["smtp"].server == "127.0.0.1"


def test_every_mistake_stands_beside_its_field_and_nothing_typed_is_lost(acme):
    answer = smtp_saved(acme, **{"smtp.port": "99999", "name": "Acme <Ltd>", "address": "no address"})
    assert answer.status_code == 422
    for said in ('id="smtp-port-problem"', 'id="address-problem"', 'value="99999"', 'value="no address"'):
        assert said in answer.text
    assert "Acme &lt;Ltd&gt;" in answer.text
    assert SECRET not in answer.text
    assert acme.directory.look_up(None)[0].method == "none"


def test_a_password_that_was_typed_beside_a_mistake_is_remembered_for_its_owner_alone(acme):
    from tests.plugins.web.world import fields_of

    wrong = smtp_saved(acme, **{"smtp.port": "99999"})
    again = fields_of(wrong.text) | {"smtp.port": str(acme.server.port)}
    del again["token"]
    assert again["smtp.password"] == ""
    assert "remembered for ten minutes" in wrong.text
    assert acme.browser("petra-de").post("/company", again, page="/company").status_code == 303
    assert acme.mailer.lacking_secrets(acme.directory.look_up(None)[0]) == ()


def test_what_will_happen_is_shown_before_anything_is_saved(acme):
    petra = acme.browser("petra")
    typed = acme.smtp(
        **{"smtp.username": ORDERS, "smtp.password": SECRET, "name": "Acme Ltd", "address": ORDERS}
    )
    fragment = petra.post("/company/preview", typed, page="/company", **{"x-fragment": "foresight"})
    assert "Mail of Anna Berg leaves through SMTP" in fragment.text
    assert "<html" not in fragment.text
    whole = petra.post("/company/preview", typed, page="/company")
    assert "What will happen" in whole.text
    assert acme.directory.look_up(None)[0].method == "none"


def test_a_user_chooses_personal_and_an_unfinished_choice_is_refused_in_words(acme):
    anna = acme.browser("anna")
    answer = anna.save("/users/anna", {"settings": "personal", **acme.smtp(**{"smtp.server": ""})})
    assert answer.status_code == 422
    assert 'id="smtp-server-problem"' in answer.text
    done = anna.save(
        "/users/anna",
        {"settings": "personal", **acme.smtp(**{"smtp.username": ANNA, "smtp.password": SECRET})},
    )
    assert done.status_code == 303
    assert acme.mailer.explain("anna").account.owner == "user:anna"


def test_two_editors_are_told_and_the_second_loses_nothing(acme):
    petra = acme.browser("petra")
    first = {**_shown(petra, "/company"), "name": "Mine"}
    company, _ = acme.directory.look_up(None)
    acme.directory.save(
        Company(address=ORDERS, name="Theirs"),
        version=company.version,
        by=Actor("quirin", Role.ADMINISTRATOR),
    )
    answer = petra.post("/company", first)
    assert answer.status_code == 409
    assert "quirin changed this meanwhile (name)" in answer.text
    assert 'value="Mine"' in answer.text
    assert petra.post("/company", {**first, **_version(answer.text)}).status_code == 303
    assert acme.directory.look_up(None)[0].name == "Mine"


def test_a_user_cannot_set_what_is_an_administrators(acme):
    """A form that was written by hand changes nothing of it."""
    anna = acme.browser("anna")
    answer = anna.save("/users/anna", {"address": "ceo@acme.example", "name": "CEO", "disabled": "yes"})
    assert answer.status_code == 303
    _, saved = acme.directory.look_up("anna")
    assert (saved.address, saved.name, saved.disabled) == (ANNA, "Anna Berg", False)


@pytest.mark.parametrize("field", ["ca_file", "private_ca", "typed_by"])
def test_what_is_the_deployers_is_in_no_form_and_in_no_save(acme, field):
    petra = acme.browser("petra")
    assert f'name="smtp.{field}"' not in petra.get("/company").text
    assert smtp_saved(acme, **{f"smtp.{field}": "/etc/shadow"}).status_code == 303
    assert "/etc/shadow" not in str(acme.directory.look_up(None)[0])


def test_a_private_server_that_a_person_typed_is_refused_where_the_deployer_allows_none(tmp_path):
    """The pages can't be used to look around inside (rule 38): one wording for whatever is there."""
    from tests.plugins.web.world import world

    with world(tmp_path) as acme:
        acme.mailer._private = ()
        smtp_saved(acme)
        said = acme.browser("petra").post("/company/check", {}, page="/company/check").text
        assert 'class="fail"' in said
        assert acme.server.taken == []


def test_an_address_gets_a_suggestion_that_fills_the_form(acme):
    answer = acme.browser("petra").post(
        "/company/suggest", {"address": "anna@gmail.com", "name": "Acme"}, page="/company"
    )
    assert "smtp.gmail.com" in answer.text
    assert "Use this" in answer.text


def test_the_history_says_who_changed_what_and_no_secret(acme):
    smtp_saved(acme)
    page = acme.browser("petra").get("/company/history").text
    assert "petra" in page
    assert "smtp.password" in page
    assert SECRET not in page


def _shown(browser, path):
    from tests.plugins.web.world import fields_of

    return fields_of(browser.get(path).text)


def _version(page):
    from tests.plugins.web.world import fields_of

    return {"version": fields_of(page)["version"]}
