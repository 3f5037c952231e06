"""How results are printed: sentences, columns and tables for people, JSON for programs."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import errno
import json
import os
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

from .._errors import PillarboxError

F = TypeVar("F", bound=Callable[..., Any])
PATIENCE = 1.0
"""Seconds after which a terminal is shown that something is going on."""
_DISK = {errno.ENOSPC, errno.EIO, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_ENDLESS = 100_000
"""The width of what is no terminal: nothing is folded there."""


class NotPrinted(PillarboxError):
    """The result can't be written to standard output (sysexits' EX_IOERR)."""

    exit_code = 74


def json_option(function: F) -> F:
    """Give a command `--json`, as the root command has it too."""

    def take(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.obj.json = True

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=take,
        is_eager=True,
        help="Print JSON, for programs.",
    )(function)


def plain(value: Any) -> Any:
    """Return *value* as JSON has it: attrs classes as objects, enums by value, moments in ISO 8601."""
    import attrs

    if attrs.has(type(value)):
        return {field.name: plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def print_json(value: Any) -> None:
    """Print *value* as one JSON document, which is UTF-8 whatever standard output's encoding is (RFC 8259 8.1)."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    say(json.dumps(plain(value), ensure_ascii=not is_utf8, indent=2))


def say(text: str = "") -> None:
    """Print a result's line on standard output.

    Raises:
        NotPrinted: Its disk is full, or gone.
    """
    try:
        click.echo(text)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        problem = (error.strerror or "").lower()
    else:
        return
    raise NotPrinted(f"What was done can't be printed: {problem}.")


def say_aside(text: str) -> None:
    """Print a line that is no result, on standard error."""
    click.echo(text, err=True)


def clean(text: str) -> str:
    """Return *text*, of whatever origin, as one line that can't steer a terminal."""
    return "".join(one if one.isprintable() else " " if one.isspace() else "" for one in text)


def show_refusals(answers: Mapping[str, Any]) -> None:
    """Print a line on standard error for each recipient who was refused."""
    from .._mail import AnswerState

    for who, answer in answers.items():
        if answer.state is not AnswerState.ACCEPTED:
            say_aside(clean(f"{who} was {answer.state.value}: {answer.code} {answer.said}".rstrip()))


def width() -> int:
    """Return how many columns standard output has: a terminal's, or endless ones."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _ENDLESS


def columns(rows: Sequence[tuple[str, str]], *, gap: int = 2) -> list[str]:
    """Return *rows* of two columns as lines; what is too long for the terminal goes on below, in its column."""
    rows = [(clean(left), clean(right)) for left, right in rows]
    indent = max((len(left) for left, _ in rows), default=0) + gap
    lines = []
    for left, right in rows:
        first, *rest = folded(right, width() - indent)
        lines.append(f"{left:<{indent}}{first}".rstrip())
        lines += [" " * indent + line for line in rest]
    return lines


def folded(text: str, room: int) -> list[str]:
    """Return *text* in lines of at most *room* columns, at least one; a room too narrow for words folds nothing."""
    if room < 20 or len(text) <= room:
        return [text]
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]


def print_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table that fits the terminal; where there is none, each row is one line."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(*head, box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for row in rows:
        table.add_row(*(Text(clean(str(cell))) for cell in row))
    screen = console()
    with screen.capture() as drawn:
        screen.print(table)
    for line in drawn.get().splitlines():
        say(line.rstrip())


def console(*, on_stderr: bool = False) -> Any:
    """Return rich's console for standard output, or standard error."""
    from rich.console import Console

    stream = sys.stderr if on_stderr else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else _ENDLESS)


@contextlib.contextmanager
def patience(text: str) -> Iterator[None]:
    """Show *text* on a terminal's standard error when the block takes longer than a second, until it ends."""
    if not sys.stderr.isatty():
        yield
        return
    shown: list[Any] = []
    timer = threading.Timer(PATIENCE, _show_waiting, (text, shown))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for status in shown:
            status.stop()


def _show_waiting(text: str, shown: list[Any]) -> None:
    status = console(on_stderr=True).status(text)
    shown.append(status)
    status.start()


def label(text: str, style: str) -> str:
    """Return *text* coloured where the terminal takes colour (and NO_COLOR is not set)."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=style)
