"""The door of this computer, limits, what was typed a moment ago, languages, the chart, the application's own arguments."""

from __future__ import annotations

import ast
import datetime as dt
import html
import re
from importlib.resources import files
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pillarbox import Plugins, Role
from pillarbox.settings import form
from pillarbox_web import Person, app
from pillarbox_web.limiting import Limits
from pillarbox_web.opening import Key
from pillarbox_web.site import commands
from pillarbox_web.stash import KEPT, Stash
from pillarbox_web.visit import DONE
from pillarbox_web.words import languages, preferred, words
from tests.plugins.web.test_settings import smtp_saved


@pytest.fixture
def here(acme):
    key = Key(8765)
    site = app(acme.mailer, key=key)
    return key, lambda **more: TestClient(
        site, base_url="http://localhost:8765", client=("127.0.0.1", 50000), follow_redirects=False, **more
    )


def test_the_key_is_good_once_and_becomes_a_cookie_at_once(here):
    key, browser = here
    mine, other = browser(), browser()
    answer = mine.get(key.url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert mine.get("/").status_code == 200
    assert mine.get("/company").status_code == 200
    assert other.get(key.url).status_code == 403
    assert other.get("/company").status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example:8765", "localhost", "localhost:80", "127.0.0.1.evil.example:8765", ""]
)
def test_another_name_for_this_computer_gets_nothing(here, host):
    """DNS rebinding: the page of an attacker whose name points here."""
    key, browser = here
    mine = browser()
    mine.get(key.url)
    assert mine.get("/company", headers={"host": host}).status_code == 421


def test_another_computer_gets_nothing(acme):
    key = Key(8765)
    far = TestClient(app(acme.mailer, key=key), base_url="http://localhost:8765", client=("192.0.2.7", 50000))
    assert far.get(key.url).status_code == 403


def test_the_key_is_in_no_repr():
    key = Key(1)
    assert key.url.partition("key=")[2] not in repr(key)


def test_an_application_says_who_asks_or_serves_this_computer(acme):
    with pytest.raises(ValueError, match="Give identify"):
        app(acme.mailer)
    with pytest.raises(ValueError, match="at least 16"):
        app(acme.mailer, lambda _: None, secret=b"short")
    with pytest.raises(ValueError, match="origins"):
        app(acme.mailer, lambda _: None, frame_ancestors=["https://a.example; script-src *"])
    with pytest.raises(ValueError, match="needs the id"):
        Person()


def test_a_host_may_frame_the_pages_and_identify_may_be_a_coroutine(acme):
    async def identify(request):
        return Person(user="anna")

    site = app(acme.mailer, identify, frame_ancestors=["https://erp.acme.example"])
    headers = TestClient(site).get("/").headers
    assert "frame-ancestors https://erp.acme.example" in headers["content-security-policy"]
    assert "x-frame-options" not in headers


def test_tries_come_back_with_time():
    now = [0.0]
    limits = Limits(lambda: now[0])
    waits = [limits.seconds_to_wait("test", "anna") for _ in range(4)]
    assert waits == [0, 0, 0, 30.0]
    assert limits.seconds_to_wait("test", "otto") == 0
    now[0] = 31
    assert limits.seconds_to_wait("test", "anna") == 0


def test_what_was_typed_is_forgotten_and_is_nobody_elses():
    now = [0.0]
    stash = Stash(lambda: now[0])
    name = stash.put("anna", {"smtp.password": "x"})
    assert stash.get("otto", name) == {}
    assert stash.get("anna", name) == {"smtp.password": "x"}
    now[0] = KEPT + 1
    assert stash.get("anna", name) == {}


def sentences():
    """Return every sentence that the pages say by themselves."""
    package = Path(str(files("pillarbox_web")))
    found = set(DONE.values())
    for template in (package / "templates").glob("*.html"):
        found |= set(re.findall(r'\bt\("((?:[^"\\]|\\.)*)"', template.read_text("utf-8")))
        found |= set(re.findall(r"\bt\('((?:[^'\\]|\\.)*)'", template.read_text("utf-8")))
    for module in package.glob("**/*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "words"
            ):
                found |= {one.value for one in node.args if isinstance(one, ast.Constant)}
    return found


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_a_language_has_every_sentence_with_the_same_gaps(language):
    known = words(language).known
    assert sentences() - set(known) == set()
    for english, said in known.items():
        assert sorted(re.findall(r"\{[a-z_]+\}", english)) == sorted(re.findall(r"\{[a-z_]+\}", said)), (
            english
        )


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
@pytest.mark.parametrize("method", ["smtp", "m365", "gmail", "mapi"])
def test_a_language_has_every_field_of_our_methods(language, method):
    """What only a deployer sets stands on no page."""
    known = words(language).known
    said = [
        text
        for field in form(Plugins()[method].settings_class())
        if field.set_by is not Role.DEPLOYER
        for text in (field.label, field.help, *field.choices)
    ]
    assert [text for text in said if text and text not in known] == []


def test_german_pages_are_german(acme):
    """No word of core's is left in English where somebody sets up SMTP, checks it, and looks at what waits."""
    smtp_saved(acme)
    acme.queue("anna")
    acme.mailer.queue.hold(acme.queue("otto").key, "A look found that it was sent.")
    petra, left = acme.browser("petra-de"), []
    records = ("/company", "/users/anna", "/company/password", "/company/waiting", "/company/history")
    mails = [f"/outbox/{one.key}" for one in acme.mailer.queue.list()]
    acme.server.passwords.clear()
    for path in (
        "/",
        *records,
        "/users",
        "/users/otto/remove",
        "/users/anna/computers",
        "/outbox",
        *mails,
        "/company/check",
    ):
        answer = petra.post(path, {}) if path.endswith("check") else petra.get(path)
        text = html.unescape(
            re.sub(r"<(code|pre|script).*?</\1>|<[^>]+>", "\n", answer.text, flags=re.DOTALL)
        )
        left += [line.strip() for line in text.splitlines() if ENGLISH.search(re.sub(r"`[^`]*`", "", line))]
    assert [line for line in left if line != "Where in memory the messages are put."] == []


ENGLISH = re.compile(r"\b(the|is|are|by|of|and|for|that|with|which|from|not|mail to|waits?)\b")
"""Words that no German sentence has."""


def test_several_sentences_are_told_each_by_itself():
    """Also where a gap could swallow the next."""
    known = words("de")
    said = known.told(
        "Waiting since 14:03 for the settings to be mended. Something strange. 2 mails wait, nothing is lost."
    )
    assert said.startswith("Wartet seit 14:03 darauf")
    assert said.endswith("Something strange. 2 Mails warten, nichts ist verloren.")


def test_a_browser_gets_its_language_and_a_person_theirs(acme):
    assert 'lang="de"' in acme.browser("petra", **{"accept-language": "fr, de;q=0.9"}).get("/").text
    assert 'lang="de"' in acme.browser("petra-de").get("/").text
    assert preferred("de;q=x, xx, ;;;") == "en"


def test_a_sentence_of_core_is_told_with_its_gaps_filled():
    said = words("de").told("Anna Berg's e-mail setting is From company")
    assert said != "Anna Berg's e-mail setting is From company"
    assert "Anna Berg" in said


def test_commands_in_a_sentence_are_set_off_and_the_rest_is_escaped():
    assert commands("<b> Use: pillarbox user set otto --method smtp") == (
        "&lt;b&gt; Use: <code>pillarbox user set otto --method smtp</code>"
    )


def test_the_chart_is_empty_without_mail():
    from pillarbox_web.chart import chart

    assert chart([], dt.datetime.now(dt.UTC)).bars == ()
