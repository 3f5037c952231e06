"""A password or token is nowhere but on the wire: not in traces, errors, receipts, findings or representations."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from pillarbox import Journal, PillarboxError
from pillarbox.testing.smtp_server import ESCAPES, Behaviour, Reply, SmtpFault, Turn, Usual, every_fault
from pillarbox_smtp import SmtpTransport
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import ORDERS, PASSWORD, TOKEN, submission


def _forms(secret: str) -> Iterator[str]:
    """Give the forms in which a secret could show: itself, encoded alone, and within PLAIN, XOAUTH2 and OAUTHBEARER."""
    yield secret
    for text in (
        secret,
        f"\0{ORDERS}\0{secret}",
        f"user={ORDERS}\1auth=Bearer {secret}\1\1",
        f"n,a={ORDERS},\1auth=Bearer {secret}\1\1",
    ):
        yield base64.b64encode(text.encode()).decode()


CANARIES = [form for secret in (PASSWORD, TOKEN) for form in _forms(secret)]


def _clean(*texts: object) -> bool:
    shown = "\n".join(str(text) + repr(text) for text in texts)
    return not any(canary in shown for canary in CANARIES)


def _chain(error: BaseException) -> str:
    """Return the whole printed traceback of *error*, with what it came from."""
    return "".join(traceback.format_exception(error))


def _outcome(transport: SmtpTransport) -> list[object]:
    try:
        return [transport.send(submission(), Journal())]
    except PillarboxError as error:
        return [error, error.args, vars(error), _chain(error)]


def _echo(turn: Turn) -> Behaviour:
    """Repeat what the client said, as it came and decoded, in a refusal."""
    said = turn.line.decode("latin-1").split()
    decoded = [base64.b64decode(word + "==").decode("latin-1") for word in said[-1:] if len(word) > 8]
    texts = [text.replace("\r", "").replace("\n", "") for text in (*said, *decoded)]
    return Reply(535, "5.7.8 " + " ".join(texts), *(f"5.7.8 {text}" for text in texts if text))


@pytest.mark.parametrize(
    ("mechanism", "given"),
    [
        ("PLAIN", {"username": ORDERS}),
        ("LOGIN", {"username": ORDERS}),
        ("CRAM-MD5", {"username": ORDERS, "sasl": ("CRAM-MD5",)}),
        ("XOAUTH2", {"username": ORDERS, "password": None, "sign_in": "m365"}),
        ("OAUTHBEARER", {"username": ORDERS, "password": None, "sign_in": "m365"}),
    ],
)
def test_server_that_repeats_the_secret(
    serve: Serve, connect: Connect, mechanism: str, given: dict[str, Any]
) -> None:
    """What a hostile server says back, in any form, is blanked out of errors, traces and findings."""
    lines: list[str] = []
    script = {"auth-continue": _echo} | ({"auth": _echo} if mechanism not in {"LOGIN", "CRAM-MD5"} else {})
    if mechanism == "CRAM-MD5":
        script["auth"] = lambda turn: Reply(334, base64.b64encode(b"<1@mail.example>").decode())
    server = serve(users={ORDERS: PASSWORD}, mechanisms=(mechanism,), at=script)
    transport = connect(server, trace=lines.append, **given)
    told = [*_outcome(transport), *transport.check()]
    assert "refused the sign-in" in str(told[0])
    assert lines
    assert _clean(*told, *lines, transport.settings, transport)


def test_server_that_repeats_the_secret_later(serve: Serve, connect: Connect, users: dict[str, str]) -> None:
    """What was sent stays blanked out for the life of the connection, in the receipt too."""
    words = f"2.0.0 {PASSWORD} queued as {base64.b64encode(f'{chr(0)}{ORDERS}{chr(0)}{PASSWORD}'.encode()).decode()}"
    in_base64 = base64.b64encode(PASSWORD.encode()).decode()
    lines: list[str] = []
    server = serve(users=users, at={"dot": Reply(250, f"{words} {in_base64}")})
    told = _outcome(connect(server, trace=lines.append, username=ORDERS))
    assert "[secret]" in repr(told)
    assert _clean(*told, *lines)
    assert in_base64.rstrip("=") not in repr((told, lines))


@pytest.mark.parametrize(
    "fault", list(every_fault(kinds=("5xx", "garbage", "cut", "421", "half-line", "mixed"))), ids=str
)
def test_no_fault_lets_it_out(
    serve: Serve, connect: Connect, users: dict[str, str], caplog: pytest.LogCaptureFixture, fault: SmtpFault
) -> None:
    """At whatever point a conversation breaks, nothing that is told or logged holds the secret."""
    if fault.needs_tls:
        fault_at = {point: behaviour for point, behaviour in fault.at.items() if point == "ehlo"}
    else:
        fault_at = dict(fault.at)
    lines: list[str] = []
    caplog.set_level(logging.DEBUG)
    server = serve(users=users, at=fault_at, mechanisms=fault.mechanisms)
    transport = connect(server, trace=lines.append, username=ORDERS, timeout=2.0)
    told = _outcome(transport)
    transport.close()
    assert _clean(*told, *lines, caplog.text)


def test_trace(serve: Serve, connect: Connect, users: dict[str, str]) -> None:
    """A trace shows the conversation; of the sign-in only that there was one, of the content only its size."""
    lines: list[str] = []
    server = serve(users=users, mechanisms=("LOGIN",))
    transport = connect(server, trace=lines.append, username=ORDERS)
    transport.send(submission(), Journal())
    transport.close()
    at = lines.index("C: AUTH LOGIN")
    assert lines[at + 1 : at + 6] == [
        "S: 334 [redacted]",
        "C: [redacted]",
        "S: 334 [redacted]",
        "C: [redacted]",
        "S: 235 2.7.0 signed in",
    ]
    assert lines[-7:] == [
        "C: DATA",
        "S: 250 2.1.0 sender ok",
        "S: 250 2.1.5 recipient ok",
        "S: 354 go ahead",
        "C: [43 octets of content]",
        "S: 250 2.0.0 queued as scripted-1",
        "C: QUIT",
    ]


def test_trace_shows_no_escapes(serve: Serve, connect: Connect) -> None:
    """What a server puts into its words does not reach the terminal that a trace is shown on (rule 39)."""
    lines: list[str] = []
    connect(serve(at={"dot": Reply(250, f"{ESCAPES} ok")}), trace=lines.append).send(submission(), Journal())
    assert lines[-1] == "S: 250 [2J]0;titleesrever31m ok"


def test_short_passwords_blank_out_nothing_else(serve: Serve) -> None:
    """A password of three letters is not searched for: it would be found in any text."""
    from pillarbox_smtp import Encryption
    from tests.plugins.smtp.givens import Known, signing_in

    server = serve(users={ORDERS: "ok"}, at={"auth": Usual()})
    with SmtpTransport(signing_in(port=server.port, encryption=Encryption.NONE), Known("ok")) as transport:
        assert (
            transport.send(submission(), Journal()).recipients["ap@customer.example"].said == "recipient ok"
        )
