"""A hostile mail before a real Chromium: its scripts do not run, nothing from elsewhere is asked for; axe on both pages."""

from __future__ import annotations

import socket

import pytest

from pillarbox_web.devbox.application import devbox_app
from pillarbox_web.devbox.box import Box
from pillarbox_web.opening import Key
from tests.plugins.web.browser.conftest import served
from tests.plugins.web.browser.looking import violations
from tests.plugins.web.browser.test_access import LOOKS

pytestmark = pytest.mark.services
MAIL = b"""Subject: <script>document.title='owned'</script>
From: a@b.example
Content-Type: text/html; charset=utf-8

<html lang="en"><title>x</title><p id="seen">Seen</p><script>top.document.title = "owned"; document.title = "owned"</script>
<img src="http://%s/tracked.png" alt=""><img src=x onerror="document.title='owned'" alt="">
<style>p { color: #0a0 } @import url("http://%s/style.css");</style>
<form action="http://%s/form"><button>go</button></form>
"""


@pytest.fixture
def tracker():
    """Somebody who wants to know who reads: their address, and what they were asked for."""
    asked = []

    async def answer(scope, receive, send):
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with served(answer) as port:
        yield f"127.0.0.1:{port}", asked


@pytest.mark.parametrize("look", LOOKS)
def test_a_hostile_mail_is_only_seen(chromium, look, tracker):
    box, (elsewhere, asked) = Box(), tracker
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        key = Key(listening.getsockname()[1])
        with served(devbox_app(box, key=key), listening):
            context = chromium.new_context(**LOOKS[look])
            page = context.new_page()
            page.goto(key.url)
            assert violations(page) == []
            box.put("a@b.example", ["c@d.example"], MAIL % ((elsewhere.encode(),) * 3))
            page.get_by_role("link", name="<script>").click()  # it appears by itself
            page.frame_locator("iframe").locator("#seen").wait_for()
            page.wait_for_timeout(300)
            assert page.title() != "owned"
            assert asked == []
            assert [one for one in violations(page) if "iframe" not in one] == []
            context.close()
