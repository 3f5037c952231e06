"""`pillarbox check`: the stages of an account, one line each as they finish."""

from __future__ import annotations

from typing import Any

import click

from .._route import Finding, Level
from ._app import State
from ._output import json_option, label, print_json, say

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red", Level.SKIP: "bright_black"}
_SEEN = 60


@click.command("check")
@click.argument("user", required=False)
@click.option(
    "--account",
    type=click.Choice(["company", "personal"]),
    help="Check this account, whatever the user chose.",
)
@click.option(
    "--transcript",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the conversation, redacted, to FILE.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, user: str | None, account: Any, transcript: str | None) -> None:
    """Look, stage by stage, whether the account that would carry a user's mail works. Sends nothing.

    Exits with the code of the first stage that failed.

    \b
    Examples:
      pillarbox check anna
      pillarbox check --transcript talk.txt
    """
    from ._transcript import transcript_file

    state: State = ctx.obj
    found: list[Finding] = []
    with transcript_file(transcript) as trace:
        for finding in state.mailer.check(user, account=account, trace=trace):
            found.append(finding)
            if not state.json:
                show(finding)
    if state.json:
        print_json(found)
    ctx.exit(next((one.exit_code for one in found if one.level is Level.FAIL), 0))


def show(finding: Finding) -> None:
    """Print one finding, its cure below it."""
    level = label(f"{finding.level.value:<5}", _COLOURS[finding.level])
    took = f"{finding.seconds * 1000:>7.0f} ms" if finding.seconds >= 0.0005 else ""
    say(f"  {level} {finding.stage:<12} {finding.seen:<{_SEEN}} {took}".rstrip())
    if finding.cure or finding.level in {Level.WARN, Level.FAIL}:
        say(f"{'':21}{f'{finding.cure} ({finding.code})'.strip()}")
