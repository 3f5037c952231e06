"""How results and errors are printed: sentences and tables for people, JSON for programs."""

from __future__ import annotations

import datetime as dt
import enum
import functools
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from .._errors import PillarboxError, SendError

F = TypeVar("F", bound=Callable[..., Any])


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
    """Print *value* as one JSON document."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def show_error(error: PillarboxError, *, as_json: bool, kind: str = "", code: int | None = None) -> None:
    """Say what went wrong: on standard error, and with `--json` as the one document on standard output."""
    if as_json:
        print_json(
            {"error": _fields(error, kind or type(error).__name__, error.exit_code if code is None else code)}
        )
        return
    click.echo(str(error), err=True)
    if isinstance(error, SendError):
        show_refusals(error.recipients)


def _fields(error: PillarboxError, kind: str, code: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": kind, "detail": error.detail, "cure": error.cure, "exit": code}
    for name in ("problems", "code", "stage", "recipients", "retry_after", "owner", "method"):
        if hasattr(error, name):
            fields[name] = getattr(error, name)
    return fields


def show_refusals(answers: Mapping[str, Any]) -> None:
    """Print a line on standard error for each recipient who was refused."""
    from .._mail import AnswerState

    for who, answer in answers.items():
        if answer.state is not AnswerState.ACCEPTED:
            click.echo(f"{who} was {answer.state.value}: {answer.code} {answer.said}".rstrip(), err=True)


def print_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table that fits the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(*head, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console().print(table)


@functools.cache
def console(*, on_stderr: bool = False) -> Any:
    """Return rich's console for standard output, or standard error."""
    from rich.console import Console

    return Console(stderr=on_stderr, highlight=False, soft_wrap=not sys.stdout.isatty())


def label(text: str, style: str) -> str:
    """Return *text* coloured where the terminal takes colour (and NO_COLOR is not set)."""
    import os

    return text if os.environ.get("NO_COLOR") else click.style(text, fg=style)


def say(text: str = "") -> None:
    """Print a line."""
    click.echo(text)
