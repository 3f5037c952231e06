"""`pillarbox explain`: whose account, which address, and why."""

from __future__ import annotations

from typing import Any

import click

from .._route import Route
from .._settings import Company, User
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
        print_json(as_json(route))
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
        "Sent by": described.via,
        "Copy": described.copy,
    }
    return [(f"  {name}", value) for name, value in found.items() if value]


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
