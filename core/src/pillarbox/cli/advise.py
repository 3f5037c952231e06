"""`pillarbox advise`: what would break, or be other, if the company or a user sent by another method."""

from __future__ import annotations

import click

from .._route import Finding, Level
from ._app import State
from ._output import json_option, print_json, say
from .check import show


@click.command("advise")
@click.option("--to", required=True, metavar="METHOD", help="smtp, m365, gmail, mapi, or a third party's.")
@click.option("--user", metavar="USER", help="Change this user's own account, which becomes Personal.")
@json_option
@click.pass_obj
def command(state: State, to: str, user: str | None) -> None:
    """Say what would break, or be other, if the company sent by another method. Changes nothing, and asks no network.

    It is told from the settings, from what sign-ins learned, and from what was sent so far. What fails has to be mended
    before the change; what warns is what people will notice. Exits with 0 whatever is found.

    \b
    Examples:
      pillarbox advise --to m365
      pillarbox advise --to smtp --user otto
      pillarbox advise --to gmail --json
    """
    found = list(state.mailer.advise(to, user))
    if state.json:
        print_json(found)
        return
    for finding in found:
        show(finding)
    say(summary(found))


def summary(found: list[Finding]) -> str:
    """Return the last line: how much there is to do and to know."""
    fails, warns = (sum(one.level is level for one in found) for level in (Level.FAIL, Level.WARN))
    if not fails and not warns:
        return "Nothing stands against it."
    return f"To mend before the change: {fails:,}. To know: {warns:,}."
