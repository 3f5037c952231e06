"""Diagnosis: the stages of a submission one by one, up to the recipient, with nothing sent."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping

import attrs

from pillarbox import (
    Address,
    Credentials,
    Finding,
    Level,
    MessageError,
    Network,
    PillarboxError,
    SendDeferred,
    SendError,
)

from .certificates import Certificate
from .fields import Encryption
from .findings import finding_codes
from .hosts import host
from .judgement import finding_of, helped, marked
from .line import LOOK_SECONDS, Line, today
from .settings import WITH_CERTIFICATE, WITH_TOKEN, SmtpSettings
from .tls import context_for

STAGES = ("dns", "proxy", "connect", "tls", "greeting", "sign-in", "sender", "recipient", "reset")
SOON = 14
"""Days before the end of a certificate from which on it is warned of."""
_DATE = re.compile(r"[A-Z][a-z]{2}, +[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [-+][0-9]{4}")
_TOLD = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "REQUIRETLS")
FINDINGS: Mapping[str, str] = finding_codes()
"""What each code of a finding means, in a sentence."""


def look(
    settings: SmtpSettings,
    network: Network,
    credentials: Credentials | None,
    mailbox: str,
    trace: Callable[[str], None] | None = None,
    *,
    sender: str = "",
    tell_clock: Callable[[str], object] = str,
) -> Iterator[Finding]:
    """Give a finding for each stage, in their order; after one that fails the others are skipped.

    Args:
        settings: The account's.
        network: How to reach the server.
        credentials: The account's, or None.
        mailbox: The address to try as recipient; "" for the user name, where that is one.
        trace: Takes lines of the conversation.
        sender: The address to try as sender; "" for the mailbox.
        tell_clock: Takes the date in the greeting, where a server puts one there (Exim, Exchange).
    """
    patient = attrs.evolve(settings, timeout=min(settings.timeout, LOOK_SECONDS))
    line = Line(patient, network, credentials, trace)
    try:
        tried = _address(settings, mailbox)
        yield from _Look(line, network, tried, _address(settings, sender or mailbox)).findings()
        if (date := _DATE.search(line.greeting)) is not None:
            tell_clock(date[0])
    finally:
        line.close()


def _address(settings: SmtpSettings, mailbox: str) -> str:
    """Return the address to try, as it goes on the wire, or ""."""
    given = mailbox or settings.username
    try:
        return Address(given).wire
    except MessageError:
        return ""


class _Look:
    """One diagnosis: what was found so far decides how to go on."""

    def __init__(self, line: Line, network: Network, address: str, sender: str) -> None:
        self._line = line
        self._network = network
        self._settings = line.settings
        self._address = address
        self._from = sender
        self._unreached: SendDeferred | None = None

    def findings(self) -> Iterator[Finding]:
        """Go from stage to stage."""
        told: list[str] = []
        for stage, action in self._actions():
            finding = self._timed(stage, action)
            told.append(finding.stage)
            yield finding
            if finding.level is Level.FAIL:
                yield from (
                    _skipped(rest)
                    for rest in self._stages()
                    if rest not in told and _follows(rest, finding.stage)
                )
                return

    def _stages(self) -> tuple[str, ...]:
        return tuple(stage for stage in STAGES if stage != "proxy" or self._settings.proxy)

    def _actions(self) -> Iterator[tuple[str, Callable[[], Finding]]]:
        yield "dns", self._dns
        passing = dict(self._line.stages())
        if self._settings.proxy:
            yield "proxy", self._proxy
            passing["connect"] = self._behind_proxy
        passing.setdefault("tls", _nothing)
        passing.setdefault("sign-in", _nothing)
        told = {
            "connect": self._connected,
            "tls": self._encrypted,
            "greeting": self._greeted,
            "sign-in": self._signed_in,
        }
        for stage, tell in told.items():
            if stage == "tls" and self._settings.client_certificate:
                yield stage, self._identified
            yield stage, _both(passing[stage], tell)
        yield "sender", self._sender
        yield "recipient", self._recipient
        yield "reset", self._reset

    def _timed(self, stage: str, action: Callable[[], Finding]) -> Finding:
        started = time.monotonic()
        try:
            finding = action()
        except PillarboxError as error:
            finding = _failed(stage, self._explained(error))
        return attrs.evolve(finding, seconds=time.monotonic() - started)

    def _dns(self) -> Finding:
        if not self._network.trusted:
            return Finding("dns", Level.SKIP, "dns-not-told", _NOT_TOLD)
        if self._settings.proxy:
            return Finding("dns", Level.SKIP, "dns-by-proxy", "The proxy looks the name up.")
        found = self._network.resolve(self._settings.server, self._settings.port)
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return _ok("dns", "dns-found", f"{self._settings.server} is {found[0]}{more}")

    def _proxy(self) -> Finding:
        """Connect through the proxy; that it does not lead to the server is told at the next stage."""
        try:
            self._line.connect()
        except SendDeferred as error:
            if error.stage == "proxy":
                raise
            self._unreached = error
            if not self._network.trusted:  # it may not even have been asked
                return Finding("proxy", Level.SKIP, "proxy-not-told", _NOT_TOLD)
        by = f", signed in as {self._settings.proxy_username}" if self._settings.proxy_username else ""
        return _ok("proxy", "proxy-answered", f"{self._settings.proxy} answered{by}")

    def _behind_proxy(self) -> None:
        if self._unreached is not None:
            raise self._unreached

    def _connected(self) -> Finding:
        return _ok("connect", "connect-answered", f"port {self._settings.port} answered")

    def _identified(self) -> Finding:
        """Look at our own certificate, before the server does."""
        identity = self._line.identity()
        assert identity is not None
        context_for(self._line.trust, identity)
        return _told_client(identity.certificate())

    def _encrypted(self) -> Finding:
        wrapped = self._line.connection.encrypted
        if wrapped is None:
            return _in_clear(self._settings)
        version = (wrapped.version() or "").removeprefix("TLSv")
        if self._settings.fingerprint:
            return _ok("tls", "tls-pinned", f"{version}, the pinned certificate")
        return _told_certificate(version, self._line)

    def _greeted(self) -> Finding:
        return _ok("greeting", "greeting-offers", _offers(self._line))

    def _signed_in(self) -> Finding:
        if not self._settings.authenticate:
            return _ok("sign-in", "sign-in-none", "the settings ask for none")
        return told_sign_in(self._settings, self._line.mechanism)

    def _sender(self) -> Finding:
        if not self._from:
            return Finding("sender", Level.SKIP, "sender-unknown", "No address to try: the account has none.")
        self._line.connection.run(self._line.session.try_sender(self._from))
        return _ok("sender", "sender-accepted", f"mail from {self._from} is taken")

    def _recipient(self) -> Finding:
        if not self._address:
            return Finding(
                "recipient", Level.SKIP, "sender-unknown", "No address to try: the account has none."
            )
        self._line.connection.run(self._line.session.try_recipient(self._address))
        return _ok("recipient", "recipient-accepted", f"mail to {self._address} is taken")

    def _reset(self) -> Finding:
        self._line.connection.run(self._line.session.reset())
        return _ok("reset", "reset-done", "nothing was sent")

    def _explained(self, error: PillarboxError) -> PillarboxError:
        """Return *error*, or a better one where the server turns out to speak TLS from the first octet."""
        suspected = finding_of(error, "") in {
            "greeting-silent",
            "greeting-closed",
            "greeting-reset",
            "greeting-garbage",
        }
        if not suspected or self._settings.encryption is Encryption.TLS or not self._speaks_tls():
            return error
        clearer = type(error)(
            f"port {self._settings.port} speaks TLS from the first octet",
            cure="Set encryption = tls; its usual port is 465.",
        )
        return marked(clearer, "greeting-tls-port")

    def _speaks_tls(self) -> bool:
        again = Line(self._settings, self._network, self._line.credentials)
        try:
            again.connect()
            return again.connection.look(self._settings.server) is not None
        except PillarboxError:
            return False
        finally:
            again.drop()


def _nothing() -> None:
    """Pass a stage that the settings leave out."""


def _both(act: Callable[[], None], tell: Callable[[], Finding]) -> Callable[[], Finding]:
    def stage() -> Finding:
        act()
        return tell()

    return stage


def _ok(stage: str, code: str, seen: str) -> Finding:
    return Finding(stage, Level.OK, code, seen)


def _skipped(stage: str) -> Finding:
    return Finding(stage, Level.SKIP, "not-reached", "not reached")


def _follows(stage: str, failed: str) -> bool:
    """Whether *stage* comes behind *failed* or was passed over on the way to it."""
    return failed not in STAGES or STAGES.index(stage) > STAGES.index(failed) or stage == "tls"


def _failed(stage: str, error: PillarboxError) -> Finding:
    """Return the finding of an *error*; the stage it names itself is more exact than the one that was tried."""
    named = error.stage if isinstance(error, SendError) and error.stage in STAGES else stage
    meaning, cure = helped(error)
    seen = f"{getattr(error, 'code', '')}: {meaning}" if meaning else error.detail
    code = finding_of(error, "dns-no-address" if named == "dns" else f"{named}-failed")
    return Finding(named, Level.FAIL, code, seen, cure or error.cure, exit_code=error.exit_code)


def told_sign_in(settings: SmtpSettings, mechanism: str) -> Finding:
    """Return that the sign-in was taken; of a password whose days are counted, also that they are."""
    seen = f"{mechanism} as {settings.username}"
    ends = host(settings.server).passwords_end
    if ends and mechanism not in {*WITH_TOKEN, *WITH_CERTIFICATE}:
        return Finding("sign-in", Level.WARN, "sign-in-password-ends", f"{seen}; {ends}", _INSTEAD)
    return _ok("sign-in", "sign-in-accepted", seen)


_INSTEAD = "Use Microsoft 365 instead (method = m365, and connect), or set sign_in = m365 in the place of the password."


def _in_clear(settings: SmtpSettings) -> Finding:
    if settings.is_loopback:
        return _ok("tls", "tls-none", "none, to this machine itself")
    return Finding(
        "tls",
        Level.WARN,
        "tls-none",
        "none: anybody on the way can read the mail",
        "Set encryption = starttls or tls.",
    )


def _told_certificate(version: str, line: Line) -> Finding:
    shown = line.connection.certificate
    if shown is None:
        return _ok("tls", "tls-verified", version)
    days = shown.days_left(today())
    seen = f"{version}, certificate for {shown.shown_names}, {days} days left"
    if days < SOON:
        return Finding("tls", Level.WARN, "tls-ends-soon", seen, "Whoever runs the server has to renew it.")
    return _ok("tls", "tls-verified", seen)


def _told_client(shown: Certificate) -> Finding:
    days = shown.days_left(today())
    seen = f"this side shows the certificate of {shown.shown_names}"
    if shown.not_before > today():
        said = f"{seen}, valid from {shown.not_before:%Y-%m-%d}"
        return Finding("tls", Level.WARN, "tls-client-not-yet-valid", said, _CLOCK)
    if days < 0:
        said = f"{seen}, which expired on {shown.not_after:%Y-%m-%d}"
        return Finding("tls", Level.WARN, "tls-client-expired", said, _RENEW)
    code = "tls-client-ends-soon" if days < SOON else "tls-client-shown"
    level, cure = (Level.WARN, _RENEW) if days < SOON else (Level.OK, "")
    return Finding("tls", level, code, f"{seen}, {days} days left", cure)


_NOT_TOLD = "Not told for a server that a person typed."
_RENEW = "Have the client certificate renewed by whoever issued it."
_CLOCK = "Check this machine's clock; if it is right, wait, or have another certificate issued."


def _offers(line: Line) -> str:
    offered = line.session.offered
    size = f"SIZE {_size(offered.size)}" if offered.size else "SIZE"
    told = [size if name == "SIZE" else name for name in _TOLD if name in offered.names]
    return ", ".join(told) or "no extensions"


def _size(octets: int) -> str:
    """Return *octets* in the units that limits are given in."""
    if octets < 1_000_000:
        return f"{octets:,} octets"
    mebibytes = octets / (1 << 20)
    return f"{mebibytes:.0f} MB" if octets % (1 << 20) == 0 else f"{octets / 1e6:.0f} MB"
