"""Every state meets every class of reply and every way to be cut off; a hand-written table says what each is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pillarbox import (
    Answer,
    AnswerState,
    MessageError,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendError,
    SendRejected,
    SignInNeeded,
)
from pillarbox_smtp import sasl
from pillarbox_smtp.capabilities import Capabilities
from pillarbox_smtp.judgement import Broken, How
from pillarbox_smtp.protocol import Phase, Session, Steps
from tests.plugins.smtp.givens import ALL, CONTENT, CUSTOMER, NONE, OTHER, play, transaction, written

ACCEPTED = {CUSTOMER: Answer(AnswerState.ACCEPTED, "", "250")}
MEANS: dict[str, type] = {
    "ok": type(None),
    "ACC": Receipt,
    "def": SendDeferred,
    "rej": SendRejected,
    "sign": SignInNeeded,
    "UNK": OutcomeUnknown,
    "ask": int,  # the conversation goes on with another question; told apart below
}
REPLIES = ("220", "235", "250", "334", "354", "421", "451", "530", "554")
CUTS = {"shut": How.CLOSED, "rst": How.RESET, "mute": How.SILENT, "jam": How.STALLED, "junk": How.GARBAGE}

# What each reply, or its absence, means in each state. `ask` means that the next question follows.
TABLE = """
state           220  235  250  334  354  421  451  530  554  shut rst  mute jam  junk
greeting        ask  def  def  def  def  def  def  def  def  def  def  def  def  def
ehlo            def  def  ok   def  def  def  def  ask  ask  def  def  def  def  def
helo            def  def  ok   def  def  def  def  def  def  def  def  def  def  def
starttls        ok   def  def  def  def  def  def  def  def  def  def  def  def  def
auth-plain      def  ok   def  def  def  def  def  sign sign def  def  def  def  def
auth-login      def  ok   def  ask  def  def  def  sign sign def  def  def  def  def
auth-scram      def  def  def  def  def  def  def  sign sign def  def  def  def  def
auth-xoauth2    def  ok   def  ask  def  def  def  sign sign def  def  def  def  def
mail            ask  ask  ask  def  def  def  def  sign rej  def  def  def  def  def
rcpt            ask  ask  ask  def  def  def  def  sign rej  def  def  def  def  def
data            def  def  def  def  ok   def  def  sign rej  def  def  def  def  def
dot             UNK  UNK  ACC  UNK  UNK  def  def  sign rej  UNK  UNK  UNK  UNK  UNK
half-content    def  def  def  def  def  def  def  sign rej  def  def  def  def  def
rset            def  def  ok   def  def  def  def  def  def  def  def  def  def  def
noop            def  def  ok   def  def  def  def  def  def  def  def  def  def  def
try-sender      ok   ok   ok   def  def  def  def  sign rej  def  def  def  def  def
try-recipient   ok   ok   ok   def  def  def  def  sign rej  def  def  def  def  def
"""


def _session(offered: Capabilities = NONE) -> Session:
    session = Session("mail.example", "[127.0.0.1]", encrypted=True)
    session.offered = offered
    session.phase = Phase.READY
    return session


_ALONE = transaction(NONE)
# How each state is reached: the steps, and the answers that lead to it.
STATES: dict[str, tuple[Callable[[], Steps[Any]], tuple[bytes, ...]]] = {
    "greeting": (lambda: _session().greet(), ()),
    "ehlo": (lambda: _session().hello(), ()),
    "helo": (lambda: _session().hello(), (b"502 no\r\n",)),
    "starttls": (lambda: _session(ALL).start_tls(), ()),
    "auth-plain": (lambda: _session(ALL).sign_in(sasl.plain("anna", "secret")), ()),
    "auth-login": (lambda: _session(ALL).sign_in(sasl.login("anna", "secret")), ()),
    "auth-scram": (lambda: _session(ALL).sign_in(sasl.ScramSha256("anna", "secret", "nonce")), ()),
    "auth-xoauth2": (lambda: _session(ALL).sign_in(sasl.xoauth2("anna", "token")), ()),
    "mail": (lambda: _session().announce(_ALONE), ()),
    "rcpt": (lambda: _session().announce(_ALONE), (b"250 ok\r\n",)),
    "data": (lambda: _session().announce(_ALONE), (b"250 ok\r\n", b"250 ok\r\n")),
    "dot": (lambda: _session().content(_ALONE, ACCEPTED), ()),
    "half-content": (lambda: _session().content(_ALONE, ACCEPTED), ()),
    "rset": (lambda: _session().reset(), ()),
    "noop": (lambda: _session().still_there(), ()),
    "try-sender": (lambda: _session().try_sender(CUSTOMER), ()),
    "try-recipient": (lambda: _session().try_recipient(CUSTOMER), ()),
}


def _cells() -> Iterator[tuple[str, str, str]]:
    head, *rows = (line.split() for line in TABLE.strip().splitlines())
    for state, *meanings in rows:
        yield from ((state, event, meaning) for event, meaning in zip(head[1:], meanings, strict=True))


def _answer(state: str, event: str) -> bytes | Broken:
    """Return the reply of that code, or the way the exchange breaks; half-content breaks with the reply before its end."""
    reply = f"{event} d29yZHM=\r\n".encode() if event.isdigit() else b""
    size = sum(map(len, _ALONE.pieces))
    if state == "half-content":
        early = [] if not reply else [_reply(reply)]
        return Broken(CUTS.get(event, How.RESET), replies=early, written=size - 1)
    return reply or Broken(CUTS[event], "words", written=size)


def _reply(octets: bytes) -> Any:
    from tests.plugins.smtp.givens import replies

    return replies(octets)[0]


def test_table_is_whole() -> None:
    """The table has a row for each state, and a column for each reply and each cut."""
    cells = list(_cells())
    assert {state for state, _, _ in cells} == set(STATES)
    assert {event for _, event, _ in cells} == {*REPLIES, *CUTS}
    assert len(cells) == len(STATES) * (len(REPLIES) + len(CUTS))


@pytest.mark.parametrize(("state", "event", "meaning"), list(_cells()))
def test_every_state_meets_everything(state: str, event: str, meaning: str) -> None:
    """Each cell of the table."""
    steps, before = STATES[state]
    asks, outcome = play(steps(), *before, _answer(state, event))
    if meaning == "ask":
        assert isinstance(outcome, IndexError), outcome
        assert len(asks) == len(before) + 2
    else:
        assert type(outcome) is (dict if (state, meaning) == ("data", "ok") else MEANS[meaning]), outcome
        assert len(asks) == len(before) + 1


_CODES = {
    "+": b"250 ok\r\n",
    "-": b"550 no\r\n",
    "~": b"450 later\r\n",
    "!": b"421 bye\r\n",
    ">": b"354 go\r\n",
}


@pytest.mark.parametrize("told", ["".join(told) for told in itertools.product("+-~", "+-~", "+-~", "+-~>")])
@pytest.mark.parametrize("cut", [None, *range(4)])
@pytest.mark.parametrize("offered", [NONE, ALL], ids=["lock-step", "pipelined"])
def test_every_announcement(told: str, cut: int | None, offered: Capabilities) -> None:
    """MAIL, two RCPT and DATA, each answered in each way, whole or cut: before content nothing is ever unknown.

    Content goes only to a server that took the sender and a recipient and then asked for it; a refusal is final
    only when each that led to it is.
    """
    outcome, session = _announced(told, cut, offered)
    reached = told if cut is None else told[:cut]
    if reached[:1] == "+" and "+" in reached[1:3] and reached[3:] == ">":
        assert isinstance(outcome, dict)
        assert session.phase is Phase.AWAITED
        return
    assert session.phase is not Phase.AWAITED
    assert type(outcome) is _refusal(reached), (reached, outcome)


def _refusal(told: str) -> type[Exception]:
    """Return what answers that don't lead to the content mean, `told` as far as they came."""
    mail, recipients, data = told[:1], told[1:3], told[3:]
    if mail != "+":
        return SendRejected if mail == "-" else SendDeferred
    if len(recipients) == 2 and "+" not in recipients:
        return SendRejected if recipients == "--" else SendDeferred
    return SendRejected if data == "-" else SendDeferred


def _announced(told: str, cut: int | None, offered: Capabilities) -> tuple[Any, Session]:
    session = _session(offered)
    given = transaction(offered, to=(CUSTOMER, OTHER))
    answers: list[bytes | Broken]
    if offered.pipelining:
        replies = [_CODES[one] for one in told[:cut]]
        whole = b"".join(replies)
        answers = [whole if cut is None else Broken(How.CLOSED, replies=[_reply(one) for one in replies])]
        lone_dot = cut is None and told[0] == "+" and "+" not in told[1:3] and told[3] == ">"
        answers += [b"250 ok\r\n"] * lone_dot
    else:
        answers = [
            *(_CODES[one] for one in _asked_in_turn(told[:cut])),
            *([Broken(How.CLOSED)] if cut is not None else []),
        ]
        answers = answers[: len(_asked_in_turn(told))]
    _, outcome = play(session.announce(given), *answers)
    return outcome, session


def _asked_in_turn(told: str) -> str:
    """Return those answers that a client in lock-step waits for: no RCPT after a refused MAIL, no DATA without a recipient."""
    if told[:1] in {"-", "~"}:
        return told[:1]
    return told[:3] if len(told) > 2 and "+" not in told[1:3] else told


def test_all_recipients_refused_and_content_awaited() -> None:
    """The trap of RFC 2920 3.1: a lone dot, and its 250 is not an acceptance."""
    session = _session(ALL)
    asks, outcome = play(
        session.announce(transaction()), b"250 ok\r\n550 5.1.1 no\r\n354 go\r\n", b"250 ok\r\n"
    )
    assert asks[-1].data == (b".\r\n",)
    assert type(outcome) is SendRejected
    assert outcome.recipients[CUSTOMER].state is AnswerState.REFUSED
    assert session.phase is Phase.BEGUN


@pytest.mark.parametrize(
    "told",
    [b"550 no\r\n250 ok\r\n354 go\r\n", b"550 no\r\n503 no\r\n354 go\r\n", b"354 go\r\n250 ok\r\n250 ok\r\n"],
)
def test_content_awaited_for_a_refused_sender(told: bytes) -> None:
    """A server that refused the sender and wants content gets no dot: the line can only be cut."""
    session = _session(ALL)
    asks, outcome = play(session.announce(transaction()), told)
    assert len(asks) == 1
    assert isinstance(outcome, SendError)
    assert session.phase is Phase.OVER


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("offered", [NONE, ALL], ids=["lock-step", "pipelined"])
def test_421_ends_an_announcement_anywhere(position: int, offered: Capabilities) -> None:
    """421 is deferred at every point, and nothing more is waited for."""
    told = [*[b"250 ok\r\n"] * position, b"421 4.3.2 bye\r\n"]
    session = _session(offered)
    answers = [b"".join(told)] if offered.pipelining else told
    _, outcome = play(session.announce(transaction(offered, to=(CUSTOMER, OTHER))), *answers)
    assert type(outcome) is SendDeferred
    assert (session.phase, session.gone) == (Phase.OVER, True)


def test_greeting_to_helo() -> None:
    """A server that does not know EHLO is greeted with HELO, and offers nothing."""
    session = _session(ALL)
    asks, outcome = play(session.greet(), b"220 hello\r\n", b"500 what?\r\n", b"250 mail.example\r\n")
    assert (outcome, session.offered, session.phase) == (None, Capabilities(), Phase.READY)
    assert written(asks) == b"EHLO [127.0.0.1]\r\nHELO [127.0.0.1]\r\n"


def test_offer_is_forgotten_under_encryption() -> None:
    """What was offered in clear does not count after STARTTLS (RFC 3207 4.2)."""
    session = _session(ALL)
    session.secured()
    assert (session.offered, session.encrypted) == (Capabilities(), True)


def test_starttls_that_is_not_offered() -> None:
    """Without the offer nothing is said, and the cure is named."""
    asks, outcome = play(_session(NONE).start_tls())
    assert asks == []
    assert isinstance(outcome, SendDeferred)
    assert "encryption = tls" in outcome.cure


def test_challenge_that_is_not_base64() -> None:
    """A sign-in whose challenge makes no sense ends before anything more is said."""
    asks, outcome = play(_session(ALL).sign_in(sasl.login("anna", "secret")), b"334 ???\r\n")
    assert len(asks) == 1
    assert isinstance(outcome, SendDeferred)


def test_scram_server_that_skips_its_proof() -> None:
    """235 before the server proved to know the password is not a sign-in."""
    session = _session(ALL)
    dialogue = sasl.ScramSha256("user", "pencil", "nonce")
    first = b"cj1ub25jZXgscz1XMjJaYUowU05ZN3NvRXNVRWpiNmdRPT0saT00MDk2"  # r=noncex,s=...,i=4096
    _, outcome = play(session.sign_in(dialogue), b"334 " + first + b"\r\n", b"235 welcome\r\n")
    assert isinstance(outcome, SendDeferred)
    assert session.phase is Phase.OVER


def test_empty_initial_response() -> None:
    """A response without an octet is written as an equals sign (RFC 4954 4)."""

    class Anonymous:
        name = "EXTERNAL"
        secrets: tuple[str, ...] = ()
        proven = True

        def first(self) -> bytes:
            return b""

        def respond(self, challenge: bytes) -> bytes:
            raise AssertionError(challenge)

    asks, _ = play(_session().sign_in(Anonymous()), b"235 ok\r\n")
    assert written(asks) == b"AUTH EXTERNAL =\r\n"


def test_one_write_with_pipelining() -> None:
    """MAIL, RCPT and DATA are one question."""
    asks, _ = play(_session(ALL).announce(transaction()), b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert [len(ask.data) for ask in asks] == [1]
    assert asks[0].data[0] == b"".join(transaction().commands)


def test_next_announcement_behind_the_content() -> None:
    """The next message's commands follow the dot; their answers are waited for when its turn comes."""
    session, first, second = _session(ALL), transaction(), transaction(number=2)
    asks, receipt = play(session.content(first, ACCEPTED, second), b"250 queued as A1\r\n")
    assert asks[0].data == (*first.pieces, *second.commands)
    assert (asks[0].replies, asks[0].ahead, session.phase) == (1, 3, Phase.AHEAD)
    assert isinstance(receipt, Receipt)
    asks, answers = play(session.announce(second), b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert (asks[0].data, isinstance(answers, dict), session.phase) == ((), True, Phase.AWAITED)


def test_refusal_of_content_leaves_the_next_announced() -> None:
    """A complete 5xx to the dot is an answer; the conversation goes on."""
    session, second = _session(ALL), transaction(number=2)
    _, outcome = play(session.content(transaction(), ACCEPTED, second), b"554 5.7.1 spam\r\n")
    assert isinstance(outcome, SendRejected)
    assert (session.phase, session.ahead) == (Phase.AHEAD, second)


def test_reset_after_a_refusal() -> None:
    """What was begun and refused is reset before the next message."""
    session = _session(ALL)
    play(session.announce(transaction()), b"250 ok\r\n550 no\r\n503 no\r\n")
    asks, _ = play(session.announce(transaction(number=2)), b"250 ok\r\n", b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert asks[0].data == (b"RSET\r\n",)


def test_partial_refusal_is_a_receipt() -> None:
    """Each recipient's answer stands in the receipt, with the server's words."""
    session = _session(ALL)
    given = transaction(to=(CUSTOMER, OTHER))
    _, answers = play(session.announce(given), b"250 ok\r\n250 2.1.5 fine\r\n452 4.2.2 full\r\n354 go\r\n")
    assert isinstance(answers, dict)
    _, receipt = play(session.content(given, answers), b"250 2.0.0 Ok: queued as 4Xk2Pq1mZ\r\n")
    assert isinstance(receipt, Receipt)
    assert receipt.reference == "4Xk2Pq1mZ"
    assert receipt.recipients[CUSTOMER] == Answer(AnswerState.ACCEPTED, "fine", "250 2.1.5")
    assert dict(receipt.refused) == {OTHER: Answer(AnswerState.REFUSED_FOR_NOW, "full", "452 4.2.2")}


def test_all_refused_partly_for_now() -> None:
    """One recipient refused for now makes the whole worth another try."""
    given = transaction(to=(CUSTOMER, OTHER))
    _, outcome = play(
        _session(ALL).announce(given), b"250 ok\r\n550 5.1.1 no\r\n450 4.2.1 later\r\n503 no\r\n"
    )
    assert type(outcome) is SendDeferred
    assert [answer.state for answer in outcome.recipients.values()] == [
        AnswerState.REFUSED,
        AnswerState.REFUSED_FOR_NOW,
    ]


@pytest.mark.parametrize(
    "told", [b"554 5.7.1 spam\r\n", b"354 what\r\n", Broken(How.SILENT, written=10_000), Broken(How.RESET)]
)
def test_nobody_is_accepted_of_a_message_that_is_not(told: bytes | Broken) -> None:
    """An error names those who were refused, and does not call the others accepted."""
    session = _session(ALL)
    given = transaction(to=(CUSTOMER, OTHER))
    _, answers = play(session.announce(given), b"250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n")
    assert isinstance(answers, dict)
    _, outcome = play(session.content(given, answers), told)
    assert isinstance(outcome, SendError)
    assert list(outcome.recipients) == [OTHER]


def test_content_is_never_asked_for_twice() -> None:
    """Content of a message goes into one question, whole."""
    asks, _ = play(_session().content(_ALONE, ACCEPTED), b"250 ok\r\n")
    assert [b"".join(ask.data) for ask in asks] == [CONTENT + b".\r\n"]


def test_probing_checks_the_address() -> None:
    """An address that is none is not put into a probe either."""
    _, outcome = play(_session().try_sender("a@b.example> x"))
    assert isinstance(outcome, MessageError)
