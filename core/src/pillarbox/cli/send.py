"""`pillarbox send`: one message, now."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from .._attachment import Attachment
from .._mail import Receipt
from .._message import Message
from .._route import Route
from ._app import State
from ._output import console, json_option, plain, print_json, say, show_refusals

NO_INPUT = 66
"""sysexits' EX_NOINPUT: a file can't be read."""


class InputError(click.ClickException):
    """A file that can't be read."""


@click.command("send")
@click.option("--user", metavar="USER", help="Who writes; without it the company does.")
@click.option(
    "--account", type=click.Choice(["company", "personal"]), help="Use this account, whatever the user chose."
)
@click.option("--to", multiple=True, metavar="ADDRESS", help="Can be given again, like --cc and --bcc.")
@click.option("--cc", multiple=True, metavar="ADDRESS")
@click.option("--bcc", multiple=True, metavar="ADDRESS")
@click.option("--reply-to", multiple=True, metavar="ADDRESS", help="Where answers go.")
@click.option("--subject", required=True)
@click.option("--text", metavar="TEXT", help="The text; - reads it from standard input.")
@click.option(
    "--html",
    "html_file",
    type=click.Path(),
    metavar="FILE",
    help="HTML to send beside or instead of the text.",
)
@click.option("--attach", multiple=True, type=click.Path(), metavar="FILE", help="Can be given again.")
@click.option("--header", multiple=True, metavar="'NAME: VALUE'", help="Can be given again.")
@click.option("--reference", default="", help="Your own number for the document; not sent.")
@click.option(
    "--deadline", type=click.FloatRange(0.1), metavar="SECONDS", help="Come back after this long in any case."
)
@click.option(
    "--transcript",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the conversation, redacted, to FILE.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    user: str | None,
    account: Any,
    deadline: float | None,
    transcript: str | None,
    **given: Any,
) -> int:
    """Send a message now, by the account that the rules choose, and say what became of it.

    \b
    Examples:
      pillarbox send --user anna --to ap@customer.example --subject "Invoice 1001" --attach invoice.pdf
      echo "Good morning" | pillarbox send --to ap@customer.example --subject Hello --text -
    """
    from ._transcript import transcript_file

    state: State = ctx.obj
    try:
        message = _message(given)
    except OSError as error:
        click.echo(
            f"{error.filename} can't be read: {(error.strerror or 'it is not text').lower()}.", err=True
        )
        return NO_INPUT
    mailer = state.mailer
    route = mailer.explain(user, account=account)
    started = time.monotonic()
    with transcript_file(transcript) as trace, _waiting():
        receipt = mailer.send(message, user=user, account=account, deadline=deadline, trace=trace)
    _print(state, receipt, route, mailer, time.monotonic() - started)
    return 0


def _message(given: dict[str, Any]) -> Message:
    headers = [tuple(part.strip() for part in line.partition(":")[::2]) for line in given["header"]]
    return Message(
        to=given["to"],
        cc=given["cc"],
        bcc=given["bcc"],
        reply_to=given["reply_to"],
        subject=given["subject"],
        text=_text(given["text"], has_html=given["html_file"] is not None),
        html=_read_text(given["html_file"]) if given["html_file"] else None,
        attachments=[Attachment.from_path(path) for path in given["attach"]],
        headers=headers,
        reference=given["reference"],
    )


def _text(given: str | None, *, has_html: bool) -> str | None:
    if given == "-":
        return sys.stdin.read()
    return given if given is not None or has_html else ""


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise OSError(0, "it is not UTF-8 text", path) from None


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    """Show on a terminal that something is going on."""
    if not sys.stderr.isatty():
        yield
        return
    with console(on_stderr=True).status("Sending ..."):
        yield


def _print(state: State, receipt: Receipt, route: Route, mailer: Any, seconds: float) -> None:
    from .explain import as_json

    if state.json:
        print_json({"receipt": plain(receipt), "route": as_json(route), "seconds": round(seconds, 3)})
    else:
        via = mailer.plugins[route.account.method].describe(route.account.settings).via
        server = via.partition(":")[0].partition(",")[0] or route.account.method
        named = f" as {receipt.reference}" if receipt.reference else ""
        shown = receipt.sender or route.from_address or "the mail program's own address"
        say(f"Accepted by {server}{named} ({seconds:.1f} s). Shows {shown}.")
    show_refusals(receipt.refused)
