"""The development inbox: what a program sends is caught, bounded, read whatever it is, and shown without harm."""

from __future__ import annotations

import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pillarbox import Company, Mailer, MemoryDirectory, Message, User
from pillarbox_web.devbox.application import devbox_app
from pillarbox_web.devbox.box import Box, Caught
from pillarbox_web.devbox.command import caught
from pillarbox_web.devbox.reading import document, read
from pillarbox_web.devbox.why import why

HTML = """<p>Hello <img src="cid:logo"><img src="https://tracker.example/x.png">
<script>document.title = "owned"</script><a href="javascript:alert(1)">x</a></p>"""


def mail(**more) -> bytes:
    made = EmailMessage()
    for name, value in {"From": "Anna Berg <anna@acme.example>", "Subject": "Größe", **more}.items():
        made[name] = value
    made.set_content("Plain words.")
    made.add_alternative(HTML, subtype="html")
    made.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<logo>")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../../Rechnung 1.pdf")
    return made.as_bytes()


def sends(port):
    """Return a company that sends by the inbox."""
    smtp = {"server": "127.0.0.1", "port": port, "encryption": "none", "authenticate": False}
    company = Company(address="orders@acme.example", method="smtp", methods={"smtp": smtp})
    return Mailer(MemoryDirectory(company, [User(id="anna", address="anna@acme.example", name="Anna Berg")]))


def test_what_pillarbox_sends_is_caught_with_its_hidden_recipients_and_why(box):
    """Over a real connection."""
    with caught(box, 0) as port, sends(port) as mailer:
        mailer.send(
            Message(to=["ap@customer.example"], bcc=["boss@acme.example"], subject="Invoice", text="Hi"),
            user="anna",
        )
        (one,) = box.all()
        assert one.rcpt_tos == ("ap@customer.example", "boss@acme.example")
        reasons = [reason.text for reason in why(read(one), mailer)]
        assert reasons[0] == "Anna Berg's e-mail setting is From company"
    assert "It shows anna@acme.example" in [reason.text for reason in why(read(one), None)]


def test_a_mail_is_shown_with_all_its_parts(box, browser):
    one = box.put("anna@acme.example", ["ap@customer.example"], mail())
    page = browser.get(f"/mail/{one.id}").text
    for said in (
        "Größe",
        "Plain words.",
        "RCPT TO:&lt;ap@customer.example&gt;",
        "1 thing from elsewhere not loaded",
    ):
        assert said in page
    part = re.search(r'href="([^"]+/part/\d+)">(_\.\._Rechnung 1\.pdf|[^<]*Rechnung 1\.pdf)<', page)
    answer = browser.get(part[1])
    assert answer.content == b"%PDF"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "/" not in answer.headers["content-disposition"].partition("''")[2]
    assert "Subject:" in browser.get(f"/mail/{one.id}/source").text


def test_the_html_can_do_nothing(box, browser):
    """Its own pictures, no script, nothing from elsewhere; our own pages let no style of it in."""
    one = box.put("a@b.example", ["c@d.example"], mail())
    answer = browser.get(f"/mail/{one.id}/html")
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "data:image/png;base64,iVBORw==" in answer.text
    page = browser.get(f"/mail/{one.id}")
    assert '<iframe class="mail" sandbox title' in page.text
    assert "<script>document" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]


def test_it_is_found_listed_for_programs_and_forgotten(box, browser):
    one = box.put("a@b.example", ["c@d.example"], mail(To="c@d.example"))
    box.put("a@b.example", ["z@d.example"], b"Subject: other\r\n\r\nx")
    assert "Größe" in browser.get("/", params={"search": "GRÖSSE".lower().replace("ss", "ß")}).text
    assert "Größe" not in browser.get("/", params={"search": "other"}).text
    listed = browser.get("/messages.json").json()
    assert [one["subject"] for one in listed] == ["other", "Größe"]
    token = re.search(r'name="token" value="([^"]+)"', browser.get("/").text)[1]
    assert browser.post(f"/mail/{one.id}/delete", data={"token": "x"}).status_code == 403
    assert (
        browser.post("/clear", data={"token": token}, headers={"sec-fetch-site": "cross-site"}).status_code
        == 403
    )
    assert browser.post(f"/mail/{one.id}/delete", data={"token": token}).status_code == 303
    assert browser.get(f"/mail/{one.id}").status_code == 404
    browser.post("/clear", data={"token": token})
    assert box.all() == []


def test_the_box_is_bounded():
    """By number and by octets; the oldest go."""
    box = Box(mails=3, octets=100)
    for number in range(5):
        box.put("a", ["b"], b"x" * 10 * number)
    assert [one.id for one in box.all()] == [5, 4, 3]
    box.put("a", ["b"], b"x" * 1_000)
    assert len(box.all()) == 1


BROKEN = {
    "empty": b"",
    "no header": b"\r\n\r\nbody",
    "nul in a charset": b"Content-Type: text/plain; charset=\x00utf\r\nSubject: =?\x00?q?x?=\r\n\r\nx",
    "unknown charset": b"Subject: =?klingon?b?AAAA?=\r\nContent-Type: text/html; charset=klingon\r\n\r\n\xff",
    "bad base64": b"Content-Transfer-Encoding: base64\r\n\r\n=====!",
    "deep": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1_500)
    ),
    "many parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 10_000,
    "a mail inside": b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx",
    "rfc822 and base64": b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
    "header of 100 KB": b"Subject: " + b"x" * 100_000 + b"\r\n\r\nx",
    "bare CR": b"Subject: a\rb: c\r\n\r\nx",
    "half a character": b"Content-Type: text/html; charset=utf-7\r\n\r\n+2AA-",
    "python's own codec": b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\ud800 \\q",
    "a gap without end": b"Content-Type: text/html\r\n\r\n<img src="
    + b" " * 300_000
    + b"url("
    + b" " * 300_000,
    "parameters without end": b"Content-Type: text/plain" + b"; a=1" * 200_000 + b"\r\n\r\nx",
    "words without end": b"Subject: " + b"=?a?q?" * 50_000 + b"\r\n\r\nx",
    "name with tricks": b"Content-Disposition: attachment; filename*=utf-16''%FF%FE\r\nContent-Type: x/y\r\n\r\nx",
}


AS_DATA = ("/messages.json", "/messages/{}.json", "/messages/{}.eml")


@pytest.mark.parametrize("case", BROKEN)
def test_no_mail_is_too_broken_to_be_shown(box, browser, case):
    one = box.put("a@b.example", ["c@d.example"], BROKEN[case])
    began = time.monotonic()
    for path in (f"/mail/{one.id}", f"/mail/{one.id}/html", f"/mail/{one.id}/source", "/", *AS_DATA):
        assert browser.get(path.format(one.id)).status_code == 200
    assert time.monotonic() - began < 10  # what grows with the square of a mail's size takes minutes


def test_a_mail_of_too_many_parts_says_so(box, browser):
    one = box.put("a@b.example", ["c@d.example"], BROKEN["many parts"])
    assert "Only its first 200 parts are shown" in browser.get(f"/mail/{one.id}").text


def test_an_envelope_of_octets_that_are_no_text_is_shown(box, browser):
    with caught(box, 0) as port, socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(b"EHLO x\r\nMAIL FROM:<\xff@b.example>\r\nRCPT TO:<\xfe@d.example>\r\nDATA\r\n")
        wire.sendall(b"Subject: s\r\n\r\nx\r\n.\r\nQUIT\r\n")
        wire.makefile("rb").read()  # until it hangs up
    assert "\\udcff@b.example" in browser.get("/mail/1").text
    assert browser.get("/").status_code == 200


def test_a_picture_named_often_is_put_in_within_bounds():
    """Else a small mail would be a page that fills the memory."""
    letter = read(Caught(id=1, octets=mail().replace(b"cid:logo", b"cid:logo cid:logo cid:logo cid:logo")))
    made = document(letter, most=100)
    assert 0 < made.count("data:image/png") < 4
    assert "cid:logo" in made


def test_a_mail_is_unread_until_its_page_was_seen(box, browser):
    one = box.put("a@b.example", ["c@d.example"], mail())
    assert 'class="unread"' in browser.get("/").text
    assert browser.get(f"/messages/{one.id}.json").json()["unread"]
    browser.get(f"/mail/{one.id}")
    assert 'class="unread"' not in browser.get("/").text
    assert not browser.get(f"/messages/{one.id}.json").json()["unread"]


def test_programs_get_one_mail_whole_and_those_after_a_number(box, browser):
    one = box.put("a@b.example", ["c@d.example"], mail())
    known = browser.get(f"/messages/{one.id}.json").json()
    assert (known["subject"], known["remote"]) == ("Größe", 1)
    assert "It shows anna@acme.example" in [reason["text"] for reason in known["why"]]
    answer = browser.get(f"/messages/{one.id}.eml")
    assert answer.content == one.octets
    assert answer.headers["content-disposition"] == 'attachment; filename="mail-1.eml"'
    assert browser.get("/messages.json", params={"after": one.id}).json() == []
    for number in ("99", "9" * 5_000):
        assert browser.get(f"/messages/{number}.json").status_code == 404


def test_a_mail_that_cannot_be_written_is_not_taken(tmp_path):
    """The program hears why, and may try again."""
    box = Box(folder=tmp_path / "gone")
    with caught(box, 0) as port, smtplib.SMTP("127.0.0.1", port) as client:
        taken = pytest.raises(smtplib.SMTPDataError, match="--keep")
        with taken:
            client.sendmail("a@b.example", ["c@d.example"], "Subject: s\r\n\r\nx")
    assert box.all() == []


HEADER = st.sampled_from(
    [
        b"Subject: ",
        b"Content-Type: ",
        b"Content-Type: text/html; charset=",
        b"Content-Transfer-Encoding: ",
        b"From: ",
        b"Content-Disposition: ",
        b"Content-ID: ",
    ]
)


@given(st.lists(st.tuples(HEADER, st.binary(max_size=60)), max_size=4), st.binary(max_size=200))
def test_whatever_came_is_shown(headers, body):
    octets = b"".join(name + value + b"\r\n" for name, value in headers) + b"\r\n" + body
    box = Box()
    box.put("a@b.example", ["c@d.example"], octets)
    browser = TestClient(devbox_app(box))
    for path in ("/mail/1", "/mail/1/html", "/mail/1/source", "/mail/1/part/0", "/messages/1.json"):
        assert browser.get(path).status_code in {200, 404}


def test_the_page_is_this_computers_alone(box):
    from pillarbox_web.opening import Key

    key = Key(1080)
    browser = TestClient(
        devbox_app(box, key=key),
        base_url="http://localhost:1080",
        client=("127.0.0.1", 5),
        follow_redirects=False,
    )
    assert browser.get("/").status_code == 403
    browser.get(key.url)
    assert browser.get("/").status_code == 200
    assert browser.get("/", headers={"host": "evil.example:1080"}).status_code == 421


def test_the_command_catches_a_mail_and_ends(tmp_path):
    """As its user starts it; another program sends."""
    pillarbox = str(Path(sys.executable).with_name("pillarbox"))
    process = subprocess.Popen(
        [pillarbox, "devbox", "--smtp-port", "0", "--port", "0", "--keep", "kept", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        port = int(re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())[1])
        with sends(port) as mailer:
            receipt = mailer.send(Message(to=["a@customer.example"], subject="s", text="t"))
        assert "it goes nowhere" in str(receipt)
        (kept,) = (tmp_path / "kept").glob("*.eml")
        assert b"Subject: s" in kept.read_bytes()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(15) in {0, 130}
        process.stdout.close()


def test_the_demo_shows_its_mail_on_a_page_where_it_is_installed(tmp_path):
    pillarbox = str(Path(sys.executable).with_name("pillarbox"))
    process = subprocess.Popen(
        [pillarbox, "demo", "--keep"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        url = next(found[1] for line in process.stdout if (found := re.search(r"And on a page: (\S+)", line)))
        import httpx2

        with httpx2.Client(follow_redirects=True) as client:
            assert client.get(url).status_code == 200
            subjects = [one["subject"] for one in client.get(f"{url.partition('?')[0]}messages.json").json()]
        assert subjects == ["Invoice 1001 from otto", "Invoice 1001 from anna"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        process.stdout.close()
