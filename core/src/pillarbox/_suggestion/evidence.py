"""What speaks for a method: the provider behind a domain, the servers that it names, what plugins recognise."""

from __future__ import annotations

import attrs

from .._route import Reason, Suggestion
from .book import Provider


@attrs.frozen(kw_only=True)
class Server:
    """A server for sending that a domain names.

    Attributes:
        host: Its name.
        port: From 1 to 65535.
        encryption: `starttls` or `tls`.
        source: Where it is named.
        username: Who signs in, or "" where it is the address.
        authenticate: Whether it wants somebody to sign in.
    """

    host: str
    port: int
    encryption: str
    source: str
    username: str = ""
    authenticate: bool = True


@attrs.frozen(kw_only=True)
class Evidence:
    """What was learned of a domain.

    Attributes:
        provider: Who keeps its mailboxes, where the address book knows them.
        servers: What the domain itself names, the preferred first.
        offered: What plugins recognise.
        seen: What was learned, and where.
        not_asked: What could not be asked, or gave no answer, sentences.
    """

    provider: Provider | None = None
    servers: tuple[Server, ...] = ()
    offered: tuple[Suggestion, ...] = ()
    seen: tuple[Reason, ...] = ()
    not_asked: tuple[str, ...] = ()
