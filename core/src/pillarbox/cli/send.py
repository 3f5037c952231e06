"""`pillarbox send`: one message, now; or into the outbox."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from .._attachment import Attachment
from .._mail import CopyState, Receipt
from .._message import Message
from .._route import Route
from .._settings import desk_of
from ._app import State
from ._errors import NoInput
from ._moments import Moment
from ._output import clean, json_option, patience, plain, print_json, say, say_aside, show_refusals


@click.command("send")
@click.option("--user", metavar="USER", help="Who writes; without it the company does.")
@click.option(
    "--account", type=click.Choice(["company", "personal"]), help="Use this account, whatever the user chose."
)
@click.option("--to", multiple=True, metavar="ADDRESS", help="Who gets it. Can be given again.")
@click.option("--cc", multiple=True, metavar="ADDRESS", help="Who gets a copy. Can be given again.")
@click.option(
    "--bcc",
    multiple=True,
    metavar="ADDRESS",
    help="Who gets a copy, unseen by the others. Can be given again.",
)
@click.option("--reply-to", multiple=True, metavar="ADDRESS", help="Where answers go.")
@click.option("--subject", required=True, metavar="TEXT", help="The subject.")
@click.option("--text", metavar="TEXT", help="The text; - reads it from standard input.")
@click.option("--html", metavar="FILE", help="HTML to send beside the text, or instead of it.")
@click.option("--attach", multiple=True, metavar="FILE", help="A file to attach. Can be given again.")
@click.option("--header", multiple=True, metavar="'NAME: VALUE'", help="A header to add. Can be given again.")
@click.option("--reference", default="", metavar="TEXT", help="Your own number for the document; not sent.")
@click.option("--queue", is_flag=True, help="Keep it in the outbox, for a worker to send, and print its key.")
@click.option(
    "--key", metavar="TEXT", help="With --queue: your own name for it; the same again changes nothing."
)
@click.option(
    "--not-before",
    type=Moment(ahead=True),
    metavar="WHEN",
    help="With --queue: when it may leave: 2026-03-01T08:00, 2h.",
)
@click.option(
    "--priority",
    type=int,
    metavar="NUMBER",
    help="With --queue: the higher, the earlier in its account; 0 by default.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    help="Come back after this long in any case: 75 when nothing left, 70 when it isn't known.",
)
@click.option(
    "--transcript",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the conversation, redacted, to FILE, which must be new.",
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
    queue: bool,
    **given: Any,
) -> int:
    """Send a message now, by the account that the rules choose, and say what became of it.

    A recipient who is refused while others are taken is told on standard error; the exit code is 0 then. With --queue it is
    kept, durably, and sent by `pillarbox worker`.

    \b
    Examples:
      pillarbox send --user anna --to ap@customer.example --subject "Invoice 1001" --attach invoice.pdf
      echo "Good morning" | pillarbox send --to ap@customer.example --subject Hello --text -
      pillarbox send --queue --key INV-1001 --to ap@customer.example --subject "Invoice 1001" --attach invoice.pdf
    """
    from ._transcript import transcript_file

    state: State = ctx.obj
    _refuse_mixed(queue, given, deadline, transcript)
    message = _message(given)
    if queue:
        _enqueue(state, message, user, account, given)
        return 0
    mailer = state.mailer
    route = mailer.explain(user, account=account)
    started = time.monotonic()
    with transcript_file(transcript) as trace, patience("Sending ..."), _interruptible():
        receipt = mailer.send(message, user=user, account=account, deadline=deadline, trace=trace)
    _print(state, receipt, route, time.monotonic() - started)
    return 0


_QUEUED = ("key", "not_before", "priority")


def _refuse_mixed(queue: bool, given: dict[str, Any], deadline: float | None, transcript: str | None) -> None:
    """Refuse what belongs to the other way of sending."""
    alone = [name for name in _QUEUED if given[name] is not None]
    if alone and not queue:
        raise click.UsageError(f"--{alone[0].replace('_', '-')} goes with --queue.")
    if queue and (deadline is not None or transcript is not None):
        raise click.UsageError(
            "--deadline and --transcript are for a message that is sent now, without --queue."
        )


def _enqueue(state: State, message: Message, user: str | None, account: Any, given: dict[str, Any]) -> None:
    from ._entries import facts

    options = {name: given[name] for name in _QUEUED if given[name] is not None}
    entry = state.mailer.enqueue(message, user=user, account=account, **options)
    if state.json:
        print_json({"entry": facts(entry)})
    else:
        shown = entry.submission.from_header or "the mail program's own address"
        desk = desk_of(entry.account)
        at_desk = f" --user {desk}" if desk else ""
        say(f"Queued as {entry.key}. Shows {shown}. It is sent by: pillarbox worker{at_desk}")


def _message(given: dict[str, Any]) -> Message:
    """Return the message that the command line describes.

    Raises:
        NoInput: A file can't be read.
        MessageError: It can't be a message.
    """
    if not (given["to"] or given["cc"] or given["bcc"]):
        raise click.UsageError("Name a recipient: --to ADDRESS.")
    return Message(
        to=given["to"],
        cc=given["cc"],
        bcc=given["bcc"],
        reply_to=given["reply_to"],
        subject=given["subject"],
        text=_text(given["text"], has_html=given["html"] is not None),
        html=_decoded(_read(given["html"]), given["html"]) if given["html"] is not None else None,
        attachments=[Attachment(Path(path).name, _read(path)) for path in given["attach"]],
        headers=[_header(line) for line in given["header"]],
        reference=given["reference"],
    )


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise click.UsageError(f"--header takes 'NAME: VALUE', not {line!r}.")
    return name.strip(), value.strip()


def _text(given: str | None, *, has_html: bool) -> str | None:
    if given == "-":
        return _decoded(sys.stdin.buffer.read(), "Standard input")
    return given if given is not None or has_html else ""


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        problem = (said or "it has no such name").lower()
    raise NoInput(f"{clean(path)} can't be read: {problem}.")


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problem = f"{clean(name)} is not UTF-8 text."
    raise NoInput(problem)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Tell the truth about Ctrl-C: the message may have been handed over."""
    try:
        yield
    except KeyboardInterrupt:
        pass
    else:
        return
    raise click.Abort("Interrupted while sending: whether the message left is not known.")


def _say_copy(receipt: Receipt) -> None:
    """Tell where the sent copy is; that there is none is no part of the result."""
    if receipt.copy is not None:
        is_kept = receipt.copy.state not in {CopyState.FAILED, CopyState.UNCLEAR}
        (say if is_kept else say_aside)(clean(str(receipt.copy)))


_PORT = re.compile(r":[0-9]+\Z")


def _print(state: State, receipt: Receipt, route: Route, seconds: float) -> None:
    from .explain import as_json

    if state.json:
        print_json({"receipt": plain(receipt), "route": as_json(route), "seconds": round(seconds, 3)})
    else:
        via = state.plugins[route.account.method].describe(route.account.settings).via
        server = _PORT.sub("", via.partition(",")[0]) or route.account.method
        named = f" as {clean(receipt.reference)}" if receipt.reference else ""
        shown = receipt.sender or route.from_address or "the mail program's own address"
        say(f"Accepted by {server}{named} ({seconds:.1f} s). Shows {shown}.")
        _say_copy(receipt)
    show_refusals(receipt.refused)
