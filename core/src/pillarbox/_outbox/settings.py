"""`[outbox]`: where submissions are kept, how long they are tried, and what is done about the unknown."""

from __future__ import annotations

import enum

import attrs

from .._schema import Role, Secret, between, setting


class OnUnknown(enum.Enum):
    """What becomes of a submission of which nobody can tell whether it was sent."""

    HOLD = "hold"
    RESEND = "resend"


@attrs.frozen(kw_only=True)
class OutboxSettings:
    """The table `[outbox]`. Durations are in seconds unless the name says otherwise."""

    kind: str = setting("sqlite", set_by=Role.DEPLOYER, help="What keeps it: sqlite, or a plugin's.")
    path: str = setting("", set_by=Role.DEPLOYER, help="The SQLite file; beside the settings by default.")
    url: str = setting("", set_by=Role.DEPLOYER, help="The database of an outbox that a plugin brings.")
    password: Secret | None = setting(None, set_by=Role.DEPLOYER, help="The password of that database.")
    vault_key: Secret | None = setting(
        None,
        set_by=Role.DEPLOYER,
        help="The key of a vault in that database, by which workers on several machines share sign-ins.",
    )
    on_unknown: OnUnknown = setting(
        OnUnknown.HOLD, help="What becomes of mail that may have been sent, when nobody can look."
    )
    settling: float = setting(
        0.0,
        check=between(0, 86_400),
        help="How long after an attempt absence is evidence; at least the method's own.",
    )
    look_for: float = setting(
        1_800.0,
        check=between(0, 604_800),
        help="How long a look that fails is repeated before a person is asked.",
    )
    retry_for: float = setting(172_800.0, check=between(0, 2_592_000), help="How long one message is tried.")
    shortest_wait: float = setting(
        60.0, check=between(0.01, 86_400), help="The wait after the first failure."
    )
    longest_wait: float = setting(
        3_600.0, check=between(0.01, 604_800), help="The longest wait between two tries."
    )
    batch: int = setting(
        1,
        check=between(1, 1_000),
        help="The most messages of one connection that may be in doubt after a crash.",
    )
    threads: int = setting(32, check=between(1, 1_000), help="The most attempts of one worker at a time.")
    keep_bodies: float = setting(
        2_592_000.0,
        check=between(0, 3_153_600_000),
        help="How long a message's bytes are kept after its end.",
    )
    user_burst: int = setting(
        1_000,
        check=between(0, 100_000_000),
        help="Messages an hour of one user before their mail is paused; 0 for any.",
    )
    company_burst: int = setting(
        20_000,
        check=between(0, 100_000_000),
        help="Messages an hour of one company before all is paused; 0 for any.",
    )
