"""First times: an administrator's and a user's, with scripts and without; two editors; Connect at a real provider."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pillarbox import State
from pillarbox_web import app
from pillarbox_web.opening import Key
from tests.oauth.browser import ALICE
from tests.oauth.conftest import provider, started_provider  # noqa: F401  (fixtures)
from tests.oauth.offices import METHODS, opened
from tests.plugins.web.browser.conftest import served
from tests.plugins.web.test_settings import smtp_saved
from tests.plugins.web.world import ANNA, ORDERS, SECRET

pytestmark = pytest.mark.services
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


def type_smtp(page, acme, username):
    page.get_by_role("radio", name="SMTP", exact=True).check()
    page.get_by_role("textbox", name="Server", exact=True).fill("127.0.0.1")
    page.get_by_role("combobox", name="Encryption", exact=True).select_option("none")
    page.get_by_role("textbox", name="Port", exact=True).fill(str(acme.server.port))
    page.get_by_role("textbox", name="Username", exact=True).fill(username)
    page.get_by_role("textbox", name="Password", exact=True).fill(SECRET)


@SCRIPTS
def test_an_administrator_for_the_first_time(person, acme, scripts):
    """From the first page, which says that nothing can be sent, to a test mail in the company's own mailbox."""
    page = person("petra", java_script_enabled=scripts)
    assert "can't be sent" in page.locator("#foresight").inner_text()
    page.get_by_role("link", name="Change the company's settings").click()
    type_smtp(page, acme, ORDERS)
    if scripts:
        page.locator("#foresight").get_by_text("Mail of Anna Berg leaves through SMTP").wait_for()
    else:
        page.get_by_role("button", name="Show what will happen").click()
        assert "Mail of Anna Berg leaves through SMTP" in page.locator("#foresight").inner_text()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page.get_by_role("link", name="Check it, or send a test mail").click()
    page.get_by_role("button", name="Send a test mail to myself").click()
    page.get_by_text("That was all.").wait_for()
    assert [(one.mail_from, one.rcpt_tos) for one in acme.server.taken] == [(ORDERS, [ORDERS])]
    assert SECRET not in page.content()


@SCRIPTS
def test_a_user_for_the_first_time(person, acme, scripts):
    """They see how their mail goes, choose an account of their own, and see how it goes now."""
    smtp_saved(acme)
    page = person("anna", java_script_enabled=scripts)
    assert f"showing Anna Berg <{ANNA}>" in page.locator("#foresight").inner_text()
    page.get_by_role("link", name="Change my settings").click()
    page.get_by_role("radio", name=re.compile("^Personal")).check()
    type_smtp(page, acme, ANNA)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert "e-mail setting is Personal" in page.locator("#foresight").inner_text()
    entry = acme.queue("anna")
    acme.mailer.worker().run(drain=True)
    assert acme.mailer.queue.get(entry.key).owner == "user:anna"
    page.goto("/mail/outbox")
    assert "accepted" in page.locator("main").inner_text()


def test_choosing_the_encryption_sets_the_port(person, acme):
    page = person("petra")
    page.goto("/mail/company")
    page.get_by_role("radio", name="SMTP", exact=True).check()
    port = page.get_by_role("textbox", name="Port", exact=True)
    assert port.get_attribute("placeholder") == "587"
    page.get_by_role("combobox", name="Encryption", exact=True).select_option("tls")
    assert (port.get_attribute("placeholder"), port.input_value()) == ("465", "")


def test_two_editors_are_told_and_nothing_is_lost(person, acme):
    first, second = person("petra"), person("petra")
    for page in (first, second):
        page.goto("/mail/company")
    first.get_by_role("textbox", name="Name", exact=True).fill("First")
    first.get_by_role("button", name="Save").click()
    first.get_by_text("Saved.").wait_for()
    second.get_by_role("textbox", name="Name", exact=True).fill("Second")
    second.get_by_role("button", name="Save").click()
    second.get_by_text("petra changed this meanwhile").wait_for()
    assert second.get_by_role("textbox", name="Name", exact=True).input_value() == "Second"
    second.get_by_role("button", name="Save").click()
    second.get_by_text("Saved.").wait_for()
    assert acme.directory.look_up(None)[0].name == "Second"


def test_what_a_server_or_a_colleague_wrote_runs_nothing(person, acme):
    """A name and a server's words with scripts in them; the browser's policy is not even asked."""
    smtp_saved(acme, name="<img src=x onerror=document.title='owned'>")
    page = person("petra")
    said = []
    page.on("console", lambda line: said.append(line.text))
    for path in ("", "company", "users", "outbox", "company/history"):
        page.goto(f"/mail/{path}")
        assert page.title() != "owned"
    assert [
        line for line in said if "Content Security Policy" in line or "Content-Security-Policy" in line
    ] == []


@pytest.mark.parametrize("method", METHODS)
def test_connect_at_a_real_provider_and_come_back(provider, chromium, tmp_path, method):  # noqa: F811
    """On this computer alone, as `pillarbox web` serves it: the redirect has no path (RFC 8252)."""
    desktop = {"m365": "desktop", "gmail": "googleDesktop"}[method]
    office = opened(provider, method, tmp_path, client=desktop)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        key = Key(listening.getsockname()[1])
        with office.mailer, served(app(office.mailer, key=key), listening):
            context = chromium.new_context(ignore_https_errors=True)
            page = context.new_page()
            page.goto(key.url)
            page.goto(f"http://localhost:{key.port}/company")
            page.get_by_text("Nobody has signed in yet").wait_for()
            page.get_by_role("link", name="Connect").click()
            page.get_by_role("radio", name=re.compile("Send and confirm")).check()
            page.get_by_role("button", name="Connect", exact=True).click()
            signs_in(page)
            page.get_by_text(f"Signed in as {ALICE}.").wait_for()
            context.close()
        connection = office.mailer.connection()
        assert (connection.address, connection.grant) == (ALICE, "confirm")


def signs_in(page):
    """Be Alice, on as many pages as the provider has."""
    from playwright.sync_api import Error

    for _ in range(100):
        try:
            step = page.evaluate("document.body ? document.body.dataset.step || '' : ''")
            if not step and page.url.startswith("http://localhost") and "/connect" not in page.url:
                return
            if step in {"sign-in", "admin"}:
                page.locator("[name=address]").fill(ALICE)
            if step:
                page.locator("button[name=go]").click()
        except Error as error:
            if "context was destroyed" not in str(error):  # the next page came meanwhile
                raise
        page.wait_for_timeout(100)
    raise AssertionError(f"the pages go on for ever: {page.url}")


def test_the_command_opens_the_pages_and_ends_at_once(chromium, tmp_path):
    """`pillarbox web`, as its user starts it, and Ctrl-C."""
    settings = tmp_path / "pillarbox.toml"
    pillarbox = [str(Path(sys.executable).with_name("pillarbox")), "--config", str(settings)]
    subprocess.run(
        [*pillarbox, "init", "--address", ORDERS, "--method", "none"], check=True, capture_output=True
    )
    settings.chmod(0o600)
    process = subprocess.Popen(
        [*pillarbox, "web", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        context = chromium.new_context()
        page = context.new_page()
        page.goto(url)
        page.get_by_role("heading", name="Mail of").wait_for()
        assert "key=" not in page.url
        page.get_by_role("link", name="Change the company's settings").click()
        page.get_by_role("textbox", name="Name", exact=True).fill("Acme Ltd")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved.").wait_for()
        assert 'name = "Acme Ltd"' in Path(settings).read_text("utf-8")
        context.close()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(15) in {0, 130}
        process.stdout.close()


def test_an_entry_in_doubt_is_settled_by_a_person(person, acme):
    smtp_saved(acme)
    entry = acme.queue("anna")
    acme.mailer.queue.hold(entry.key, "The line broke.")
    page = person("anna")
    page.get_by_role("link", name="To the outbox").click()
    page.get_by_role("link", name="Invoice 1001").click()
    page.get_by_role("button", name="It was sent").click()
    page.get_by_text("Nothing more is sent of it").wait_for()
    assert acme.mailer.queue.get(entry.key).state is State.ACCEPTED
