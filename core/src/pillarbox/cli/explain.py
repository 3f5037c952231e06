"""`pillarbox explain`: whose account, which address, and why."""

from __future__ import annotations

from typing import Any

import click

from .._connectors import Connection
from .._errors import PillarboxError
from .._plugins import asked
from .._route import Route
from .._settings import Account, Company, User
from ._app import State
from ._output import columns, folded, json_option, plain, print_json, say, width

_LEAST = 24
"""Columns below which a reason is not folded."""


@click.command("explain")
@click.argument("user", required=False)
@click.option(
    "--account",
    type=click.Choice(["company", "personal"]),
    help="Ask for this account, whatever the user chose.",
)
@json_option
@click.pass_obj
def command(state: State, user: str | None, account: Any) -> None:
    """Say whose account would carry a user's mail and which address would show, and why. Sends nothing.

    Without USER it is about mail that nobody in particular writes, a nightly job's for instance.

    \b
    Examples:
      pillarbox explain
      pillarbox explain anna
      pillarbox explain anna --account company --json
    """
    mailer = state.mailer
    company, who = mailer.directory.look_up(user)
    route = mailer.explain(user, account=account)
    if state.json:
        print_json({**as_json(route), "connection": connection_of(mailer, route)})
        return
    say(headline(mailer, route, who or company))
    say()
    _print_reasons(route)
    say()
    for line in columns(facts(mailer, route), gap=3):
        say(line)
    for warning in (*route.warnings, *getattr(mailer.directory, "warnings", ())):
        say()
        for line in columns([("Warning:", warning)], gap=1):
            say(line)


def headline(mailer: Any, route: Route, who: Company | User) -> str:
    """Return the first sentence of an explanation."""
    shown = str(route.from_address or who.shown or who)
    whose = "the company's" if route.account.owner == "company" else "their own"
    if isinstance(who, Company):
        whose = "its own"
    label = mailer.plugins[route.account.method].label or route.account.method
    return f"{shown} sends through {whose} {label} account."


def _print_reasons(route: Route) -> None:
    """Print the reasons, numbered, with their sources; folded where the terminal is too narrow for both."""
    sources = max(len(reason.source) for reason in route.reasons)
    longest = max(len(reason.text) for reason in route.reasons)
    room = min(longest, max(_LEAST, width() - sources - 8))
    for number, reason in enumerate(route.reasons, 1):
        first, *rest = folded(reason.text, room)
        say(f"{number:>3}  {first:<{room}}   {reason.source}".rstrip())
        for line in rest:
            say(f"     {line}")


def facts(mailer: Any, route: Route) -> list[tuple[str, str]]:
    """Return what a mail on *route* shows, and how it goes."""
    described = mailer.plugins[route.account.method].describe(route.account.settings)
    shown = route.from_address.wire if route.from_address else None
    found = {
        "From": str(route.from_address or "the mail program's own address"),
        "Reply-To": ", ".join(map(str, route.reply_to)),
        "Bounces": f"to {route.envelope_sender}" if route.envelope_sender not in {None, shown} else "",
        "Signs in": signs_in(mailer, route),
        "Sent by": described.via,
        "Copy": described.copy,
    }
    return [(f"  {name}", value) for name, value in found.items() if value]


def signs_in(mailer: Any, route: Route) -> str:
    """Return who is signed in at the account's provider, since when, and what that allows; "" where a password does."""
    from .._connect.standing import IN_WORDS, as_whom, grant_of

    account = route.account
    if not mailer._connector_of(account):  # noqa: SLF001
        return ""
    try:
        one = mailer._standing_of(account)  # noqa: SLF001
    except PillarboxError as error:
        return str(error)
    if one.problem is not None or one.connection is None:
        return str(one.problem)
    grant, note = grant_of(one.connection), _note(mailer, account, one.connection)
    said = (as_whom(one.connection, mailer._clock()), IN_WORDS[grant] if grant else "", note)  # noqa: SLF001
    return "; ".join(filter(None, said))


def connection_of(mailer: Any, route: Route) -> dict[str, Any] | None:
    """Return what the sign-in of the account learned, as plain values; None where there is none."""
    if not mailer._connector_of(route.account):  # noqa: SLF001
        return None
    try:
        found = mailer._standing_of(route.account).connection  # noqa: SLF001
    except PillarboxError:
        return None
    values: dict[str, Any] | None = plain(found)
    return values


def _note(mailer: Any, account: Account, connection: Connection) -> str:
    """Return what the account can't do by its own word, where its method has one."""
    found = asked(mailer.plugins[account.method], "capabilities", connection)
    return str(found.note)


def as_json(route: Route) -> dict[str, Any]:
    """Return *route* as plain values, without the account's settings beyond its name."""
    account = route.account
    values: dict[str, Any] = plain({
        "account": {
            "owner": account.owner, "method": account.method, "mailbox": account.mailbox, "signs_in_as": account.signs_in_as
        },
        "user": route.user,
        "from": route.from_address,
        "reply_to": route.reply_to,
        "envelope_sender": route.envelope_sender,
        "sender": route.sender,
        "automatic": route.automatic,
        "reasons": route.reasons,
        "warnings": route.warnings,
    })  # fmt: skip
    return values
