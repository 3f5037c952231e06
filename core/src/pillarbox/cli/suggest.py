"""`pillarbox suggest`: which method fits an address, with its settings and the command that would set them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import click

from .._errors import MessageError
from .._plugins import Plugins
from .._route import Suggestion, Suggestions
from .._suggestion import suggest
from ._app import State
from ._fields import described, flag_of
from ._output import clean, columns, folded, json_option, label, patience, plain, print_json, say, width

_INDENT = "     "


@click.command("suggest")
@click.argument("address")
@click.option(
    "--user", metavar="USER", help="Show the commands for this user's own account, not the company's."
)
@click.option("--offline", is_flag=True, help="Ask nobody; the address book alone counts.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 120),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For all that is asked.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, address: str, user: str | None, offline: bool, timeout: float) -> None:
    """Say which methods fit an address, the best first: the settings, why, and what speaks against it. Changes nothing.

    Asked are our address book of providers, then the domain's MX and SRV records (by the extra `dns`), then its web site.
    Nobody gets to know more of the address than its domain. Needs no settings file.

    \b
    Examples:
      pillarbox suggest orders@acme.example
      pillarbox suggest anna@gmail.com --user anna
      pillarbox suggest orders@acme.example --offline --json
    """
    state: State = ctx.obj
    try:
        with patience("Asking ..."):
            found = _answer(state, address, timeout=timeout, offline=offline)
    except MessageError as error:
        raise click.UsageError(str(error), ctx) from None
    way = Way(found.address, user, state.plugins)
    if state.json:
        print_json(as_json(found, way))
    else:
        show(found, way)


def _answer(state: State, address: str, **how: Any) -> Suggestions:
    """Return what is found; with a settings file, by what it allows."""
    if state._has_settings:  # noqa: SLF001  (there need not be one yet)
        found: Suggestions = state.mailer.suggest(address, **how)
        return found
    return suggest(address, plugins=state.plugins, **how)


def as_json(found: Suggestions, way: Way) -> Any:
    """Return *found* as a program gets it, each method with the command that would set it."""
    methods = [{**plain(one), "command": way.command(one)} for one in found.methods]
    return {**plain(found), "methods": methods}


def show(found: Suggestions, way: Way) -> None:
    """Print *found* for a person."""
    for number, one in enumerate(found.methods, 1):
        for line in _lines(number, one, way.command(one)):
            say(line)
        say()
    seen = (f"Seen: {reason.text} ({reason.source})." for reason in found.seen)
    for sentence in (*seen, *found.not_asked):
        for line in folded(clean(sentence), width()):
            say(line)


def _lines(number: int, one: Suggestion, command_line: str) -> Iterator[str]:
    is_short = one.cure.startswith("pip install ")
    here = label("ready", "green") if one.ready else one.cure if is_short else "not here"
    yield f"{number:>3}  {clean(one.label)}   {here}"
    but = (
        f"But: {drawback}" for drawback in (*([] if is_short or one.ready else [one.cure]), *one.drawbacks)
    )
    for sentence in (one.reason, *but):
        for line in folded(clean(sentence), width() - len(_INDENT)):
            yield _INDENT + line
    for source in dict.fromkeys(one.sources.values()):
        yield f"{_INDENT}From {clean(source)}:"
        rows = [(name, _shown(value)) for name, value in one.settings.items() if one.sources[name] == source]
        yield from (f"{_INDENT}  {line}" for line in columns(rows))
    yield f"{_INDENT}{clean(command_line)}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@attrs.frozen
class Way:
    """Makes the commands that would set what is suggested; each says itself what comes next.

    Attributes:
        address: The owner's.
        user: Who the owner is; None for the company.
        plugins: What is installed.
    """

    address: str
    user: str | None
    plugins: Plugins

    def command(self, one: Suggestion) -> str:
        """Return the command; what has still to be found out stands in it in capitals."""
        whose = (
            ["company", "set"] if self.user is None else ["user", "set", self.user, "--settings", "personal"]
        )
        words = ["pillarbox", *whose, "--address", self.address, "--method", one.method]
        return shlex.join([*words, *_options(one.settings), *self._lacking(one)])

    def _lacking(self, one: Suggestion) -> Iterator[str]:
        """Give an option for each field that the method needs, and for which nothing was found."""
        if not one.ready:
            return
        for field in described(self.plugins, one.method).fields:
            if field.required and field.name not in one.settings:
                yield from (flag_of(field.name), field.name.upper())


def _options(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, bool):
            yield flag_of(name) if value else f"--no-{flag_of(name)[2:]}"
        else:
            yield from (flag_of(name), str(value))
    if settings.get("username") and not settings.get("sign_in"):
        yield "--password"  # asked for, hidden
