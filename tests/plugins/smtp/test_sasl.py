"""The mechanisms say what their RFCs say, and believe a server only when it proved itself."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from pillarbox_smtp import sasl
from pillarbox_smtp.sasl import CramMd5, SaslError, ScramSha256, saslprep

_NONCE = "rOprNGfwEbeRWgbNEkqO"
_SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"


def _scram() -> ScramSha256:
    return ScramSha256("user", "pencil", _NONCE)


def test_scram_as_in_the_rfc() -> None:
    """The example of RFC 7677 3, octet for octet."""
    dialogue = _scram()
    assert dialogue.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert dialogue.respond(_SERVER_FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert not dialogue.proven
    assert dialogue.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""
    assert dialogue.proven


@pytest.mark.parametrize(
    "last", [b"v=AAAA", b"v=", b"", b"v=?", b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95H4="]
)
def test_scram_server_that_does_not_know_the_password(last: bytes) -> None:
    """Without the right signature the server is not believed."""
    dialogue = _scram()
    dialogue.respond(_SERVER_FIRST)
    with pytest.raises(SaslError):
        dialogue.respond(last)
    assert not dialogue.proven


def test_scram_error_of_the_server() -> None:
    """An error is answered with nothing, so that the refusal can come; it proves nothing."""
    dialogue = _scram()
    dialogue.respond(_SERVER_FIRST)
    assert dialogue.respond(b"e=invalid-proof") == b""
    assert not dialogue.proven


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"r=another,s=W22Z,i=4096", "nonce"),
        (b"r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096", "nonce"),
        (b"m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4096", "nonce"),
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=1", "iterations"),
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=99999999999999999999", "iterations"),
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=-4096", "iterations"),
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z", "iterations"),
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=?,i=4096", "base64"),
        (b"", "nonce"),
    ],
)
def test_scram_server_that_cheats(first: bytes, said: str) -> None:
    """A changed nonce, too little or too much work, or nonsense ends the exchange before the proof is sent."""
    with pytest.raises(SaslError, match=said):
        _scram().respond(first)


def test_scram_escapes_names() -> None:
    """Comma and equals in a name are escaped (RFC 5802 5.1)."""
    assert ScramSha256("a,b=c", "x", "n").first() == b"n,,n=a=2Cb=3Dc,r=n"


def test_scram_has_an_end() -> None:
    """A server that asks on after its proof gets nothing."""
    dialogue = _scram()
    dialogue.respond(_SERVER_FIRST)
    dialogue.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    with pytest.raises(SaslError):
        dialogue.respond(b"v=")


def test_plain() -> None:
    """RFC 4616: authorisation identity empty, name, password, in UTF-8."""
    dialogue = sasl.plain("käufer", "pass wörd")
    assert dialogue.first() == "\0käufer\0pass wörd".encode()
    assert dialogue.proven
    with pytest.raises(SaslError, match="more than"):
        dialogue.respond(b"")


def test_login() -> None:
    """Two prompts, whatever they say, get name and password; a third gets nothing."""
    dialogue = sasl.login("anna", "secret")
    assert dialogue.first() is None
    assert [dialogue.respond(b"Username:"), dialogue.respond(b"?")] == [b"anna", b"secret"]
    with pytest.raises(SaslError, match="more than"):
        dialogue.respond(b"")


def test_cram_md5_as_in_the_rfc() -> None:
    """The example of RFC 2195 2."""
    dialogue = CramMd5("tim", "tanstaaftanstaaf")
    assert dialogue.first() is None
    challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    assert dialogue.respond(challenge) == b"tim b913a602c7eda7a495b4e6e7334d3890"
    with pytest.raises(SaslError):
        dialogue.respond(challenge)


def test_xoauth2() -> None:
    """Google's and Microsoft's form; an error challenge is answered with nothing."""
    dialogue = sasl.xoauth2("anna@acme.example", "ya29.x")
    assert dialogue.first() == b"user=anna@acme.example\x01auth=Bearer ya29.x\x01\x01"
    assert dialogue.respond(b'{"status":"400"}') == b""


def test_oauthbearer() -> None:
    """RFC 7628 3.1, with the name escaped; an error challenge is answered with ^A."""
    dialogue = sasl.oauthbearer("a=b,c@acme.example", "ya29.x")
    assert dialogue.first() == b"n,a=a=3Db=2Cc@acme.example,\x01auth=Bearer ya29.x\x01\x01"
    assert dialogue.respond(b"{}") == b"\x01"


@pytest.mark.parametrize("make", [sasl.plain, sasl.login, sasl.xoauth2, sasl.oauthbearer, CramMd5])
@pytest.mark.parametrize(("name", "secret"), [("a\0b", "x"), ("a", "x\0y"), ("a\x01b", "x")])
def test_separators_in_names_and_secrets(make: type, name: str, secret: str) -> None:
    """What separates the fields of a mechanism can't stand in one."""
    with pytest.raises(SaslError, match="can't be sent"):
        make(name, secret)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
    ],
)
def test_saslprep(text: str, prepared: str) -> None:
    """The examples of RFC 4013 3, and a space that is not one."""
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031", "a\x00", "\ue000", "\ud800"])
def test_saslprep_refuses(text: str) -> None:
    """Control characters, mixed directions and private characters are refused (RFC 4013 2.3, 2.4)."""
    with pytest.raises(SaslError):
        saslprep(text)


def test_scram_prepares_the_password() -> None:
    """The prepared password is what is proven, so that another keyboard's form of it is the same."""
    dialogue = ScramSha256("user", "\u2168", _NONCE)
    proof = dialogue.respond(_SERVER_FIRST).partition(b",p=")[2]
    salted = hashlib.pbkdf2_hmac("sha256", b"IX", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signed = (
        b"n=user,r=" + _NONCE.encode() + b"," + _SERVER_FIRST + b",c=biws," + _SERVER_FIRST.split(b",")[0]
    )
    signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
    assert base64.b64decode(proof) == bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
