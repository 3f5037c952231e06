"""The pages for authors of transports that are read off the code: the contracts' cases, and the methods by what they can do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from docs import facts
from docs.tables import cell, code, section, table

# The contracts


def contract() -> str:
    from pillarbox.testing import (
        CONTRACT_VERSION,
        OutboxContract,
        TransportContract,
        VaultContract,
    )

    named = {
        "TransportContract": (TransportContract, f"Version {CONTRACT_VERSION}."),
        "OutboxContract": (OutboxContract, ""),
        "VaultContract": (VaultContract, ""),
    }
    pages = "\n".join(
        section(f"`{name}`", f"{lead}\n\n{cases(kind)}") for name, (kind, lead) in named.items()
    )
    return f"""# The contracts

What a transport, an outbox and a vault have to keep, case by case; `pillarbox.testing` has them as classes to inherit. A case is
called `test_` and its name here. `pillarbox certify` runs those of a transport and reports them by name.

{pages}
{section("Faults", faults())}"""


def cases(kind: type[Any]) -> str:
    """Return the cases of a contract, by the part of it that they stand in."""
    return "\n".join(
        f"### {(inspect.getdoc(part) or part.__name__).splitlines()[0]}\n\n"
        + table(("case", "what it demands"), rows)
        for part, rows in _parts(kind)
    )


def _parts(kind: type[Any]) -> Iterator[tuple[type[Any], list[tuple[str, str]]]]:
    for part in kind.__mro__:
        tests = [
            (name, test)
            for name, test in vars(part).items()
            if name.startswith("test_") and callable(test)
        ]
        if tests:
            yield (
                part,
                [
                    (code([name.removeprefix("test_")]), inspect.getdoc(test) or "")
                    for name, test in tests
                ],
            )


def faults() -> str:
    from pillarbox.testing import FAULTS

    rows = (
        (code([name]), one.does, " or ".join(code([kind.__name__]) for kind in one.ends_in))
        for name, one in FAULTS.items()
    )
    lead = "What `TransportContract.stage` may be asked to bring about, and what an honest transport makes of it.\n\n"
    return lead + table(("fault", "what the carrier does", "ends in"), rows)


# The methods

SHOWN = {
    "user": "the user's own",
    "account": "the mailbox, with the user's name",
    "client": "whatever the mail program is set to",
}


def methods() -> str:
    found = facts.transports()
    rows: Mapping[str, Callable[[Any, str], str]] = {
        "distribution": lambda _, name: code([f"pillarbox-{name}"]),
        "sign-in": lambda kind, _: "Connect (OAuth 2)" if kind.connector else "its settings'",
        "address that a company's account shows for a user": lambda kind, _: SHOWN[
            kind.sender_policy.value
        ],
        "what it is given": lambda kind, _: (
            "the envelope and the bytes" if kind.takes_envelope else "To, Cc and Bcc"
        ),
        "after some recipients were refused for now": lambda kind, _: (
            "only those are tried again" if kind.takes_envelope else "told, not tried again"
        ),
        "files a copy in Sent": lambda kind, _: "by itself" if kind.saves_copy else "no",
        "can look whether a message left": lambda kind, _: _looks(kind),
        "seconds until *not found* counts": lambda kind, _: f"{kind.settling:g}",
        "several on their way at once": lambda kind, _: (
            "yes" if "send_many" in vars(kind) else "no"
        ),
        "own options of a message": lambda kind, name: (
            code([f'options["{name}"]']) if kind.options else "none"
        ),
        "platforms": lambda kind, _: ", ".join(kind.platforms) or "all",
    }
    names = list(found)
    lines = [
        (what, *(cell(tell(found[name], name)) for name in names))
        for what, tell in rows.items()
    ]
    heads = tuple(found[name].label or name for name in names)
    return f"""# The methods, side by side

What each declares of itself, without an account and without a network. What an account can do depends on its settings and on
what was granted as well: `pillarbox explain` says it for one.

{table(("", *heads), lines)}
A transport of your own declares the same: [write one](../how-to/write-a-transport.md).
"""


def _looks(kind: type[Any]) -> str:
    """Return whether a transport can look, by what it says of an account with each grant."""
    from pillarbox import Transport

    if kind.find is Transport.find:
        return "no"
    return "with the grant *send and confirm*" if kind.connector else "where its settings allow"
