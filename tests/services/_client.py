"""Connections of the standard library's own clients to the servers, for the tests that prove the servers."""

from __future__ import annotations

import base64
import smtplib
from typing import TYPE_CHECKING, Final

from tests.services.servers import LOGINS

if TYPE_CHECKING:
    from tests.services.servers import Authority, Server

ORDERS, ANNA, OTTO = LOGINS
CUSTOMER: Final = "ap@customer.example"
LETTER: Final = (
    b"From: Orders <orders@acme.example>\r\nTo: ap@customer.example\r\nBcc: hidden@customer.example\r\n"
    b"Subject: Invoice\r\n 1001\r\nX-Bare: orders\r\n\r\n"
    + b"x" * 998
    + b"\r\n.\r\n..two dots\r\n\tends in a space \r\n"
)
"""A mail with what servers and clients like to change: Bcc, folding, a bare name, the longest line, dots."""


def secured(server: Server, authority: Authority) -> smtplib.SMTP:
    """A connection after STARTTLS, chain and name verified."""
    smtp = smtplib.SMTP(server.host, server.starttls_port, local_hostname="client.example", timeout=10)
    smtp.starttls(context=authority.client_context())
    smtp.ehlo()
    return smtp


def signed_in(server: Server, authority: Authority, login: str = ORDERS) -> smtplib.SMTP:
    """A connection that may send."""
    smtp = secured(server, authority)
    smtp.login(login, LOGINS[login])
    return smtp


def plain(login: str, password: str) -> str:
    """The initial response of PLAIN (RFC 4616)."""
    return base64.b64encode(f"\0{login}\0{password}".encode()).decode()


def bearer(mechanism: str, login: str, token: str) -> str:
    """The initial response of XOAUTH2, or of OAUTHBEARER (RFC 7628)."""
    start = f"n,a={login},\x01" if mechanism == "OAUTHBEARER" else f"user={login}\x01"
    return base64.b64encode(f"{start}auth=Bearer {token}\x01\x01".encode()).decode()
