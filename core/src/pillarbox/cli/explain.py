"""`pillarbox explain`: whose account, which address, and why."""

from __future__ import annotations

from typing import Any

import click

from .._route import Route
from .._settings import Company, User
from ._app import State
from ._output import json_option, plain, print_json, say


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
      pillarbox explain anna
      pillarbox explain
    """
    mailer = state.mailer
    company, who = mailer.directory.look_up(user)
    route = mailer.explain(user, account=account)
    if state.json:
        print_json(as_json(route))
        return
    say(headline(route, who or company))
    say()
    _print_reasons(route)
    say()
    _print_facts(route, mailer)
    for warning in route.warnings:
        say(f"\nWarning: {warning}")


def headline(route: Route, who: Company | User) -> str:
    """Return the first sentence of an explanation."""
    shown = str(route.from_address or who.shown or who)
    whose = "the company's" if route.account.owner == "company" else "their own"
    if isinstance(who, Company):
        whose = "its own"
    label = _label(route)
    return f"{shown} sends through {whose} {label} account."


def _label(route: Route) -> str:
    from .._plugins import Plugins

    return Plugins()[route.account.method].label or route.account.method


def _print_reasons(route: Route) -> None:
    width = max(len(reason.text) for reason in route.reasons) + 2
    for number, reason in enumerate(route.reasons, 1):
        say(f"  {number}  {reason.text:<{width}} {reason.source}".rstrip())


def _print_facts(route: Route, mailer: Any) -> None:
    transport = mailer.plugins[route.account.method]
    described = transport.describe(route.account.settings)
    facts = {
        "From": str(route.from_address or "the mail program's own address"),
        "Reply-To": ", ".join(map(str, route.reply_to)),
        "Envelope": ""
        if route.from_address and route.envelope_sender == route.from_address.wire
        else route.envelope_sender,
        "Sent by": described.via,
        "Copy": described.copy,
    }
    for name, value in facts.items():
        if value:
            say(f"  {name:<9} {value}")


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
