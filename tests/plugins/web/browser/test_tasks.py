"""Twelve tasks of people, each from the first page and by what the pages say alone; the steps are what the docs print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pillarbox import State
from pillarbox.testing import MemoryConnector
from tests.plugins.web.test_settings import smtp_saved
from tests.plugins.web.world import ANNA, ORDERS, SECRET

pytestmark = pytest.mark.services
DOCS = Path(__file__).parents[4] / "docs/explanation/pages.md"


class Hand:
    """Somebody's hand: each thing pressed, typed or chosen is a step."""

    def __init__(self, page):
        self.page, self.steps, self.signs_in_as = page, 0, [""]
        page.route("https://memory.invalid/**", self._provider)

    def _provider(self, route):
        """Be the provider's page, on which somebody is signed in already and agrees."""
        who = self.signs_in_as.pop(0) if len(self.signs_in_as) > 1 else self.signs_in_as[0]
        back = MemoryConnector.agree(route.request.url, as_whom=who)
        route.fulfill(status=303, headers={"Location": back})

    def press(self, name):
        self.steps += 1
        pattern = re.compile(f"^{re.escape(name)}$")
        found = self.page.get_by_role("link", name=pattern).or_(self.page.get_by_role("button", name=pattern))
        found.first.click()

    def type(self, label, text):
        self.steps += 1
        self.page.get_by_label(label, exact=True).filter(visible=True).first.fill(text)

    def pick(self, name):
        self.steps += 1
        self.page.get_by_role("radio", name=re.compile(f"^{re.escape(name)}")).check()

    def choose(self, label, value):
        self.steps += 1
        self.page.get_by_role("combobox", name=label, exact=True).select_option(value)

    def sees(self, text):
        self.page.get_by_text(text).first.wait_for()

    def types_smtp(self, acme, username):
        self.pick("SMTP")
        self.type("Server", "127.0.0.1")
        self.choose("Encryption", "none")
        self.type("Port", str(acme.server.port))
        self.type("Username", username)
        self.type("Password", SECRET)


def company_by_smtp(acme, person):
    hand = Hand(person("petra"))
    hand.press("Change the company's settings")
    hand.types_smtp(acme, ORDERS)
    hand.press("Save")
    hand.sees("Mail of Anna Berg leaves through SMTP")
    return hand


def company_connected(acme, person):
    hand = Hand(person("petra"))
    hand.press("Change the company's settings")
    hand.pick("Memory")
    hand.press("Save")
    hand.press("Connect")
    hand.press("Connect")
    hand.sees(f"Signed in as {ORDERS}")
    return hand


def user_by_smtp(acme, person):
    smtp_saved(acme)
    hand = Hand(person("anna"))
    hand.press("Change my settings")
    hand.pick("Personal")
    hand.types_smtp(acme, ANNA)
    hand.press("Save")
    hand.sees("e-mail setting is Personal")
    return hand


def user_connected(acme, person):
    smtp_saved(acme)
    hand = Hand(person("anna"))
    hand.press("Change my settings")
    hand.pick("Personal")
    hand.pick("Memory")
    hand.press("Save")
    hand.press("Connect")
    hand.press("Connect")
    hand.sees(f"Signed in as {ANNA}")
    return hand


def user_back_to_company(acme, person):
    user_by_smtp(acme, person)
    hand = Hand(person("anna"))
    hand.press("Change my settings")
    hand.pick("From company")
    hand.press("Save")
    hand.sees("e-mail setting is From company")
    return hand


def nothing_is_sent(acme, person):
    smtp_saved(acme)
    hand = Hand(person("petra"))
    hand.press("Change the company's settings")
    hand.pick("None")
    hand.press("Save")
    hand.sees("can't be sent")
    return hand


def somebody_is_new(acme, person):
    smtp_saved(acme)
    hand = Hand(person("petra"))
    hand.press("Users")
    hand.type("Id", "eva")
    hand.type("Name", "Eva Ott")
    hand.type("E-mail address", "eva@acme.example")
    hand.press("Add")
    hand.sees("Mail of Eva Ott leaves through SMTP")
    return hand


def somebody_leaves(acme, person):
    smtp_saved(acme)
    acme.queue("anna")
    hand = Hand(person("petra"))
    hand.press("Users")
    hand.press("Anna Berg")
    hand.press("Somebody leaves: remove this user")
    hand.sees("has not left yet")
    hand.press("Remove")
    hand.sees("The user was removed")
    return hand


def the_password_was_changed(acme, person):
    smtp_saved(acme)
    acme.server.passwords[ORDERS] = "another"
    entry = acme.queue("anna")
    acme.mailer.worker().run(drain=True)
    hand = Hand(person("petra"))
    hand.press("Change the company's settings")
    hand.press("The password was changed")
    hand.type("Password", "another")
    hand.press("Try it and keep it")
    hand.sees("The new password works")
    acme.mailer.worker().run(drain=True)
    assert acme.mailer.queue.get(entry.key).state is State.ACCEPTED
    return hand


def the_account_moves_to_another_method(acme, person):
    """Outlook is switched, say: what waits goes by the new account where it shows the same address."""
    smtp_saved(acme)
    entry = acme.queue("anna")
    hand = Hand(person("petra"))
    hand.press("Change the company's settings")
    hand.pick("Memory")
    hand.press("Save")
    hand.sees("1 mails were written for the account as it was before.")
    hand.press("Connect")
    hand.press("Connect")
    hand.press("To the overview")
    hand.press("Change the company's settings")
    hand.press("Look at them")
    hand.press("Let all go that may")
    hand.sees("It goes by the account as it is now.")
    assert acme.mailer.queue.get(entry.key).method == "connected"
    return hand


def the_wrong_person_connected(acme, person):
    hand = Hand(person("petra"))
    hand.signs_in_as = ["otto@acme.example", ""]
    hand.press("Change the company's settings")
    hand.pick("Memory")
    hand.press("Save")
    hand.press("Connect")
    hand.press("Connect")
    hand.sees(f"otto@acme.example signed in, and the account is {ORDERS}")
    hand.press("To the overview")
    hand.press("Change the company's settings")
    hand.press("Connect")
    hand.press("Connect")
    hand.sees(f"Signed in as {ORDERS}")
    return hand


def an_invoice_that_never_came(acme, person):
    smtp_saved(acme)
    acme.queue("anna", reference="INV-1001")
    acme.mailer.worker().run(drain=True)
    hand = Hand(person("anna"))
    hand.press("Outbox")
    hand.type("Document", "INV-1001")
    hand.press("Find")
    hand.press("Invoice 1001")
    hand.sees("accepted: 250 OK")
    return hand


TASKS = [
    company_by_smtp,
    company_connected,
    user_by_smtp,
    user_connected,
    user_back_to_company,
    nothing_is_sent,
    somebody_is_new,
    somebody_leaves,
    the_password_was_changed,
    the_account_moves_to_another_method,
    the_wrong_person_connected,
    an_invoice_that_never_came,
]


def printed():
    """Return the steps that the docs print, by task."""
    rows = re.findall(r"^\| ([^|]+) \|[^|]+\| (\d+) \|", DOCS.read_text("utf-8"), re.MULTILINE)
    return {name.strip(): int(steps) for name, steps in rows}


@pytest.mark.parametrize("task", TASKS, ids=lambda one: one.__name__)
def test_a_person_needs_no_manual(acme, person, task):
    hand = task(acme, person)
    name = task.__name__.replace("_", " ")
    print(f"{name}: {hand.steps} steps")
    assert printed()[name] == hand.steps
