"""The pages on a real server, and people before a real Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

CHROMIUM = shutil.which("chromium")
OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--ignore-certificate-errors"]


@contextlib.contextmanager
def served(site: Any, listening: socket.socket | None = None) -> Iterator[int]:
    """Serve *site* on loopback, and give the port."""
    if listening is None:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(site, log_level="error", access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser's program; a missing one fails, since `.ci/install-servers` installs it."""
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "There is no chromium: run .ci/install-servers"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def person(chromium, acme):
    """Give `person("petra")`: a page at the first page of the host's settings."""
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(served(acme.site))

        def begins(who: str, **more: Any) -> Any:
            context = chromium.new_context(
                base_url=f"http://localhost:{port}", extra_http_headers={"x-who": who}, **more
            )
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.goto("/mail/")
            return page

        yield begins
