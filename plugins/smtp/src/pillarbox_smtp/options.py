"""What one message may ask of SMTP alone: `Message.options["smtp"]`."""

from __future__ import annotations

import attrs

NOTIFY = ("never", "success", "failure", "delay")
RET = ("", "full", "hdrs")


def _names(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _is_notify(_: object, __: object, names: tuple[str, ...]) -> None:
    if not set(names) <= set(NOTIFY):
        raise ValueError(f"notify: must be from {', '.join(NOTIFY)}")
    if "never" in names and len(names) > 1:
        raise ValueError("notify: never stands alone")


def _is_ret(_: object, __: object, value: str) -> None:
    if value not in RET:
        raise ValueError("ret: must be full or hdrs")


def _is_envid(_: object, __: object, value: str) -> None:
    if len(value) > 100 or not (value.isascii() and value.isprintable()):
        raise ValueError("envid: must be at most 100 printable ASCII characters")


@attrs.frozen(kw_only=True)
class SmtpOptions:
    """Extras of SMTP. A message that asks for one goes only where the server offers it.

    Attributes:
        notify: When a delivery status notification is wanted (RFC 3461 4.1): `success`, `failure`, `delay`, or
            `never` alone. Empty leaves it to the server.
        ret: What such a notification carries back: `full`, `hdrs`, or "".
        envid: What it calls the message: the host's own number, say (RFC 3461 4.4).
        require_tls: Whether every server on the way must use TLS, or return the message (RFC 8689).
    """

    notify: tuple[str, ...] = attrs.field(default=(), converter=_names, validator=_is_notify)
    ret: str = attrs.field(default="", validator=_is_ret)
    envid: str = attrs.field(default="", validator=_is_envid)
    require_tls: bool = False

    @property
    def wants_dsn(self) -> bool:
        """Whether one of them needs the server's DSN extension."""
        return bool(self.notify or self.ret or self.envid)


NONE = SmtpOptions()
"""Asks for nothing."""
