"""Who may, which forms are believed, what goes out with every answer: each page of the table, each role."""

from __future__ import annotations

import re

import pytest

from pillarbox_web.guard import LARGEST_FORM, Needs
from pillarbox_web.pages import PAGES
from tests.plugins.web.world import SECRET

ROUTES = [(page, method) for page in PAGES for method in page.methods]


def path_of(page, user="otto"):
    return page.path.replace("{user}", user).replace("{key}", "nothing")


@pytest.mark.parametrize(("page", "method"), ROUTES, ids=lambda one: getattr(one, "path", one))
@pytest.mark.parametrize("who", ["nobody", "anna", "petra"])
def test_each_page_is_open_to_whom_it_belongs_and_to_nobody_else(acme, page, method, who):
    """Otto's pages are Otto's and the administrator's; the company's are the administrator's; a stranger gets none."""
    browser = acme.browser(who)
    before = (acme.directory.look_up(None)[0].version, acme.directory.look_up("otto")[1].version)
    if method == "GET":
        answer = browser.get(path_of(page))
    else:
        token = "" if who == "nobody" else browser.token("/users/anna" if who == "anna" else "/users")
        answer = browser.client.post(f"/mail{path_of(page)}", data={"token": token}, headers=browser.headers)
    refused = who == "nobody" or (who == "anna" and page.needs is not Needs.SIGNED_IN)
    assert (answer.status_code in {401, 403}) is refused
    if refused:
        assert before == (acme.directory.look_up(None)[0].version, acme.directory.look_up("otto")[1].version)
        assert "otto@acme.example" not in answer.text


def test_a_refusal_does_not_tell_who_works_here(acme):
    anna = acme.browser("anna")
    there, not_there = anna.get("/users/otto"), anna.get("/users/nobody-of-that-name")
    same = [re.sub("otto|nobody-of-that-name", "X", one.text) for one in (there, not_there)]
    assert same[0] == same[1]
    assert there.status_code == not_there.status_code == 403


@pytest.mark.parametrize("page", [page for page in PAGES if "POST" in page.methods], ids=lambda one: one.path)
@pytest.mark.parametrize("case", ["no token", "another's token", "another site", "another origin"])
def test_a_form_that_these_pages_did_not_write_is_refused(acme, page, case):
    """Cross-site request forgery, on every page that takes a form."""
    petra = acme.browser("petra")
    token = {"no token": "", "another's token": acme.browser("otto").token("/users/otto")}.get(
        case, petra.token("/users")
    )
    extra = {
        "another site": {"sec-fetch-site": "cross-site"},
        "another origin": {"origin": "https://evil.example"},
    }
    answer = petra.client.post(
        f"/mail{path_of(page)}", data={"token": token}, headers={**petra.headers, **extra.get(case, {})}
    )
    assert answer.status_code == 403
    assert "This form was not written by these pages" in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/company", "/users", "/users/anna", "/outbox", "/nowhere", "/static/pages.css"]
)
def test_every_answer_carries_the_headers(acme, path):
    headers = acme.browser("petra").get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_no_page_has_script_or_style_inside(acme):
    """The policy would not run it; none is written."""
    for path in ("/", "/company", "/users", "/users/anna", "/outbox", "/company/check"):
        text = acme.browser("petra").get(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src)", text)


def test_the_cookie_is_guarded(acme):
    cookie = acme.browser("petra").get("/").headers["set-cookie"]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/mail"} <= set(cookie.split("; "))


def test_a_form_has_bounds(acme):
    petra = acme.browser("petra")
    assert petra.post("/company", {"name": "x" * LARGEST_FORM}).status_code == 413
    assert petra.post("/company", {f"f{n}": "" for n in range(600)}).status_code == 413


def test_a_token_is_good_for_one_browser(acme):
    mine, other = acme.browser("petra"), acme.browser("petra")
    token = mine.token("/company")
    other.get("/company")
    answer = other.client.post("/mail/company", data={"token": token}, headers=other.headers)
    assert answer.status_code == 403


def test_what_reaches_out_is_limited(acme):
    """Nobody looks around with the server-address field: tries run out."""
    petra = acme.browser("petra")
    answers = [petra.post("/company/check", {}).status_code for _ in range(8)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_nothing_secret_is_logged_or_in_an_error(acme, caplog):
    petra = acme.browser("petra")
    petra.save("/company", acme.smtp(**{"smtp.username": "x", "smtp.password": SECRET, "smtp.port": "0"}))
    petra.post("/company/password", {"smtp.password": SECRET}, page="/company")
    assert SECRET not in caplog.text
