"""`pillarbox worker`: empties the outbox, until it is stopped or there is nothing more to do."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import click

from .._accounts import transport_of
from .._errors import SettingsError
from .._mail import State as Standing
from .._outbox import Worker
from .._settings import desk_of
from .._status import most_urgent
from .._transports import SenderPolicy
from ._app import State
from ._errors import INTERRUPTED
from ._output import console, json_option, plain, say, say_aside

LOOK = 0.1
"""Seconds between two looks whether to stop."""
SHOWN = 0.5
"""Seconds between two changes of what a terminal shows."""
TOLD = 10.0
"""Seconds between two lines where there is no terminal; none is written while nothing changes."""
_STOPPING = "Stopping: what is in hand is finished first."
_NOT_CUT = "An attempt is still under way. It isn't cut, since nobody would know then whether the mail left."


@click.command("worker")
@click.option("--drain", is_flag=True, help="End when nothing is due any more.")
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="METHOD",
    help="Only accounts of this method. Can be given again.",
)
@click.option(
    "--user",
    metavar="USER",
    envvar="PILLARBOX_USER",
    help="Only what this user wrote, and what the mail program on their computer carries.",
)
@click.option(
    "--agent",
    metavar="URL",
    envvar="PILLARBOX_AGENT",
    help="Send for a server, from this computer's mail program: the address that the user's page names.",
)
@click.option(
    "--token-file",
    metavar="PATH",
    help="With --agent: the file of the user's token; else PILLARBOX_AGENT_TOKEN is the token.",
)
@click.option(
    "--ca-file", metavar="PATH", default="", help="With --agent: whom to trust, in the place of the system's."
)
@json_option
@click.pass_obj
def command(
    state: State,
    drain: bool,
    methods: tuple[str, ...],
    user: str | None,
    agent: str | None,
    token_file: str | None,
    ca_file: str,
) -> int:
    """Send what waits in the outbox, and look for what is in doubt, until it is stopped (Ctrl-C, SIGTERM).

    A stop finishes each attempt in hand and gives back the rest. Several workers may run; each account's mail is one
    worker's at a time. What a mail program carries (Microsoft Mail) is sent by a worker with --user alone, on the
    computer of that user.

    Exits with 0 when it was stopped. With --drain it exits as `pillarbox status` does: 0 when nothing is left, 75 when
    something waits for a later try, 77 for a sign-in, 70 for a person's word; and 130 when it was interrupted before.

    \b
    Examples:
      pillarbox worker
      pillarbox worker --drain
      pillarbox worker --method smtp --json
      pillarbox worker --method mapi --user anna
      pillarbox worker --agent https://erp.acme.example/mail/agent --token-file token.txt
    """
    if agent is not None:
        from ._desk import at_desk

        return at_desk(
            state, agent, token_file=token_file, ca_file=ca_file, methods=methods, user=user, drain=drain
        )
    if token_file is not None or ca_file:
        raise click.UsageError("--token-file and --ca-file belong to --agent.")
    mailer = state.mailer
    if user is not None:
        mailer.directory.look_up(user)
    _refuse_without_desk(mailer, methods, user)
    worker = mailer.worker(methods=methods or None, user=user)
    stopped = run(state, worker, _waiting(mailer, methods, user) if drain else None, drain=drain)
    if not drain:
        return 0
    return INTERRUPTED if stopped else _left(mailer, methods, user)


def _refuse_without_desk(mailer: Any, methods: tuple[str, ...], user: str | None) -> None:
    """Refuse a worker for a mail program that does not say whose, and tell one for all what it leaves."""
    for method in methods:
        transport = transport_of(method, mailer.plugins)
        if user is None and transport.sender_policy is SenderPolicy.CLIENT:
            raise SettingsError(
                f"{transport.label or method} is each user's own, on their computer: say whose it is here.",
                cure=f"Run: pillarbox worker --method {method} --user USER",
            )
    if user is None and not methods and any(desk_of(lane.account) for lane in mailer.queue.lanes()):
        say_aside(
            "What waits for a mail program is left to its user's computer: pillarbox worker --user USER"
        )


def _waiting(mailer: Any, methods: tuple[str, ...], user: str | None) -> int:
    """Return how much there is for a worker that is so confined."""
    lanes = [lane for lane in mailer.queue.lanes(user) if not methods or lane.method in methods]
    return sum(sum(lane.counts.values()) - lane.counts.get(Standing.HELD, 0) for lane in lanes)


def _left(mailer: Any, methods: tuple[str, ...], user: str | None) -> int:
    """Return what `status` would exit with for the accounts that it was confined to."""
    accounts = mailer.status(user)
    return most_urgent(one.exit_code for one in accounts if not methods or one.method in methods)


def run(state: State, worker: Worker, expected: int | None, *, drain: bool) -> bool:
    """Let *worker* work in a thread, tell how far it is, and say whether it was stopped."""
    failure: list[BaseException] = []

    def work() -> None:
        try:
            worker.run(drain=drain)
        except BaseException as error:  # noqa: BLE001  (raised again below)
            failure.append(error)

    thread = threading.Thread(target=work, name="pillarbox-worker")
    progress = Progress(expected)
    with _signals() as asked, _shown(state, progress) as show:
        thread.start()
        try:
            _look_after(thread, worker, asked, show)
        finally:
            worker.stop()  # also where nobody reads any more what is printed
            thread.join()
    if failure:
        raise failure[0]
    _say_end(state, progress.now(worker.counted), stopped=bool(asked))
    return bool(asked)


def _look_after(
    thread: threading.Thread, worker: Worker, asked: list[int], show: Callable[[Mapping[Standing, int]], None]
) -> None:
    """Show how far *worker* is until it ends, and pass on each wish to stop."""
    told = 0
    while thread.is_alive():
        if len(asked) > told:
            worker.stop()
            say_aside(_STOPPING if told == 0 else _NOT_CUT)
            told += 1
        show(worker.counted)
        thread.join(LOOK)


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Give a list that grows with each wish to stop; handlers do nothing else, whatever they interrupt."""
    asked: list[int] = []
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in names:
            number = getattr(signal, name, None)
            if number is not None:
                before[number] = signal.signal(number, lambda got, _: asked.append(got))
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@attrs.frozen(kw_only=True)
class Count:
    """How far a worker is.

    Attributes:
        done: How many attempts have ended.
        states: In which state, by its name.
        rate: How many a second, since the start.
        seconds: Since the start.
        expected: How many waited then, or None.
    """

    done: int
    states: Mapping[str, int]
    rate: float
    seconds: float
    expected: int | None

    def __str__(self) -> str:
        states = ", ".join(f"{count:,} {name}" for name, count in self.states.items()) or "nothing"
        of = f" of {self.expected:,}" if self.expected is not None else ""
        return f"{self.done:,}{of} ({states}), {self.rate:.1f} a second"


class Progress:
    """Counts from the start.

    Args:
        expected: How many waited then, or None.
    """

    def __init__(self, expected: int | None) -> None:
        self._expected = expected
        self._started = time.monotonic()

    def now(self, counted: Mapping[Standing, int]) -> Count:
        """Return how far it is, by what a worker has counted."""
        seconds = time.monotonic() - self._started
        ended = {state: count for state, count in counted.items() if state is not Standing.QUEUED}
        states = {state.value: count for state, count in ended.items() if count}
        done = sum(states.values())
        return Count(
            done=done,
            states=states,
            rate=round(done / seconds, 2) if seconds else 0.0,
            seconds=round(seconds, 3),
            expected=self._expected,
        )


@contextlib.contextmanager
def _shown(state: State, progress: Progress) -> Iterator[Any]:
    """Give what shows the count: a terminal's line that changes, or a line now and then."""
    if sys.stderr.isatty() and not state.json:
        with console(on_stderr=True).status("Working ...") as status:
            yield _every(SHOWN, lambda counted: status.update(f"Working: {progress.now(counted)}"))
    else:
        yield _every(TOLD, lambda counted: _say_progress(state, progress.now(counted)))


def _every(seconds: float, show: Any) -> Any:
    """Return what calls *show* when so long has passed since it last did, and something has changed."""
    last: list[Any] = [time.monotonic(), {}]

    def shown(counted: Mapping[Standing, int]) -> None:
        if counted != last[1] and time.monotonic() - last[0] >= seconds:
            last[:] = [time.monotonic(), counted]
            show(counted)

    return shown


def _say_progress(state: State, count: Count) -> None:
    if state.json:
        _print_line("progress", count)
    else:
        say(str(count))


def _say_end(state: State, count: Count, *, stopped: bool) -> None:
    if state.json:
        _print_line("stopped" if stopped else "ended", count)
    else:
        say(f"{'Stopped' if stopped else 'Done'}: {count}.")


def _print_line(event: str, count: Count) -> None:
    click.echo(json.dumps({"event": event, **plain(count)}))
    sys.stdout.flush()
