"""`pillarbox demo`: a company and three users send real mail to a server on this computer."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ._app import State
from ._output import json_option, print_json, say


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave the server and the settings up to play with, until Ctrl-C.")
@json_option
@click.pass_obj
def command(state: State, keep: bool) -> int:
    """Start a mail server on this computer, set up a company and three users, and send a message for each.

    Nothing leaves this computer, and nothing stays on it. Exits with 0 only if what arrived is what had to arrive, else
    with 1.

    \b
    Examples:
      pillarbox demo
      pillarbox demo --keep
      pillarbox demo --json
    """
    server_class = _server_class()
    from ._demo_files import write
    from ._demo_story import told

    with (
        contextlib.ExitStack() as stack,
        tempfile.TemporaryDirectory(prefix="pillarbox-demo-") as folder,
        server_class() as server,
    ):
        url = stack.enter_context(_page(server)) if keep and not state.json else ""
        config = write(Path(folder), server.port, server.passwords)
        story = told(config, server, quiet=state.json)
        if state.json:
            print_json(story)
        if keep:
            _keep(state, config, server, url)
    return 1 if story["differences"] else 0


def _server_class() -> Any:
    """Return the server's class.

    Raises:
        Unavailable: The SMTP method is not installed.
        ModuleNotFoundError: aiosmtpd is not.
    """
    from .._plugins import Plugins

    _ = Plugins()["smtp"]
    from ._demo_server import DemoServer

    return DemoServer


_TRY = """
The server stays up, with these settings. In another terminal:

  export PILLARBOX_CONFIG={config}
  pillarbox explain anna
  pillarbox check otto
  pillarbox user set carl --method smtp --help
  pillarbox user set carl --method smtp --server 127.0.0.1 --port {port} \\
      --encryption none --username carl@acme.example \\
      --password-file {folder}/carl.password
  pillarbox send --user carl --to ap@customer.example --subject Hello

What arrives is shown here. Ctrl-C ends it, and removes the settings."""


@contextlib.contextmanager
def _page(server: Any) -> Iterator[str]:
    """Show what arrives on a page too, where pillarbox-web[devbox] is installed; give its address, or ""."""
    from .._errors import Unavailable
    from .._plugins import Plugins

    with contextlib.ExitStack() as stack:
        url = ""
        with contextlib.suppress(Unavailable):  # without its web server it is as if it were not there
            inbox = Plugins().inbox()
            if inbox is not None:
                url, server.show = stack.enter_context(inbox())
        yield url


def _keep(state: State, config: Path, server: Any, url: str) -> None:
    """Show what arrives, until somebody interrupts or ends this."""
    if not state.json:
        say(_TRY.format(config=config, folder=config.parent, port=server.port))
        say(f"And on a page: {url}" if url else "And on a page, with: pip install 'pillarbox-web[devbox]'")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shown = len(server.mails)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for mail in server.mails[shown:] if not state.json else ():
                say(f"  {mail.subject}: from {mail.shown}, signed in as {mail.signed_in_as}")
            shown = len(server.mails)
            time.sleep(0.2)
