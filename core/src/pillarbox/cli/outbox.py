"""`pillarbox outbox`: what was sent, what waits and why; and a person's word on it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from .. import _log
from .._mail import State as Standing
from .._outbox import Pause, Search
from .._reports import Recorded
from .._slip import slip
from .._status import counted
from ._app import State
from ._entries import (
    SHORT,
    facts,
    named,
    outbox_of,
    print_counts,
    print_entries,
    print_entry,
    print_reports,
    print_slip,
    sure,
    write_html,
)
from ._moments import Moment
from ._output import clean, json_option, print_json, say, say_aside
from ._record import F, actor

_TWICE = "It may have been sent already, and would be sent twice. Send it"


def search_options(function: F) -> F:
    """Give a command what entries are looked for by."""
    states = click.Choice([state.value for state in Standing])
    options = (
        click.option("--to", default="", metavar="TEXT", help="Only mail to addresses that hold TEXT."),
        click.option("--reference", default="", metavar="TEXT", help="Only with this document number."),
        click.option("--since", type=Moment(), metavar="WHEN", help="Only since: 2026-03-01, today, 12h, 7d."),
        click.option("--until", type=Moment(), metavar="WHEN", help="Only until."),
        click.option("--state", "states", type=states, multiple=True, help="Only in this state. Can be given again."),
        click.option("--account", default="", metavar="ACCOUNT", help="Only of this account: company, user:anna, or its key."),
        click.option("--user", default="", metavar="USER", help="Only what this user wrote."),
        click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many to list."),
        click.option("--before", default="", metavar="KEY", help="Only what was put before this one: the next page."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@click.group("outbox", invoke_without_command=True)
@search_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """List what was sent and what waits, the newest first; or, with a command, decide about it.

    An entry is named by its key, the start of it (six characters at least) or its document number, where only one has it.

    \b
    Examples:
      pillarbox outbox
      pillarbox outbox --to ap@customer.example --since 7d
      pillarbox outbox show 8f3c1a2b
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, given)


@command.command("list")
@search_options
@json_option
@click.pass_obj
def list_(state: State, /, **given: Any) -> None:
    """List entries, the newest first: as `pillarbox outbox` does by itself.

    \b
    Examples:
      pillarbox outbox list --state held
      pillarbox outbox list --reference INV-1001 --json
    """
    _list(state, given)


def _list(state: State, given: dict[str, Any]) -> None:
    outbox = state.mailer.existing_queue
    if outbox is None:
        print_json([]) if state.json else say(
            "Nothing was kept so far. Keep a mail with: pillarbox send --queue"
        )
        return
    search = _search(state, given)
    found = outbox.list(search)
    if state.json:
        print_json([facts(entry) for entry in found])
        return
    if not _is_narrowed(given):
        print_counts(counted(outbox.lanes()))
    print_entries(found)
    if not found:
        say("No entry fits." if _is_narrowed(given) else "There are no entries.")
    elif len(found) == search.limit:
        say_aside(f"There may be more: --before {found[-1].key[:SHORT]}, or --limit {2 * search.limit}")


def _search(state: State, given: dict[str, Any]) -> Search:
    before = named(outbox_of(state), given["before"]).key if given["before"] else ""
    return Search(
        states=frozenset(map(Standing, given["states"])),
        to=given["to"],
        reference=given["reference"],
        since=given["since"],
        until=given["until"],
        account=_account(state, given["account"]) if given["account"] else "",
        user=given["user"],
        limit=given["limit"],
        before=before,
    )


def _is_narrowed(given: dict[str, Any]) -> bool:
    return any(value for name, value in given.items() if name != "limit")


def _account(state: State, name: str) -> str:
    """Return the key of the account that a person named: `company`, `user:anna`, or the key itself."""
    if "/" in name:
        return name
    kind, _, user = name.partition(":")
    if kind not in {"company", "user"} or (kind == "user") != bool(user):
        raise click.BadParameter(
            f"{name!r} is no account: give company, user:USER, or the key that show prints."
        )
    mailer = state.mailer
    if kind == "company":
        return str(mailer.explain(None).account.key)
    return str(mailer.explain(user, account="personal").account.key)


@command.command("show")
@click.argument("key")
@click.option("--html", metavar="FILE", help="Write it as a page for paper to FILE, which must be new.")
@json_option
@click.pass_obj
def show(state: State, key: str, html: str | None) -> None:
    """Show all that is known of one mail, on one page: for whoever is told that it never came.

    When it went, from which account and address, what the server said of each recipient, how the connection was protected,
    the Message-ID, and the attachments with their SHA-256; what was reported afterwards; and what this does not prove.

    \b
    Examples:
      pillarbox outbox show 8f3c1a2b
      pillarbox outbox show 8f3c1a2b --html slip.html
    """
    outbox = outbox_of(state)
    entry = named(outbox, key)
    history = outbox.history(entry.key)
    repeats = outbox.list(Search(again_of=entry.key))
    reports = outbox.reports(entry.key)
    if html is not None:
        write_html(html, slip(entry, history, repeats, reports))
        say_aside(f"Written to {html}.")
    if html is None or state.json:
        print_slip(state, entry, history, repeats, reports)


@command.command("reports")
@click.argument("key", required=False)
@click.option("--poll", is_flag=True, help="Ask the account's provider, or its mailbox, what is new.")
@click.option("--user", metavar="USER", help="Ask the account that carries this user's mail.")
@json_option
@click.pass_obj
def reports(state: State, key: str | None, poll: bool, user: str | None) -> None:
    """Show what was reported of a mail after it was accepted: arrived, bounced, failed, or called spam.

    With --poll it asks for what is new, and keeps it: each report once. A report changes nothing of a mail: what was
    accepted stays accepted, and nothing is sent again.

    \b
    Examples:
      pillarbox outbox reports --poll
      pillarbox outbox reports 8f3c1a2b
    """
    if not poll and key is None:
        raise click.UsageError("Say which mail, by its KEY, or --poll.")
    if poll:
        done = state.mailer.poll_reports(user)
        if key is None and state.json:
            print_json(done)
        else:
            say_aside(_told(done))
    if key is not None:
        outbox = outbox_of(state)
        entry = named(outbox, key)
        print_reports(state, entry, outbox.reports(entry.key))


def _told(done: Recorded) -> str:
    more = (
        (done.again, "known before"),
        (done.unknown, "of no mail here, or of none for certain"),
        (done.over, "more than are kept of one recipient"),
    )
    return f"{done.new} new{''.join(f', {count} {what}' for count, what in more if count)}."


@command.command("retry")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@click.pass_obj
def retry(state: State, key: str, yes: bool) -> None:
    """Try a mail now that waits for its next try, or is held. Asks first for one that is held: it may have been sent.

    \b
    Examples:
      pillarbox outbox retry 8f3c1a2b
    """
    outbox = outbox_of(state)
    entry = named(outbox, key)
    if entry.state is Standing.HELD:
        say_aside(clean(entry.reason))
        sure(_TWICE if entry.attempted_at is not None else "It was held. Send it", yes=yes)
    entry = outbox.retry(entry.key, by=actor().name)
    print_entry(state, entry, f"{entry.key} is tried with the next worker that comes.")


@command.command("cancel")
@click.argument("key")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@json_option
@click.pass_obj
def cancel(state: State, key: str, reason: str) -> None:
    """Take a mail out that has not left. Refused for one that is under way, or has ended.

    \b
    Examples:
      pillarbox outbox cancel 8f3c1a2b --reason "wrong price"
    """
    outbox = outbox_of(state)
    entry = outbox.cancel(named(outbox, key).key, reason, by=actor().name)
    print_entry(state, entry, f"{entry.key} is cancelled: it will not be sent.")


@command.command("hold")
@click.argument("key")
@click.option("--reason", default="Held for a look.", metavar="TEXT", help="Why, for the history.")
@json_option
@click.pass_obj
def hold(state: State, key: str, reason: str) -> None:
    """Keep a waiting mail from leaving until a person has decided: with retry, or cancel.

    \b
    Examples:
      pillarbox outbox hold 8f3c1a2b --reason "the customer called"
    """
    outbox = outbox_of(state)
    entry = outbox.hold(named(outbox, key).key, reason, by=actor().name)
    print_entry(state, entry, f"{entry.key} is held. Send it: pillarbox outbox retry {entry.key[:SHORT]}")


@command.command("settle")
@click.argument("key")
@click.option("--sent/--not-sent", default=None, help="What was found out.")
@click.option("--reason", default="", metavar="TEXT", help="How, for the history.")
@json_option
@click.pass_obj
def settle(state: State, key: str, sent: bool | None, reason: str) -> None:
    """End a mail that is held, or in doubt, by what a person has found out. Nothing is sent.

    \b
    Examples:
      pillarbox outbox settle 8f3c1a2b --sent --reason "the customer has it"
      pillarbox outbox settle 8f3c1a2b --not-sent
    """
    if sent is None:
        raise click.UsageError("Say what was found out: --sent or --not-sent.")
    outbox = outbox_of(state)
    entry = named(outbox, key)
    if not sent and entry.state is Standing.UNKNOWN:
        entry = outbox.hold(entry.key, "Held to be settled.", by=actor().name)
    entry = outbox.settle(entry.key, sent=sent, reason=reason, by=actor().name)
    again = "" if sent else f" Send it again: pillarbox outbox again {entry.key[:SHORT]}"
    print_entry(state, entry, f"{entry.key} is settled as {'sent' if sent else 'not sent'}.{again}")


@command.command("again")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Don't ask, also while nobody knows whether the first was sent.")
@json_option
@click.pass_obj
def again(state: State, key: str, yes: bool) -> None:
    """Send a mail once more, on purpose: a new entry with a Message-ID and a Date of its own, the rest byte for byte.

    It goes to all who were to get the first. Asks first while nobody knows whether that was sent.

    \b
    Examples:
      pillarbox outbox again 8f3c1a2b
    """
    entry = named(outbox_of(state), key)
    in_doubt = entry.state in {Standing.UNKNOWN, Standing.HELD}
    if in_doubt:
        say_aside(clean(entry.reason))
        sure(_TWICE, yes=yes)
    made = state.mailer.send_again(entry.key, anyway=in_doubt, by=actor().name)
    print_entry(state, made, f"Queued as {made.key}, which sends {entry.key[:SHORT]} again.")


def scope_options(function: F) -> F:
    """Give a command what can be paused."""
    options = (
        click.option("--account", metavar="ACCOUNT", help="One account: company, user:anna, or its key."),
        click.option("--company", "whole", is_flag=True, help="All mail of the company and its users."),
        click.option("--user", metavar="USER", help="What this user writes, whatever account carries it."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _scope(state: State, account: str | None, user: str | None, *, whole: bool) -> str:
    given = [one for one in (account, user, whole or None) if one]
    if len(given) != 1:
        raise click.UsageError("Say what: --account ACCOUNT, --company, or --user USER.")
    company, _ = state.mailer.directory.look_up(user)
    if account:
        return f"lane:{_account(state, account)}"
    return f"company:{company.id}" if whole else f"user:{company.id}/{user}"


@command.command("pause")
@scope_options
@click.option("--reason", required=True, metavar="TEXT", help="Why, for those who ask.")
@click.option(
    "--until", type=Moment(ahead=True), metavar="WHEN", help="When it ends by itself: 2h, 2026-03-01T08:00."
)
@json_option
@click.pass_obj
def pause(
    state: State, account: str | None, whole: bool, user: str | None, reason: str, until: dt.datetime | None
) -> None:
    """Start no more mail of an account, of the company or of a user. What is under way ends; nothing is lost.

    \b
    Examples:
      pillarbox outbox pause --company --reason "the price list is wrong"
      pillarbox outbox pause --user anna --reason "password stolen"
    """
    scope = _scope(state, account, user, whole=whole)
    made = Pause(scope=scope, reason=reason, until=until, by=actor().name)
    state.mailer.queue.pause(made)
    _log.event("info", "pillarbox.paused", scope=scope, kind=made.kind)
    if state.json:
        print_json(made)
    else:
        say(clean(f"Paused {scope}. Resume it: pillarbox outbox resume {scope}"))


@command.command("resume")
@click.argument("scope", required=False)
@scope_options
@json_option
@click.pass_obj
def resume(state: State, scope: str | None, account: str | None, whole: bool, user: str | None) -> None:
    """Go on with what was paused, by a person or by pillarbox. SCOPE is what `pause` and errors print.

    \b
    Examples:
      pillarbox outbox resume --company
      pillarbox outbox resume lane:company/company/smtp
    """
    if scope is None:
        scope = _scope(state, account, user, whole=whole)
    was_paused = outbox_of(state).resume(scope)
    if was_paused:
        _log.event("info", "pillarbox.resumed", scope=scope)
    if state.json:
        print_json({"resumed": scope, "was_paused": was_paused})
    else:
        say(clean(f"{scope} goes on." if was_paused else f"{scope} was not paused."))
