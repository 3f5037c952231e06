"""How the fake behaves where the real service differs by tenant, or where nobody outside of it knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs

MIB = 1024 * 1024


def _reach(addresses: Iterable[str] | None) -> frozenset[str] | None:
    return None if addresses is None else frozenset(one.strip().casefold() for one in addresses)


@attrs.define(kw_only=True)
class Manners:
    """How a fake Graph behaves; all can be changed while it runs, and hold from the next request on.

    Attributes:
        copy_lag: Seconds until the copy of a mail can be found in Sent Items.
        outbox_lag: Seconds for which a draft that was sent still can be found, in the Outbox and called a draft.
        tags: Whether the copy of a mail keeps its extended properties.
        message_ids: Whether a mail keeps the Message-ID that it was given.
        immutable_ids: Whether an immutable id still names a mail when it was sent.
        mime_from: Whether a mail that came as MIME keeps its From (and the sender needs the right to show it), or is
            shown as from the mailbox, whatever stands there.
        concurrency: The requests of one mailbox that are answered at once; one more is answered 429.
        per_minute: The mails of one mailbox in 60 seconds; one more is answered 429. None for no limit.
        message_octets: The largest mail, its attachments as they were before base64.
        app_reaches: The mailboxes that an app's own tokens reach; None for all.
    """

    copy_lag: float = 0.0
    outbox_lag: float = 0.0
    tags: Literal["kept", "lost"] = "kept"
    message_ids: Literal["kept", "replaced"] = "kept"
    immutable_ids: bool = True
    mime_from: Literal["kept", "mailbox"] = "kept"
    concurrency: int = 4
    per_minute: int | None = None
    message_octets: int = 35 * MIB
    app_reaches: frozenset[str] | None = attrs.field(converter=_reach, default=None)
