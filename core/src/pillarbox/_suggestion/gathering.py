"""Gathers the evidence: first what is known, then DNS, then the domain's own web site, all in one time limit."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import attrs

from .._dns import Dns, Service, host_name
from .._errors import PillarboxError, Unavailable
from .._plugins import Plugins
from .._route import Reason
from .autoconfig import NoDocument, Web, places
from .book import book
from .evidence import Evidence, Server
from .reading import Unreadable, outgoing

SERVICES = (("_submissions._tcp", "tls"), ("_submission._tcp", "starttls"))
"""The names under which servers for sending are listed, the preferred first (RFC 8314 5.1, RFC 6186 3.1)."""


@attrs.frozen(kw_only=True)
class World:
    """Who is asked."""

    dns: Dns = attrs.field(factory=Dns)
    web: Web = attrs.field(factory=Web)


def gather(address: str, plugins: Plugins, world: World | None, timeout: float) -> Evidence:
    """Return what is known and found about the domain of *address*.

    Args:
        address: An addr-spec whose domain is an A-label in lower case.
        plugins: Who may recognise it.
        world: Who is asked; None to ask nobody.
        timeout: Seconds for all of it.
    """
    domain = address.rpartition("@")[2]
    known = book().of_domain(domain)
    if known is not None:
        said = Reason(f"{domain} belongs to {known.name}; nothing else was asked", "address book")
        return Evidence(provider=known, offered=plugins.suggested(domain, ()), seen=(said,))
    if world is None or not host_name(domain):
        why = "offline" if world is None else "it is no domain of the Internet"
        not_asked = f"Neither DNS nor the web site of {domain} was asked: {why}."
        return Evidence(offered=plugins.suggested(domain, ()), not_asked=(not_asked,))
    give_up = time.monotonic() + timeout
    by_dns = _by_dns(domain, plugins, world.dns, timeout / 2)
    if by_dns.provider is not None or by_dns.servers:
        return by_dns
    return _by_web(address, by_dns, world.web, give_up - time.monotonic())


def _by_dns(domain: str, plugins: Plugins, dns: Dns, timeout: float) -> Evidence:
    """Return what DNS tells: who takes the domain's mail, and which servers for sending it names."""
    listing = [functools.partial(dns.services, name, domain, timeout=timeout) for name, _ in SERVICES]
    mx, *listed = _together([functools.partial(dns.mx, domain, timeout=timeout), *listing])
    hosts = tuple(str(host) for host in _answer(mx))
    known = book().of_exchangers(hosts)
    servers = tuple(
        server
        for one, (name, encryption) in zip(listed, SERVICES, strict=True)
        for server in _servers(_answer(one), name, encryption)
    )
    return Evidence(
        provider=known[0] if known else None,
        servers=servers,
        offered=plugins.suggested(domain, hosts),
        seen=(*_mx_seen(domain, known[1:] if known else hosts), *_services_seen(domain, listed)),
        not_asked=_unanswered(domain, [mx, *listed]),
    )


def _servers(found: Iterable[object], name: str, encryption: str) -> tuple[Server, ...]:
    services = (one for one in found if isinstance(one, Service) and one.host)
    return tuple(
        Server(host=one.host, port=one.port, encryption=encryption, source=f"SRV {name}") for one in services
    )


def _mx_seen(domain: str, hosts: tuple[str, ...]) -> tuple[Reason, ...]:
    return (Reason(f"The mail of {domain} goes to {hosts[0]}", "MX"),) if hosts else ()


def _services_seen(domain: str, listed: Iterable[object]) -> tuple[Reason, ...]:
    refused = (
        Reason(f"{domain} says that it offers none", f"SRV {name}")
        for one, (name, _) in zip(listed, SERVICES, strict=True)
        if any(isinstance(service, Service) and not service.host for service in _answer(one))
    )
    return tuple(refused)


def _answer(one: object) -> tuple[object, ...]:
    return one if isinstance(one, tuple) else ()


def _unanswered(domain: str, answers: Iterable[object]) -> tuple[str, ...]:
    """Return why questions have no answer, each reason once."""
    errors = [one for one in answers if isinstance(one, PillarboxError)]
    lacking = [f"DNS was not asked: {one}" for one in errors if isinstance(one, Unavailable)]
    silent = [
        f"DNS gave no answer about {domain} in time." for one in errors if not isinstance(one, Unavailable)
    ]
    return tuple(dict.fromkeys([*lacking, *silent]))


def _by_web(address: str, known: Evidence, web: Web, timeout: float) -> Evidence:
    """Return *known* with what the domain's web site adds."""
    domain = address.rpartition("@")[2]
    asked = places(domain)
    answers = _together([functools.partial(web.fetch, *at, timeout=timeout) for at in asked])
    not_asked: list[str] = list(known.not_asked)
    servers: tuple[Server, ...] = ()
    for (host, path), document in zip(asked, answers, strict=True):
        if not isinstance(document, bytes):
            continue
        try:
            servers = outgoing(document, address, f"https://{host}{path}")
        except Unreadable as error:
            not_asked.append(f"What https://{host}{path} gives can't be used: {error}.")
        if servers:
            break
    if all(isinstance(one, NoDocument) for one in answers):
        not_asked.append(f"The web site of {domain} gave no mail settings.")
    return attrs.evolve(known, servers=servers, not_asked=tuple(not_asked))


def _together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what each call answers, or raises on purpose; they run at the same time, each within its own limit."""
    with ThreadPoolExecutor(len(calls), thread_name_prefix="pillarbox-suggest") as pool:
        return [_outcome(one) for one in [pool.submit(call) for call in calls]]


def _outcome(future: Future[Any]) -> Any:
    try:
        return future.result()
    except (PillarboxError, NoDocument) as error:
        return error
