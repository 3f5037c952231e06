"""`pillarbox web`: the pages on this computer alone."""

from __future__ import annotations

import socket
import webbrowser
from typing import Any

import click

from pillarbox import Unavailable
from pillarbox.cli import say


@click.command("web")
@click.option(
    "--port", default=0, type=click.IntRange(0, 65535), help="The port; 0 takes a free one.  [default: 0]"
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.pass_obj
def web(state: Any, port: int, no_browser: bool) -> None:
    """Open the settings as pages, in a browser on this computer, until it is stopped (Ctrl-C).

    Nobody else can reach them: they answer on loopback, to the key in the address, which is good once. Whoever uses them may
    do what the command may. A host mounts the same pages for its own users: see pillarbox_web.app.

    \b
    Examples:
      pillarbox web
      pillarbox --config acme.toml web --port 8765 --no-browser
    """
    try:
        import uvicorn
    except ModuleNotFoundError:
        raise Unavailable("The pages need a web server.", cure="pip install 'pillarbox-web[cli]'") from None
    from .application import app
    from .opening import Key

    mailer = state.mailer
    mailer.directory.look_up(None)  # a settings file that can't be used is told here, not on a page
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unavailable(
                f"Port {port} can't be used: {error.strerror}.",
                cure="Choose another with --port, or leave it out.",
            ) from None
        listening.listen(128)  # before anybody is told: a browser is quicker than the server's start
        key = Key(listening.getsockname()[1])
        # The address holds the key: the server's own log of requests would keep it.
        config = uvicorn.Config(app(mailer, key=key), log_level="warning", access_log=False, lifespan="off")
        say(f"The settings pages: {key.url}")
        say("The address is good for one browser. Stop them with Ctrl-C.")
        if not no_browser:
            webbrowser.open(key.url)
        uvicorn.Server(config).run(sockets=[listening])
