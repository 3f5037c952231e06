"""From evidence to suggestions, the best first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from .._route import Suggestion
from .book import Provider, Words, book
from .evidence import Evidence, Server

CONNECTS, BY_BOOK, BY_DNS, BY_WEB, BY_OUTLOOK, BY_HAND, PERHAPS_OUTLOOK = 90, 60, 55, 50, 40, 20, 10
"""Ranks: an account that connects, then SMTP by how well its server is known, then Outlook."""
MOST_SERVERS = 3
_COPIES = "SMTP files no copy of what is sent; set saved_copy to file one in Sent by IMAP."
_AS_FOUND = (
    "These settings are shown as they were found: look whether they are your provider's before you use them."
)
_PIP = "Not installed: "


def ranked(address: str, evidence: Evidence, installed: Mapping[str, str]) -> tuple[Suggestion, ...]:
    """Return the methods that fit *address*, the best first; there is always one.

    Args:
        address: An addr-spec.
        evidence: What is known and found about its domain.
        installed: Why each method that there is can't be used here, by name; "" for those that can.
    """
    found = [*_connecting(evidence), *_by_smtp(address, evidence), *_by_outlook(address, evidence)]
    firsts = {
        _what(one): one for one in reversed(found)
    }  # what a plugin says stands before what is said here
    ready = (_with_readiness(_worded(one), installed) for one in reversed(firsts.values()))
    return tuple(sorted(ready, key=lambda one: -one.rank))


def _what(one: Suggestion) -> tuple[object, ...]:
    """Return what makes two suggestions the same for the one who chooses."""
    return one.method, *(one.settings.get(name) for name in ("server", "port", "encryption"))


def _connecting(evidence: Evidence) -> Iterator[Suggestion]:
    """Give what plugins recognise, and the book's word, which counts where the method's plugin is not there to say it."""
    yield from evidence.offered
    one = evidence.provider
    if one is not None and one.method:
        reason = f"{one.name} accounts connect: somebody signs in once, and no password is kept."
        yield Suggestion(method=one.method, reason=reason, rank=CONNECTS)


def _by_smtp(address: str, evidence: Evidence) -> Iterator[Suggestion]:
    if evidence.provider is not None:
        yield _of_provider(address, evidence.provider)
    servers = _distinct(evidence.servers, evidence.provider)
    for nth, one in enumerate(servers[:MOST_SERVERS]):
        yield _of_server(address, one, nth)
    if evidence.provider is None and not servers:
        domain = address.rpartition("@")[2]
        reason = f"Nothing says by which server {domain} sends; whoever runs its mail knows."
        yield _smtp(reason, {"username": address}, "the address", BY_HAND, _COPIES)


def _distinct(servers: Iterable[Server], known: Provider | None) -> list[Server]:
    """Return each server once, where it is named first, but for the one that is known already."""
    found: dict[tuple[str, int, str], Server] = {}
    for one in servers:
        if known is None or one.host != known.server:
            found.setdefault((one.host, one.port, one.encryption), one)
    return list(found.values())


def _of_provider(address: str, one: Provider) -> Suggestion:
    settings = _settings(address, one.server, one.encryption, one.port, one.username)
    if one.sign_in:
        settings["sign_in"] = one.sign_in
    reason = f"{one.name} says that its customers send by {one.server}."
    source = f"address book: {one.source}"
    return _smtp(reason, settings, source, BY_BOOK, one.note, "" if one.copies else _COPIES)


def _of_server(address: str, one: Server, nth: int) -> Suggestion:
    domain, relay = address.rpartition("@")[2], book().of_server(one.host)
    username = one.username or (relay.username if relay else "")
    settings = _settings(address, one.host, one.encryption, one.port, username)
    if not one.authenticate:
        settings = {name: settings[name] for name in ("server", "encryption", "port")} | {
            "authenticate": False
        }
    strange = "" if relay or _is_inside(one.host, domain) else f"{one.host} is outside {domain}."
    reason = f"{domain} says that it sends by {one.host}."
    rank = (BY_DNS if one.source.startswith("SRV") else BY_WEB) - nth
    drawbacks = (strange, _AS_FOUND, relay.note if relay else "", _COPIES)
    return attrs.evolve(_smtp(reason, settings, one.source, rank, *drawbacks), as_found=True)


def _smtp(reason: str, settings: Mapping[str, Any], source: str, rank: int, *drawbacks: str) -> Suggestion:
    """Return a suggestion of SMTP, with what speaks against it here, then in general."""
    general = () if settings.get("sign_in") else book().methods["smtp"].drawbacks  # which are about passwords
    against = (*filter(None, drawbacks), *general)
    sources = dict.fromkeys(settings, source)
    return Suggestion(
        method="smtp", settings=settings, sources=sources, reason=reason, drawbacks=against, rank=rank
    )


def _settings(address: str, server: str, encryption: str, port: int, username: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"server": server, "encryption": encryption, "port": port}
    settings["username"] = username or address
    return settings | ({"username_differs": True} if username and username != address else {})


def _is_inside(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _by_outlook(address: str, evidence: Evidence) -> Iterator[Suggestion]:
    """Give Outlook where the mailbox is Exchange's, or may be; what a known provider keeps otherwise, Outlook has by IMAP."""
    one, domain = evidence.provider, address.rpartition("@")[2]
    if one is not None and one.exchange:
        reason = f"{one.name} keeps Exchange mailboxes, which Outlook on a computer can send from."
        yield Suggestion(method="mapi", reason=reason, rank=BY_OUTLOOK)
    elif one is None:
        reason = f"If {domain} has an Exchange server, and Outlook the account, Outlook can send."
        yield Suggestion(method="mapi", reason=reason, rank=PERHAPS_OUTLOOK)


def _worded(one: Suggestion) -> Suggestion:
    """Return *one* with the method's label, and what speaks against the method where nothing is said yet."""
    words = book().methods.get(one.method, Words(label=one.method, drawbacks=()))
    return attrs.evolve(one, label=one.label or words.label, drawbacks=one.drawbacks or words.drawbacks)


def _with_readiness(one: Suggestion, installed: Mapping[str, str]) -> Suggestion:
    problem = installed.get(one.method, f"The method {one.method} is not installed.")
    return attrs.evolve(one, ready=not problem, cure=problem.removeprefix(_PIP))
