"""The pages of what pillarbox says: errors, exit codes, findings, events, states."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping

import pillarbox
from docs import facts
from docs.tables import code, section, table
from pillarbox import _log, _mail


def errors() -> str:
    rows = (
        (
            f"{INDENT * depth}`{one.__name__}`",
            one.exit_code,
            first_sentence(one),
            code(carried_by(one)),
        )
        for depth, one in facts.errors()
    )
    return f"""# Errors

Each is named by what the caller does next, and stands below the one it is a kind of: who catches `SettingsError` catches
`NoMethod` too. `detail` says what happened, `cure` what to do; `str(error)` is both. The command exits with the number given.

[What an outcome means](../explanation/outcomes.md) says what to do about each;
[Handle what a send ends in](../how-to/handle-outcomes.md) shows it in code.

{table(("error", "exit", "meaning", "carries"), rows)}"""


INDENT = "&emsp;"


def first_sentence(one: type) -> str:
    return (inspect.getdoc(one) or "").partition("\n\n")[0]


def carried_by(one: type) -> list[str]:
    """Return the attributes that a class of errors describes itself, those of its parents aside."""
    return list(facts.attribute_texts(one)) if "__doc__" in vars(one) else []


def exit_codes() -> str:
    from pillarbox.cli._app import _EXIT_CODES

    def raised(number: int) -> str:
        return code(one.__name__ for _, one in facts.errors() if one.exit_code == number) or "-"

    rows = ((f"`{number}`", meaning, raised(number)) for number, meaning in _EXIT_CODES.items())
    return f"""# Exit codes

Those of the command `pillarbox`, after BSD's sysexits. They are stable: scripts may decide by them. `check` ends with the
code of its first stage that failed. `status` and `worker --drain` end with 70 when something is held for a person, 75 when
something waits, and 77 when somebody has to sign in again. `1` is an answer of *no* to a question, a pipe that was closed, or a demo that did not
find what had to arrive.

{table(("code", "meaning", "the errors behind it"), rows)}"""


def findings() -> str:
    def rows(title: str, codes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name, meaning in codes.items():
            yield f'<a id="{anchor(title, name)}"></a>`{name}`', meaning

    parts = "\n".join(
        section(title, table(("code", "meaning"), rows(title, codes)))
        for title, codes in facts.findings().items()
    )
    return f"""# Findings

What `pillarbox check` and `Mailer.check` may say, by its stable code; and, of a change of method, `pillarbox advise` and
`Mailer.advise`. A finding also has a stage, a level (`ok`, `warn`, `fail`, `skip`), what was seen, and a cure. Each code can be linked to, by its part of the page and its name:
`findings.html#smtp-tls-expired`.

{parts}"""


def anchor(title: str, code: str) -> str:
    """Return where the *code* of the part *title* stands on the page of findings; it stays as it is."""
    return f"{title.lower().replace(' ', '-')}-{code}"


def events() -> str:
    def rows() -> Iterator[tuple[str, str, str, str]]:
        for name, meaning in _log.EVENTS.items():
            logged = facts.logged_as(name)
            yield (
                f"`{name}`",
                code({one.level: 0 for one in logged}),
                code(fields_of(logged)),
                meaning,
            )

    return f"""# Log events

pillarbox logs through the standard library's logger `pillarbox`, and prints nothing. The event is the record's message;
its fields are attributes of the record. No address, no secret and no text of a message is ever in one.
[Log, count and audit](../how-to/logging.md) shows how to listen.

{table(("event", "level", "fields", "what happened"), rows())}"""


def fields_of(logged: Iterable[facts.LoggedEvent]) -> dict[str, int]:
    return {field: 0 for one in logged for field in one.fields}


def states() -> str:
    def rows() -> Iterator[tuple[str, str, str]]:
        for state, after in _mail.TRANSITIONS.items():
            ways = code(one.value for one in pillarbox.State if one in after)
            yield f"`{state.value}`", MEANINGS[state], ways or "nothing; it is over"

    return f"""# States

Where a submission stands in an outbox, and where it may go from there: `pillarbox.outbox.TRANSITIONS`.
[The states of a submission](../explanation/states.md) draws them and says why.

{table(("state", "what it means", "may become"), rows())}"""


MEANINGS = {
    pillarbox.State.QUEUED: "waits for its time, or for a worker",
    pillarbox.State.CLAIMED: "one worker has it; nothing has left yet",
    pillarbox.State.ATTEMPTING: "the hand-over has begun: the carrier may have it",
    pillarbox.State.ACCEPTED: "the carrier took charge of it",
    pillarbox.State.REJECTED: "was refused for good, or can't be sent",
    pillarbox.State.DEFERRED: "did not leave, and waits to be tried again",
    pillarbox.State.UNKNOWN: "was handed over, and no valid answer came",
    pillarbox.State.HELD: "waits for a person to decide",
    pillarbox.State.CANCELLED: "somebody took it back before anything left",
}
