"""`pillarbox check`: the stages of an account, one line each as they finish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from .._route import Finding, Level
from ._app import State
from ._output import folded, json_option, label, patience, print_json, say, width

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red", Level.SKIP: "bright_black"}
_BEFORE = 21
"""Columns before what was seen: level and stage."""
_SEEN = 60
"""Columns of what was seen, where there is room."""
_TOOK = 10


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
    help="Write the conversation, redacted, to FILE, which must be new.",
)
@click.option(
    "--send", is_flag=True, help="Send a test mail to oneself as well, once, and look where it is seen."
)
@click.option(
    "--deadline",
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    help="With --send: for sending it, and again for following it; 60 by default.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    user: str | None,
    account: Any,
    transcript: str | None,
    send: bool,
    deadline: float | None,
) -> None:
    """Look, stage by stage, whether the account that would carry a user's mail works. Sends nothing, unless --send asks for it.

    Exits with the code of the first stage that failed. With --json all findings are one array, printed at the end, since
    a program decides by all of them. What each code means: the page of findings in the documentation.

    \b
    Examples:
      pillarbox check
      pillarbox check anna
      pillarbox check anna --send
      pillarbox check anna --transcript talk.txt
    """
    from ._transcript import transcript_file

    if deadline is not None and not send:
        raise click.UsageError("--deadline goes with --send.")
    state: State = ctx.obj
    found: list[Finding] = []
    asked: dict[str, Any] = {"send": send, "deadline": deadline or 60.0}
    with transcript_file(transcript) as trace:
        for finding in _patiently(state.mailer.check(user, account=account, trace=trace, **asked)):
            found.append(finding)
            if not state.json:
                show(finding)
    if state.json:
        print_json(found)
    ctx.exit(next((one.exit_code for one in found if one.level is Level.FAIL), 0))


def _patiently(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Give *findings*; a terminal is shown when one takes long."""
    while True:
        with patience("Looking ..."):
            finding = next(findings, None)
        if finding is None:
            return
        yield finding


def show(finding: Finding) -> None:
    """Print one finding, its cure below it."""
    level = label(f"{finding.level.value:<5}", _COLOURS[finding.level])
    room = width() - _BEFORE - _TOOK
    first, *rest = folded(finding.seen, room)
    took = f"{finding.seconds * 1000:>{_TOOK - 3}.0f} ms" if finding.seconds >= 0.0005 else ""
    say(f"  {level} {finding.stage:<12} {first:<{min(_SEEN, room)}}{took}".rstrip())
    for line in [*rest, *_cure(finding)]:
        say(f"{'':{_BEFORE}}{line}")


def _cure(finding: Finding) -> list[str]:
    if not finding.cure and finding.level not in {Level.WARN, Level.FAIL}:
        return []
    return folded(f"{finding.cure} ({finding.code})".strip(), width() - _BEFORE)
