"""`pillarbox devbox`: catch every mail on this computer, and show it."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pillarbox import Unavailable
from pillarbox.cli import say

from ..opening import Key
from .box import Box

if TYPE_CHECKING:
    from pillarbox import Mailer

SMTP_PORT, PORT = 1025, 1080
_INSTALL = "pip install 'pillarbox-web[devbox]'"


@click.command("devbox")
@click.option(
    "--smtp-port",
    default=SMTP_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Where mail is caught; 0 takes a free port.",
)
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The page's port; 0 takes a free one.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write each mail to a file (.eml) here too.",
)
@click.option("--no-browser", is_flag=True, help="Only print the addresses.")
@click.pass_obj
def devbox(state: Any, smtp_port: int, port: int, keep: Path | None, no_browser: bool) -> None:
    """Catch every mail that a program sends, and show it on a page, until it is stopped (Ctrl-C). Nothing is sent on.

    It takes any user name and password, or none. The newest 500 mails are kept in memory, 64 MiB in all. With a settings file
    the page says why each went the way it went.

    \b
    Examples:
      pillarbox devbox
      pillarbox devbox --keep mails
      pillarbox --config acme.toml devbox --smtp-port 2525 --no-browser
    """
    box, mailer = Box(folder=_made(keep)), _mailer(state)
    with caught(box, smtp_port) as used, shown(box, port, mailer) as url:
        say(f"Mail is caught on 127.0.0.1:{used}, without encryption. Set it up so:")
        say(
            f"  pillarbox company set --method smtp --server 127.0.0.1 --port {used} --encryption none --no-authenticate"
        )
        say(f"It is shown at {url}")
        say("The address is good for one browser. Stop it with Ctrl-C.")
        if not no_browser:
            webbrowser.open(url)
        _wait()


def _wait() -> None:
    """Wait for Ctrl-C or SIGTERM, also where whoever started this ignores them."""
    over = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: over.set())
    while not over.wait(0.5):  # a wait without an end is deaf to signals on Windows
        pass


def _made(folder: Path | None) -> Path | None:
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"{folder} can't be made: {error.strerror}.", cure="Name another folder with --keep."
            ) from None
    return folder


def _mailer(state: Any) -> Mailer | None:
    """Return the mailer of the settings file, where there is one that can be used: it only says why."""
    if not Path(state.config).exists():
        return None
    mailer: Mailer = state.mailer
    return mailer


@contextlib.contextmanager
def caught(box: Box, port: int) -> Iterator[int]:
    """Catch mail into *box*, and give the port.

    Raises:
        Unavailable: aiosmtpd is not installed, or the port is taken.
    """
    try:
        from .catching import Catcher
    except ModuleNotFoundError:
        raise Unavailable("The inbox needs a mail server.", cure=_INSTALL) from None
    with _listening(port, "--smtp-port") as free:
        used: int = free.getsockname()[1]
    with Catcher(box, used):
        yield used


@contextlib.contextmanager
def shown(box: Box, port: int = 0, mailer: Mailer | None = None) -> Iterator[str]:
    """Show *box* on a page of this computer, and give the address for the browser.

    Raises:
        Unavailable: The web server is not installed, or the port is taken.
    """
    try:
        import uvicorn
    except ModuleNotFoundError:
        raise Unavailable("The page needs a web server.", cure=_INSTALL) from None
    from .application import devbox_app

    with _listening(port, "--port") as listening:
        key = Key(listening.getsockname()[1], "pillarbox devbox")
        pages = devbox_app(box, key=key, mailer=mailer)
        config = uvicorn.Config(pages, log_level="warning", access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="devbox", daemon=True
        )
        thread.start()
        try:
            yield key.url
        finally:
            server.should_exit = True
            thread.join(10)


@contextlib.contextmanager
def _listening(port: int, option: str) -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unavailable(
                f"Port {port} can't be used: {error.strerror}.",
                cure=f"Choose another with {option}; 0 takes a free one.",
            ) from None
        made.listen(128)  # before anybody is told: a browser is quicker than the server's start
        yield made


@contextlib.contextmanager
def inbox() -> Iterator[tuple[str, Any]]:
    """Give an address for the browser, and what puts a mail there: `pillarbox demo --keep` shows its mail so."""
    box = Box()
    with shown(box) as url:
        yield url, box.put
