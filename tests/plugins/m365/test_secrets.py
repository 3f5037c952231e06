"""A token, an upload's address, a registration's secret: nowhere but on the wire."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from pillarbox import (
    Account,
    App,
    Attachment,
    Journal,
    PillarboxError,
    Refused,
    Secret,
    SendDeferred,
    SettingsError,
    SignIn,
)
from pillarbox.testing.graph import Answer, FakeGraph, Fault
from pillarbox_m365 import M365App, M365Connector, M365Settings, Mode
from pillarbox_m365.authority import Authority
from tests.core.exchange.peer import Peer, answer
from tests.plugins.m365.givens import CONFIRM, ORDERS, SEND, Holder, outcome_of, submission, transport

CANARY = "canary-3b9e-token"
SECRET = "canary-77aa-client-secret"


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Everything that anybody logs."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.getMessage()} {vars(record)!r}")

    handler, root = Keeping(level=0), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield lines
    root.setLevel(level)
    root.removeHandler(handler)


def words_of(error: BaseException) -> str:
    """Return all that an error says, and those behind it, suppressed or not."""
    said, one = [], error
    while one is not None:
        said += [str(one), repr(one), repr(vars(one)), "".join(traceback.format_exception(one))]
        one = one.__cause__ or one.__context__  # type: ignore[assignment]
    return "\n".join(said)


def test_an_uploads_address(graph: FakeGraph, logged: list[str]) -> None:
    """Whoever has it can add to the draft; it is in no trace, no log, no note and no error."""
    lines: list[str] = []
    graph.fault("range", Fault.ERROR, after=1, times=9)
    journal = Journal()
    with transport(graph, trace=lines.append) as one:
        error = outcome_of(one, submission(attachments=[Attachment("a.bin", bytes(5_000_000))]), journal)
    assert isinstance(error, PillarboxError)
    (upload,) = graph._office.uploads.values()
    told = "\n".join([*lines, *logged, words_of(error), repr(journal.notes), repr(one), repr(one._kept)])
    assert "(upload)" in told
    assert upload.secret not in told


@pytest.mark.parametrize("step", ["draft", "send", "sendMail", "range", "session"])
def test_a_server_that_repeats_what_it_was_shown(graph: FakeGraph, step: str) -> None:
    """A token or an upload's address in its words is blanked out before anybody reads them."""
    scopes = SEND if step == "sendMail" else CONFIRM
    token = graph.token(ORDERS, *scopes)
    shown = {"range": lambda: next(iter(graph._office.uploads.values())).secret}.get(step, lambda: token)
    real = graph.refusal

    def refusal(plan):
        import attrs

        return real(
            attrs.evolve(plan, fault=Answer(400, "ErrorInvalidRequest", f"You said Bearer {shown()}."))
        )

    graph.refusal = refusal
    graph.fault(step, Answer(400, "ErrorInvalidRequest"), times=9)
    files = [Attachment("a.bin", bytes(5_000_000))] if step in {"range", "session"} else ()
    with transport(graph, credentials=Holder(token, scopes=scopes)) as one:
        error = outcome_of(one, submission(attachments=files))
    assert isinstance(error, PillarboxError)
    assert "You said Bearer" in words_of(error)
    assert token not in words_of(error)
    assert step != "range" or shown() not in words_of(error)


class TestTheAuthority:
    """What MSAL is told, and what it would tell others."""

    @pytest.mark.parametrize(
        "says",
        [
            answer("200 OK", f"no JSON {CANARY} {SECRET}".encode()),
            answer("400 Bad", f"<p>{CANARY} {SECRET}".encode()),
            answer("404 Not Found", f"{CANARY} {SECRET}".encode()),
            answer("500 Error", f"{CANARY} {SECRET}".encode()),
            answer("302 Found", b"", f"Location: https://evil.example/{SECRET}"),
        ],
        ids=["no json", "a page", "unknown", "broken", "redirect"],
    )
    def test_what_an_authority_says_of_a_secret_is_repeated_nowhere(
        self, says: bytes, logged: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither at the description nor at the token."""
        monkeypatch.setenv("M365_SECRET", SECRET)
        with Peer(says) as peer:
            error = _asked(peer, monkeypatch)
        assert CANARY not in words_of(error)
        assert SECRET not in words_of(error)
        assert not any(CANARY in line or SECRET in line for line in logged)

    def test_a_token_that_was_got(self, logged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """It is sealed, and shown by nothing."""
        monkeypatch.setenv("M365_SECRET", SECRET)
        token = {"access_token": CANARY, "expires_in": 3600, "token_type": "Bearer"}
        with Peer(
            _description, answer("200 OK", json.dumps(token).encode(), "Content-Type: application/json")
        ) as peer:
            connected = _finished(peer, monkeypatch)
        assert CANARY.encode() in connected.secret
        assert CANARY not in repr(connected)
        assert not any(CANARY in line or SECRET in line for line in logged)


@pytest.mark.parametrize("status", ["403 Forbidden", "200 OK"])
def test_a_proxy_that_answers_in_its_place_ends_no_sign_in(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """It says nothing about the account, which is asked about again later."""
    monkeypatch.setenv("M365_SECRET", SECRET)
    with Peer(_description, answer(status, b"{}", "Content-Type: application/json")) as peer:
        assert isinstance(_asked(peer, monkeypatch), SendDeferred)


def test_a_sign_in_without_a_refresh_token_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would end within the hour, and say so only then."""
    monkeypatch.setenv("M365_SECRET", SECRET)
    account = Account(owner="company", method="m365", mailbox=ORDERS, settings=M365Settings())
    wish = SignIn(account=account, redirect_uri="https://erp.example/back", state="s")
    given: dict[str, object] = {"access_token": CANARY, "expires_in": 3600}

    def token(client, _: bytes) -> None:
        client.sendall(answer("200 OK", json.dumps(given).encode(), "Content-Type: application/json"))

    with Peer(_description, _description, token) as peer:
        app = _app(peer, monkeypatch)
        prompt = M365Connector().start(app, wish)
        (nonce,) = parse_qs(urlsplit(prompt.url).query)["nonce"]
        claims = {"iss": "https://127.0.0.1/t/v2.0", "aud": "c", "sub": "1", "nonce": nonce, "exp": 9e9}
        middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        given["id_token"] = f"e30.{middle}."
        answered = M365Connector().finish(app, wish, prompt.kept, {"state": "s", "code": "x"})
    assert isinstance(answered, Refused)
    assert answered.detail == "it gave no refresh token"


def _description(client, _: bytes) -> None:
    host = "https://127.0.0.1/t"
    told = {
        "issuer": f"{host}/v2.0",
        "authorization_endpoint": f"{host}/authorize",
        "token_endpoint": f"{host}/token",
    }
    client.sendall(
        answer("200 OK", json.dumps(told).encode(), "Content-Type: application/json", "Connection: close")
    )


def _app(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> App:
    """Return a registration at *peer*: every connection to an authority leads there, in clear."""
    from pillarbox._exchange import line

    real = line.Line.exchange

    def exchange(self, request, seconds):
        import attrs

        parts = line.urlsplit(request.url)
        return real(
            self,
            attrs.evolve(request, url=parts._replace(scheme="http", netloc=peer.url[7:]).geturl()),
            seconds,
        )

    monkeypatch.setattr(line.Line, "exchange", exchange)
    return App(
        M365App(
            client_id="c", tenant="t", authority="https://127.0.0.1", client_secret=Secret(env="M365_SECRET")
        )
    )


def _finished(peer: Peer, monkeypatch: pytest.MonkeyPatch):
    account = Account(owner="company", method="m365", mailbox=ORDERS, settings=M365Settings(mode=Mode.APP))
    return M365Connector().finish(_app(peer, monkeypatch), SignIn(account=account), b"", None)


def _asked(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> BaseException:
    with pytest.raises(PillarboxError) as caught:
        _finished(peer, monkeypatch)
    return caught.value


def test_a_certificate_that_is_none_is_not_repeated(tmp_path) -> None:
    """Its file may hold the key."""
    file = tmp_path / "key.pem"
    file.write_text(f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n")
    file.chmod(0o600)
    app = App(M365App(client_id="c", tenant="t", certificate=Secret(file=str(file))))
    with pytest.raises(SettingsError) as caught:
        Authority(app, is_public=False)
    assert CANARY not in words_of(caught.value)
