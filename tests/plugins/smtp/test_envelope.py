"""Commands and content of one transaction: nothing but what was meant goes on the wire."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox import MessageError
from pillarbox_smtp.capabilities import Capabilities
from pillarbox_smtp.envelope import path, wire, xtext
from tests.plugins.smtp.givens import ALL, CONTENT, CUSTOMER, NONE, ORDERS, OTHER, submission, transaction

_BODIES = st.lists(
    st.binary(max_size=12) | st.sampled_from([b".", b"\r\n", b"\r\n.", b"..", b"x"]), max_size=8
)


def test_commands() -> None:
    """MAIL, one RCPT a recipient, DATA."""
    assert transaction(to=(CUSTOMER, OTHER)).commands == (
        b"MAIL FROM:<orders@acme.example> SIZE=%d\r\n" % len(CONTENT),
        b"RCPT TO:<ap@customer.example>\r\n",
        b"RCPT TO:<cfo@customer.example>\r\n",
        b"DATA\r\n",
    )


def test_without_extensions() -> None:
    """A server that offers nothing gets no parameter."""
    assert transaction(NONE).commands[0] == b"MAIL FROM:<orders@acme.example>\r\n"


def test_null_sender() -> None:
    """The null reverse-path is <>; no sender at all can't go."""
    assert transaction(NONE, sender="").commands[0] == b"MAIL FROM:<>\r\n"
    with pytest.raises(MessageError, match="no sender"):
        transaction(sender=None)


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example>\r\nRCPT TO:<evil@x.example",
        "a@b.example> NOTIFY=NEVER",
        "a@b.example ORCPT=rfc822;x@y.example",
        "a@b.example\r\n",
        "a@b.example\n",
        "a\x00@b.example",
        "a\x0b@b.example",
        "a\x85@b.example",
        "a\u2028@b.example",
        '"a\r\nDATA"@b.example',
        '"a\u2028"@b.example',
        "<a@b.example>",
        "a@b.example>",
        "a@b.example,c@d.example",
        "a@b@c.example",
        "a b@c.example",
        "a@b .example",
        "a@[127.0.0.1]>",
        "a@b.example;c",
        "@a.example:b@c.example",
        "a@-b.example",
        "a@b..example",
        "a..b@c.example",
        "a",
        "a@",
        "@b.example",
        "a@b.exämple",
        "x" * 250 + "@b.example",
    ],
)
def test_no_address_becomes_more_than_one(address: str) -> None:
    """What would end the path, start a parameter or a command never reaches the server, built by hand or not."""
    with pytest.raises(MessageError, match="envelope"):
        path(address)
    with pytest.raises(MessageError):
        transaction(to=(CUSTOMER, address))


@pytest.mark.parametrize(
    "address",
    [
        ORDERS,
        "o'brien+tag=x@acme.example",
        '"quoted local"@acme.example',
        '"a>b@c"@acme.example',
        r'"a\"b"@acme.example',
        "anna@[192.0.2.1]",
        "anna@[IPv6:2001:db8::1]",
        "käufer@customer.example",
        "anna@localhost",
    ],
)
def test_odd_addresses_go_as_they_are(address: str) -> None:
    """An address that is one stays byte for byte what it was."""
    assert path(address) == f"<{address}>".encode()


@given(st.text(max_size=40), st.text(max_size=40))
def test_paths_stay_paths(local: str, domain: str) -> None:
    """Whatever the text, a path is refused or is one line with the text between its brackets."""
    address = f"{local}@{domain}"
    try:
        sent = path(address)
    except MessageError:
        return
    assert sent == f"<{address}>".encode()
    assert not re.search(rb"[\r\n\x00]", sent)


@pytest.mark.parametrize(
    ("given", "offered", "said"),
    [
        ({}, Capabilities(size=10), "takes 10"),
        ({"to": ("käufer@customer.example",)}, NONE, "not ASCII"),
        ({"content": "Subject: Größe\r\n\r\nx\r\n".encode()}, Capabilities(eightbit=True), "not ASCII"),
        ({"content": b"Subject: x\r\n\r\n\xc3\xa9\r\n"}, Capabilities(smtputf8=True), "8-bit"),
        ({"options": {"notify": ["success"]}}, NONE, "delivery notifications"),
        ({"options": {"envid": "INV-1001"}}, NONE, "delivery notifications"),
        ({"options": {"require_tls": True}}, NONE, "use TLS"),
        ({"options": {"notify": ["never", "delay"]}}, ALL, "never stands alone"),
        ({"options": {"ret": "all"}}, ALL, "full or hdrs"),
        ({"options": {"envid": "x\r\nDATA"}}, ALL, "printable"),
        ({"options": {"priority": 1}}, ALL, "priority"),
    ],
)
def test_message_that_does_not_fit(given: dict[str, Any], offered: Capabilities, said: str) -> None:
    """What the server does not take is refused before anything is said to it."""
    with pytest.raises(MessageError, match=said):
        transaction(offered, **given)


def test_require_tls_needs_tls() -> None:
    """REQUIRETLS in clear is refused although it is offered (RFC 8689 4.2.1)."""
    with pytest.raises(MessageError, match="use TLS"):
        transaction(ALL, encrypted=False, options={"require_tls": True})


def test_parameters_of_mail() -> None:
    """Each extension that a message needs is asked for, and no other."""
    content = "Subject: Größe\r\n\r\nx\r\n".encode()
    given = transaction(content=content, options={"ret": "hdrs", "envid": "INV+1 =", "require_tls": True})
    assert given.commands[0] == (
        b"MAIL FROM:<orders@acme.example> SIZE=%d BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=INV+2B1+20+3D REQUIRETLS\r\n"
        % len(content)
    )


def test_parameters_of_rcpt() -> None:
    """NOTIFY goes with the original recipient, where that is ASCII (RFC 3461 4.2)."""
    given = transaction(
        to=("a+b@customer.example", "käufer@customer.example"), options={"notify": ["failure", "delay"]}
    )
    assert given.commands[1:3] == (
        b"RCPT TO:<a+b@customer.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb@customer.example\r\n",
        "RCPT TO:<käufer@customer.example> NOTIFY=FAILURE,DELAY\r\n".encode(),
    )


def test_eight_bit_body_alone_needs_no_smtputf8() -> None:
    """Only headers and addresses ask for SMTPUTF8."""
    given = transaction(content=b"Subject: x\r\n\r\n\xc3\xa9\r\n")
    assert given.commands[0].endswith(b" BODY=8BITMIME\r\n")


def test_xtext() -> None:
    """Plus, equals and what is not printable are written as hexadecimal (RFC 3461 4)."""
    assert xtext("a+b=c d~") == "a+2Bb+3Dc+20d~"


def _read_by_a_server(octets: bytes) -> bytes:
    """Return content as a server reads it, which must end where the octets end (RFC 5321 4.5.2)."""
    lines = octets.split(b"\r\n")
    end = lines.index(b".")
    assert lines[end + 1 :] == [b""], "the server saw the end too early"
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:end])


@given(_BODIES)
def test_content_arrives_whole(chunks: list[bytes]) -> None:
    """However content is cut into chunks, a server reads it to its end and no further; or it is refused."""
    try:
        octets = b"".join(wire(chunks))
    except MessageError:
        assert re.search(rb"[^\r]\n\.|\A\n\.|\r\.", b"\r\n" + b"".join(chunks))
        return
    content = b"".join(chunks)
    assert _read_by_a_server(octets) == (
        content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    )


@pytest.mark.parametrize(
    "end", ["\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\n..\n", "\r\n\n.\r\n"]
)
@pytest.mark.parametrize("cut", range(1, 6))
def test_smuggled_ends(end: str, cut: int) -> None:
    """No sequence that a lax server takes for the end of content leaves, wherever a chunk ends within it."""
    content = f"Subject: x\r\n\r\nGood{end}MAIL FROM:<evil@x.example>\r\n".encode()
    where = content.index(b"Good") + 4 + cut
    try:
        octets = b"".join(wire((content[:where], content[where:])))
    except MessageError:
        return
    assert not re.search(rb"(?:\A|[\r\n])\.(?:[\r\n])", octets[:-3])


@pytest.mark.parametrize(
    ("chunks", "octets"),
    [
        ((), b".\r\n"),
        ((b".",), b"..\r\n.\r\n"),
        ((b".a\r\n",), b"..a\r\n.\r\n"),
        ((b"a\r\n", b".b\r\n"), b"a\r\n..b\r\n.\r\n"),
        ((b"a\r", b"\n.b\r\n"), b"a\r\n..b\r\n.\r\n"),
        ((b"a\r\n", b"", b".", b"b\r\n"), b"a\r\n..b\r\n.\r\n"),
        ((b"a\r\n.", b"b.c\r\n"), b"a\r\n..b.c\r\n.\r\n"),
        ((b"a.b", b".c"), b"a.b.c\r\n.\r\n"),
    ],
)
def test_dots(chunks: tuple[bytes, ...], octets: bytes) -> None:
    """A dot is doubled where, and only where, it starts a line."""
    assert b"".join(wire(chunks)) == octets


def test_chunks_without_dots_are_not_copied() -> None:
    """A large chunk goes on as the object it is."""
    chunk = b"QUJD\r\n" * 1000
    assert wire((chunk,))[0] is chunk


def test_addresses_keep_their_order() -> None:
    """The recipients stand in the envelope's order."""
    assert transaction(to=(OTHER, CUSTOMER)).recipients == (OTHER, CUSTOMER)
    assert submission(to=(OTHER, CUSTOMER)).envelope.recipients == (OTHER, CUSTOMER)
