"""`pillarbox status`: whether mail leaves, and if not, why, and what comes next."""

from __future__ import annotations

from typing import Any

import click

from .._status import AccountState, AccountStatus, Health, most_urgent
from ._app import State
from ._output import clean, columns, folded, json_option, label, plain, print_json, say, width

_COLOURS = {
    AccountState.WORKING: "green",
    AccountState.WAITING: "yellow",
    AccountState.PAUSED: "yellow",
    AccountState.SIGN_IN: "red",
    AccountState.HELD: "red",
}
_BEFORE = 11
"""Columns before the sentence."""


@click.command("status")
@click.argument("user", required=False)
@json_option
@click.pass_context
def command(ctx: click.Context, /, user: str | None) -> None:
    """Say how each account stands, or the one that carries USER's mail: what waits, why, and what comes next.

    With USER only what that user wrote is counted. Exits with 0 when all is working, 75 when something waits by itself or
    is paused, 70 when something is held for a person, 77 when somebody has to sign in again: for a monitor.

    \b
    Examples:
      pillarbox status
      pillarbox status anna
      pillarbox status --json
    """
    state: State = ctx.obj
    if user is None:
        health = state.mailer.health()
        accounts, facts = health.accounts, _facts(health)
    else:
        accounts = tuple(state.mailer.status(user))
        facts = {}
    code = most_urgent(one.exit_code for one in accounts)
    if state.json:
        print_json({"exit": code, **facts, "accounts": accounts})
    else:
        _print(accounts)
    ctx.exit(code)


def _facts(health: Health) -> dict[str, Any]:
    found: dict[str, Any] = plain(health)
    del found["accounts"]
    return {**found, "counts": {state.value: count for state, count in health.counts.items()}}


def _print(accounts: tuple[AccountStatus, ...]) -> None:
    if not accounts:
        say(
            "Nothing waits, and the company has no account. Choose a method: pillarbox company set --method smtp"
        )
    for one in accounts:
        state = label(f"{one.state.value:<8}", _COLOURS[one.state])
        say(f"  {state} {columns([(name_of(one), '')])[0]}")
        for line in folded(clean(one.sentence), width() - _BEFORE):
            say(f"{'':{_BEFORE}}{line}")


def name_of(one: AccountStatus) -> str:
    """Return an account as people know it."""
    kind, _, user = one.owner.partition(":")
    whose = user if kind == "user" else "company"
    if not one.method:
        return f"mail of {whose}"
    return f"{whose}, {one.mailbox} by {one.method}" if one.mailbox else f"{whose}, {one.method}"
