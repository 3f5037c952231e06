"""`connect` and `disconnect`, for the company and for users: asked, shown, waited for, told."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from .._accounts import account_of, connect_command
from .._connectors import Connection, Grant, Pending, Prompt, Refused, RefusedReason
from .._errors import NoMethod, PillarboxError, SendDeferred, SettingsError, SignInNeeded
from .._secrets import connection_of, prefix, required
from .._settings import Choice, Company, User
from ._app import State
from ._errors import facts, in_words
from ._output import clean, json_option, print_json, say, say_aside
from ._record import actor

if TYPE_CHECKING:
    from .._connect.registered import Registered
    from .._settings import Account

F = TypeVar("F", bound=Callable[..., Any])
_TRIES = 3
"""How often a person may paste what is not the page's address."""


@attrs.frozen(kw_only=True)
class Way:
    """How a person signs in.

    Attributes:
        grant: What they allow, or None to ask.
        device: By a code, on any device.
        paste: By the address of a page that does not open here.
        no_browser: Without a browser being opened.
        elsewhere: The option for a computer without a browser.
    """

    grant: str | None = None
    device: bool = False
    paste: bool = False
    no_browser: bool = False
    elsewhere: str = "--paste"


def connect_options(function: F) -> F:
    """Give a command what `connect` takes."""
    options = (
        click.option(
            "--grant",
            type=click.Choice([one.value for one in Grant]),
            help="send: to send, and nothing else; confirm: also to look whether a mail was sent.  [default: confirm]",
        ),
        click.option("--device", is_flag=True, help="Sign in on any device, by a code that is shown here."),
        click.option(
            "--paste",
            is_flag=True,
            help="Sign in on another computer, and paste the address of the page that does not open there.",
        ),
        click.option(
            "--no-browser", is_flag=True, help="Open no browser; the address is printed in any case."
        ),
        click.option(
            "--admin-consent",
            is_flag=True,
            help="Show the page where an administrator allows the application for everybody; sign nobody in.",
        ),
        json_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


def connect(state: State, user: str | None, *, admin_consent: bool, **way: Any) -> None:
    """Sign the account of *user*, or the company's, in, and say what came of it.

    Raises:
        UsageError: Two ways at once.
        SignInNeeded: It came to nothing: says why, and the next command.
    """
    mailer, chosen = state.mailer, Way(**way)
    if chosen.device and chosen.paste:
        raise click.UsageError("Choose --device or --paste.")
    record, account = mailer._to_connect(user, None)  # noqa: SLF001
    known: Registered = mailer._registered_for(account)  # noqa: SLF001
    if admin_consent:
        _show_consent(state, known, chosen, user)
        return
    if chosen.device and not known.connector.has_codes:
        raise SettingsError(
            f"{known.label} has no sign-in by code.", cure=f"Use: {connect_command(account.owner)} --paste"
        )
    required(mailer.vault)  # nobody answers questions for a sign-in that can't be kept
    elsewhere = "--device" if known.connector.has_codes else "--paste"
    grant = chosen.grant or _asked_grant(state, account, known)
    chosen = attrs.evolve(chosen, grant=grant, elsewhere=elsewhere)
    waiting = waiting_of(state, account.owner)
    answer = _way(chosen)(state, user, chosen)
    if not isinstance(answer, Connection):
        raise _as_error(answer, account, chosen)
    _tell(state, record, answer, waiting)


def _way(way: Way) -> Callable[[State, str | None, Way], Connection | Refused]:
    return _by_code if way.device else _by_paste if way.paste else _here


def _asked_grant(state: State, account: Account, known: Registered) -> str:
    """Return the grant that a person at the terminal chooses; `confirm` where nobody is asked."""
    from .._connect.standing import IN_WORDS

    if state.json or not sys.stdin.isatty():
        return Grant.CONFIRM.value
    say_aside(f"{account.signs_in_as} signs in at {known.label}. What may pillarbox do then?\n")
    for grant in Grant:
        say_aside(f"  {grant.value:<8} {IN_WORDS[grant]}.")
    choice = click.Choice([one.value for one in Grant])
    chosen: str = click.prompt("\nAllow", type=choice, default=Grant.CONFIRM.value, err=True)
    return chosen


def _here(state: State, user: str | None, way: Way) -> Connection | Refused:
    """Sign in at this computer's browser."""

    def show(url: str) -> None:
        _show_page(url, opens=not way.no_browser)
        say_aside(
            f"Waiting for the sign-in. No browser on this computer? End with Ctrl-C, and add {way.elsewhere}."
        )

    found: Connection | Refused = state.mailer.connect_here(user, by=actor(), grant=way.grant, show=show)
    return found


def _by_paste(state: State, user: str | None, way: Way) -> Connection | Refused:
    """Sign in anywhere; the page that comes last opens nowhere, and its address is pasted here."""
    from .._connect.callback import parameters
    from .._connect.loopback import PASTED

    prompt: Prompt = state.mailer.connect(user, by=actor(), grant=way.grant, redirect_uri=PASTED)
    if prompt.url is None:
        return _polled(state, prompt)
    _show_page(prompt.url, opens=not way.no_browser)
    say_aside(
        "After the sign-in a page does not open: that is as it should be. Copy its address from the browser."
    )
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (it takes longer lines than a terminal does by itself)
    for _ in range(_TRIES):
        text = click.prompt("Its address", err=True)
        if parameters(text).get("state") == prompt.state:
            found: Connection | Pending | Refused = state.mailer.finish_connect(text, by=actor())
            return _done(found)
        say_aside(f"That is not it: the address starts with {PASTED} and holds state= and code=.")
    owner = "company" if user is None else f"user:{user}"
    raise SignInNeeded(
        "What was pasted is not the address of that page.",
        code="not-pasted",
        stage="sign-in",
        cure=f"Begin again: {connect_command(owner)} --paste",
    )


def _by_code(state: State, user: str | None, way: Way) -> Connection | Refused:
    """Sign in on any device, while it is asked for here again and again."""
    prompt: Prompt = state.mailer.connect(user, by=actor(), grant=way.grant)
    if prompt.code is not None:
        say_aside(
            f"Open {clean(prompt.url or '')} on any device, and enter the code:\n\n    {clean(prompt.code)}\n"
        )
        say_aside("Waiting for the sign-in. Ctrl-C ends it.")
    return _polled(state, prompt)


def _polled(state: State, prompt: Prompt) -> Connection | Refused:
    """Ask whether the person is done, as often as the provider lets us, until it is too late."""
    give_up, interval = time.monotonic() + prompt.expires_in, 0.0 if prompt.code is None else prompt.interval
    trouble: SendDeferred | None = None
    while True:
        time.sleep(interval)
        try:
            answer = state.mailer.finish_connect({"state": prompt.state}, by=actor())
        except SendDeferred as error:  # a moment without a network ends no sign-in
            trouble, interval = error, prompt.interval
        else:
            if not isinstance(answer, Pending):
                found: Connection | Refused = answer
                return found
            trouble, interval = None, answer.interval
        if time.monotonic() + interval > give_up:
            break
    if trouble is not None:
        raise trouble
    return _done(Pending())


def _done(answer: Connection | Pending | Refused) -> Connection | Refused:
    if isinstance(answer, Pending):
        return Refused(reason=RefusedReason.EXPIRED, cure="Begin again, and finish it in time.")
    return answer


def _show_page(url: str, *, opens: bool) -> None:
    from .._connect.loopback import browse

    say_aside(f"Sign in here:\n\n    {clean(url)}\n")
    if opens:
        browse(url)


def _show_consent(state: State, known: Registered, way: Way, user: str | None) -> None:
    from .._connect.loopback import PASTED

    url = state.mailer.consent_url(PASTED, user=user)
    if url is None:
        raise SettingsError(f"{known.label} has no page where an administrator allows it for everybody.")
    if state.json:
        print_json({"url": url})
    else:
        say_aside(
            "An administrator of the organisation opens this page and agrees. It ends on a page that does not open."
        )
        say(clean(url))
    if not way.no_browser and not state.json:
        from .._connect.loopback import browse

        browse(url)


def _as_error(refused: Refused, account: Account, way: Way) -> SignInNeeded:
    """Return what came to nothing as an error, with the command that comes next."""
    command = connect_command(account.owner)
    cure = _with_command(refused.cure, command)
    if refused.reason is RefusedReason.SCOPE_MISSING and way.grant == Grant.CONFIRM.value:
        cure = f"{refused.cure} Or allow less: {command} --grant send"
    return SignInNeeded(
        refused.sentence, code=refused.reason.value.replace(" ", "-"), stage="sign-in", cure=cure
    )


def _with_command(cure: str, command: str) -> str:
    """Return *cure* and the command that does it; what has to be done before stands by itself."""
    if command in cure:
        return cure
    if cure.startswith(("Connect", "Begin")):
        return f"{cure.rstrip('.')}: {command}"
    return f"{cure} Then: {command}" if cure else f"Connect again: {command}"


def _tell(state: State, record: Company | User, found: Connection, waiting: int) -> None:
    """Print as whom, what was allowed, and what would happen with the next mail."""
    from .._connect.standing import IN_WORDS, grant_of
    from .explain import as_json, headline

    user = record.id if isinstance(record, User) else None
    try:
        route, refusal = state.mailer.explain(user), None
    except PillarboxError as error:
        route, refusal = None, error
    grant = grant_of(found)
    can = IN_WORDS[grant] if grant is not None else ""
    if state.json:
        result: dict[str, Any] = {
            "connected": record.owner,
            "address": found.address,
            "grant": found.grant,
            "scopes": found.scopes,
        }
        result |= {"can": can, "waiting": waiting, "route": route and as_json(route)}
        print_json({**result, "problem": refusal and facts(refusal)})
        return
    say(clean(f"Connected as {found.address}."))
    say(f"Allowed: {can}.")
    if route is not None:
        say(headline(state.mailer, route, record))
    elif refusal is not None:
        say(in_words(refusal))
    if isinstance(record, User) and record.choice is Choice.FROM_COMPANY:
        say(f"To send by this account: pillarbox user set {record.id} --settings personal")
    if waiting:
        say(f"{_mails(waiting)} that waited for it: a worker sends them now.")


def disconnect(state: State, user: str | None, *, yes: bool) -> int:
    """End the sign-in of the account of *user*, or the company's; say first what waits for it, and ask.

    Returns 1 when the answer is no.
    """
    mailer = state.mailer
    company, who = mailer.directory.look_up(user)
    record: Company | User = who or company
    row = mailer.vault.rows.load(f"{prefix(company.id, record.owner)}sign-in") if mailer.vault else None
    if row is None:
        _end(state, f"{record} is not connected.", {"disconnected": None})
        return 0
    waiting = waiting_of(state, record.owner)
    if waiting and not state.json:
        say_aside(f"{_mails(waiting)} in the outbox can't leave until the account is connected again.")
    if not yes and not click.confirm(f"Disconnect {record}{_as(row.readable)}?", err=True):
        _end(state, "Nothing was changed.", {"disconnected": None})
        return 1
    told = mailer.disconnect(user, by=actor())
    rest = (
        "The provider was told."
        if told
        else "The provider was not told: end it in the account's own settings there, too."
    )
    sentence = f"Disconnected {record}; what was kept is destroyed. {rest}"
    _end(state, sentence, {"disconnected": record.owner, "revoked": bool(told), "waiting": waiting})
    return 0


def _as(readable: Any) -> str:
    with contextlib.suppress(SignInNeeded):
        return clean(f", which signs in as {connection_of(readable.get('connection', {})).address}")
    return ""


def advice(mailer: Any, record: Company | User) -> list[str]:
    """Return what has to be done before the account of *record* can be used, a sentence each; [] where nothing has."""
    try:
        company = mailer.directory.look_up(None)[0]
        account = account_of(record, company, mailer.plugins)
        if not mailer._connector_of(account):  # noqa: SLF001
            return []
        problem = mailer._standing_of(account).problem  # noqa: SLF001
    except NoMethod:
        return []
    except PillarboxError as error:
        problem = error
    return [] if problem is None else [problem.cure or problem.detail]


def waiting_of(state: State, owner: str) -> int:
    """Return how many mails wait in the outbox for the account of *owner*."""
    outbox = state.mailer.existing_queue
    if outbox is None:
        return 0
    return sum(sum(lane.counts.values()) for lane in outbox.lanes() if lane.owner == owner)


def _mails(count: int) -> str:
    return f"{count:,} mails" if count > 1 else "1 mail"


def _end(state: State, sentence: str, result: dict[str, Any]) -> None:
    if state.json:
        print_json(result)
    else:
        say(clean(sentence))
