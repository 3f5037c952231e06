"""Each page, light and dark, wide and on a phone: WCAG 2.2 AA by axe, nothing cut off, and a picture to look at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.plugins.web.browser.looking import violations
from tests.plugins.web.test_settings import smtp_saved
from tests.plugins.web.world import ORDERS

pytestmark = pytest.mark.services

LOOKS = {
    "light": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
}
PICTURES = os.environ.get("PILLARBOX_PICTURES", "")
"""A folder that the pictures are kept in, for docs/_static/pages."""


def paths(acme):
    """Fill the company with something of everything, and return each page's name and path."""
    smtp_saved(acme)
    sent = [acme.queue("anna", reference=f"INV-{n}") for n in range(3)]
    acme.mailer.worker().run(drain=True)
    held = acme.queue("otto", reference="INV-4")
    acme.mailer.queue.hold(held.key, "The line broke after the message was handed over.")
    acme.queue("otto")
    return {
        "overview": "/",
        "company": "/company",
        "users": "/users",
        "user": "/users/anna",
        "remove": "/users/otto/remove",
        "history": "/company/history",
        "check": "/company/check",
        "password": "/company/password",
        "outbox": "/outbox",
        "mail": f"/outbox/{sent[0].key}",
        "held": f"/outbox/{held.key}",
        "waiting": "/company/waiting",
        "computers": "/users/anna/computers",
        "trouble": "/users/nobody",
    }


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_used_by_everybody(person, acme, look):
    known = paths(acme)
    page = person("petra", **LOOKS[look])
    found = {}
    for name, path in known.items():
        page.goto(f"/mail{path}")
        found[name] = violations(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found[name].append(f"{wide} pixels do not fit")
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{look}.png", full_page=True)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("look", LOOKS)
def test_so_can_those_that_come_of_a_deed(person, acme, look):
    """Mistakes, findings as they come, Connect."""
    smtp_saved(acme)
    page = person("petra", **LOOKS[look])
    found = {}

    def look_at(name):
        found[name] = violations(page)
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{look}.png", full_page=True)

    page.goto("/mail/company")
    page.get_by_role("textbox", name="Port", exact=True).fill("99999")
    page.get_by_role("button", name="Save").click()
    look_at("mistake")
    page.goto("/mail/company/check")
    page.get_by_role("button", name="Check now").click()
    page.get_by_text("That was all.").wait_for()
    look_at("checked")
    page.goto("/mail/company")
    page.get_by_role("radio", name="Memory").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Nobody has signed in yet").wait_for()
    look_at("unconnected")
    page.get_by_role("link", name="Connect").click()
    look_at("connect")
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("look", LOOKS)
def test_so_can_the_token_of_a_computer(person, acme, look):
    """It is shown once, and the list has what is needed to end it."""
    page = person("anna", **LOOKS[look])
    page.goto("/mail/users/anna/computers")
    page.get_by_label("Name of the computer").fill("the laptop")
    page.get_by_role("button", name="Make a token").click()
    page.locator(".secret").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"token-{look}.png", full_page=True)
    page.get_by_role("button", name="End it: the laptop").click()
    page.get_by_text("The token was ended.").wait_for()
    assert page.get_by_text("There is none yet.").is_visible()


def test_all_of_it_goes_by_the_keyboard(person, acme):
    """Tab reaches every control of the form in order, and each shows that it has the focus."""
    page = person("petra")
    page.goto("/mail/company")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()")
        )
    assert [one for one in reached if one in {"name", "address", "reply_to", "method", "suggest", "Save"}] == [
        "name", "address", "reply_to", "method", "suggest", "Save",
    ]  # fmt: skip
    outline = page.evaluate(
        "() => { document.querySelector('[name=address]').focus(); return getComputedStyle(document.activeElement).outlineStyle }"
    )
    assert outline == "solid"


def test_a_mistake_takes_the_focus_to_the_summary(person, acme):
    page = person("petra")
    page.goto("/mail/company")
    page.get_by_label("E-mail address").fill(ORDERS.replace("@", " "))
    page.get_by_role("button", name="Save").click()
    page.locator(".summary:focus").wait_for()
    assert page.locator("#address").get_attribute("aria-invalid") == "true"
