"""`check --transcript` and `send --transcript`: nothing of what a client says to sign in stands there, in any form."""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pillarbox.cli._app import run
from pillarbox.testing.smtp_server import Behaviour, Cut, Reply, ScriptedServer, Turn
from tests import access
from tests.plugins.smtp.conftest import Serve
from tests.plugins.smtp.connecting import Provider, provider
from tests.plugins.smtp.issuing import issue
from tests.plugins.smtp.proxying import PROXY_PASSWORD, USER, ScriptedProxy, says
from tests.plugins.smtp.scram import ScramServer
from tests.plugins.smtp.test_identity import PASSPHRASE, written

__all__ = ["provider"]
NAME, RIGHT, WRONG = "canary-user-of-relay", "canary-right-pw&9", "canary-wrong-pw&9"
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER", "EXTERNAL")
PHASES = ("taken", "refused", "repeated", "cut", "repeated later")
COMMANDS = {
    "check": ("check",),
    "send": ("send", "--to", "ap@customer.example", "--subject", "x", "--text", "y"),
}
COMPANY = """\
[company]
address = "orders@acme.example"
name = "Acme Ltd"
method = "smtp"

[company.smtp]
server = "127.0.0.1"
timeout = 5
username_differs = true
"""


def _repeats(turn: Turn) -> Behaviour:
    """Refuse, and say back what the client said, as it came and decoded."""
    words = [turn.line.split()[-1].decode("ascii"), *_pieces(turn.line)]
    plain = [re.sub(r"[^ -~]", " ", word) for word in words]
    return Reply(535, *(f"5.7.8 {word} {word}" for word in plain[:20]))


def _takes(turn: Turn) -> Behaviour:
    return Reply(235, "2.7.0 signed in")


def _script(mechanism: str, phase: str, heard: Callable[[], Iterator[str]]) -> dict[str, Any]:
    """Return how a server behaves that offers *mechanism*, by point."""
    ends = {"refused": Reply(535, "5.7.8 not accepted"), "repeated": _repeats, "cut": Cut()}.get(
        phase, _takes
    )
    if mechanism == "SCRAM-SHA-256":
        script: dict[str, Any] = ScramServer(RIGHT).at
        script |= {"auth-continue": ends} if phase in {"repeated", "cut"} else {}
    elif mechanism in {"LOGIN", "CRAM-MD5"}:
        asks = Reply(334, base64.b64encode(b"<1@mail.example>").decode())
        script = {"auth": asks, "auth-continue": _second(asks, ends) if mechanism == "LOGIN" else ends}
    else:
        script = {"auth": ends}
    if phase == "repeated later":
        script["dot"] = lambda _: Reply(
            250, *(f"2.0.0 {word}" for word in list(heard())[:20]), "2.0.0 queued"
        )
        script["rcpt"] = lambda _: Reply(250, *(f"2.1.5 {word}" for word in list(heard())[:20]), "2.1.5 ok")
    return script


def _second(first: Behaviour, then: Any) -> Callable[[Turn], Behaviour]:
    """Return what is *first* for LOGIN's name, and *then* for its password."""
    return lambda turn: first if turn.line.strip() == base64.b64encode(NAME.encode()) else _done(then, turn)


def _done(then: Any, turn: Turn) -> Behaviour:
    found: Behaviour = then(turn) if callable(then) else then
    return found


def _pieces(line: bytes) -> Iterator[str]:
    """Give what a line of a sign-in says, decoded, whole and in its parts."""
    words = line.split()
    if words[:1] == [b"AUTH"]:
        words = words[2:]
    for word in words:
        decoded = base64.b64decode(word + b"==").decode("latin-1")
        yield from (decoded, *re.split(r"[\0\1, ]|(?:^|(?<=[\0\1, ]))[a-z]+=", decoded))


def _said(server: ScriptedServer) -> Iterator[str]:
    """Give all that a client said to sign in, encoded, decoded and in parts, as far as it can be told from other words."""
    for line in (*server.heard("auth"), *server.heard("auth-continue")):
        words = line.split()[2:] if line.startswith(b"AUTH ") else line.split()
        yield from (word.decode("ascii") for word in words if len(word) > 12)
        yield from (piece for piece in _pieces(line) if len(piece) > 7 and "Bearer" not in piece)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs a command on settings, and returns its transcript and all that it printed."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("NO_COLOR", "1"), ("PROXY_PW", PROXY_PASSWORD), ("PASSPHRASE", PASSPHRASE)):
        monkeypatch.setenv(name, value)

    def done(command: str, known: str, /, **settings: Any) -> tuple[str, str]:
        monkeypatch.setenv("PW", known)
        lines = [f"{name} = {_toml(value)}\n" for name, value in settings.items()]
        path = tmp_path / "pillarbox.toml"
        path.write_text(COMPANY + "".join(lines), "utf-8")
        access.give(path, 0o600)
        transcript = tmp_path / "talk.txt"
        transcript.unlink(missing_ok=True)
        code = run([*COMMANDS[command], "--transcript", str(transcript)])
        printed = capsys.readouterr()
        assert code != 78, printed
        return transcript.read_text("utf-8"), printed.out + printed.err

    return done


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {json.dumps(text)}" for name, text in value.items()) + " }"
    return (
        str(value).lower()
        if isinstance(value, bool | int)
        else json.dumps(value)
        if isinstance(value, str)
        else str(value)
    )


def _proof(mechanism: str, folder: Path) -> dict[str, Any]:
    """Return the settings of an account that signs in by *mechanism*."""
    if mechanism in {"XOAUTH2", "OAUTHBEARER"}:
        return {"sign_in": "plainmail"}
    if mechanism == "EXTERNAL":
        files = written(folder, issue(names=(), common_name="orders"), passphrase=PASSPHRASE)
        return {**files, "client_key_password": {"env": "PASSPHRASE"}}
    return {"password": {"env": "PW"}}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_nothing_of_a_sign_in_stands_there(
    serve: Serve,
    provider: Provider,
    server_tls: ssl.SSLContext,
    ca_file: str,
    tmp_path: Path,
    command: Any,
    mechanism: str,
    phase: str,
    name: str,
) -> None:
    """Not what was taken, not what was refused, not what a server says back, then or later."""
    servers: list[ScriptedServer] = []
    script = _script(mechanism, phase, lambda: _said(servers[0]))
    servers.append(serve(tls=server_tls, mechanisms=(mechanism,), users={NAME: "x"}, at=script))
    password = WRONG if phase in {"refused", "repeated"} else RIGHT
    talk, printed = command(
        name,
        password,
        port=servers[0].port,
        ca_file=ca_file,
        username=NAME,
        sasl=[mechanism],
        **_proof(mechanism, tmp_path),
    )
    assert f"C: AUTH {mechanism}" in talk
    assert ("S: 235" in talk) == (phase in {"taken", "repeated later"})
    said = {*_said(servers[0]), password, PASSPHRASE}
    assert phase == "cut" or NAME in said
    kept = said if phase in {"taken", "refused", "cut"} else {one for one in said if NAME not in one}
    assert [one for one in kept if one in talk or (one != NAME and one in printed)] == []


PROXIED = ("taken", "refused", "repeated")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("phase", PROXIED)
@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_nothing_of_a_proxy_s_sign_in_stands_there(
    serve: Serve, command: Any, kind: str, phase: str, name: str
) -> None:
    """What a proxy is told is not shown at all, nor what it says back."""
    basic = base64.b64encode(f"{USER}:{PROXY_PASSWORD}".encode()).decode()
    echo = f"HTTP/1.1 407 {PROXY_PASSWORD} {basic}\r\nX: {PROXY_PASSWORD}\r\n\r\n".encode()
    at = {"connect": says(echo)} if phase == "repeated" else {}
    users = {USER: "another" if phase == "refused" else PROXY_PASSWORD}
    with ScriptedProxy(kind, users=users, at=at) as way:
        talk, printed = command(
            name,
            RIGHT,
            port=serve().port,
            encryption="none",
            authenticate=False,
            proxy=way.url,
            proxy_username=USER,
            proxy_password={"env": "PROXY_PW"},
        )
        assert PROXY_PASSWORD.encode() in way.heard or basic.encode() in way.heard
        assert f"through {way.url}" in talk
    assert ("S: 220" in talk) == (phase == "taken")
    assert [one for one in (PROXY_PASSWORD, basic) if one in talk + printed] == []
