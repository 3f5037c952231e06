"""Where a secret shows, as it is or in one of the disguises that protocols and programs give it."""

from __future__ import annotations

import base64
import functools
import json
import traceback
from collections.abc import Iterable, Iterator
from urllib.parse import quote

SHORTEST = 12
"""The fewest characters of a secret that are looked for: shorter ones stand in innocent text."""
_AROUND = 60


@functools.cache
def disguises(secret: str) -> frozenset[str]:
    """Return the forms in which *secret* counts as told: itself, escaped, percent-encoded, in hex and in base64.

    In base64 (a sign-in by AUTH PLAIN, HTTP's Basic) it is looked for behind any text, so at three alignments.

    Raises:
        ValueError: It is too short to be told from other text.
    """
    if len(secret) < SHORTEST:
        raise ValueError(
            f"A secret to look for has at least {SHORTEST} characters; make it unlike anything else."
        )
    octets = secret.encode()
    escaped = {
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        octets.hex(),
    }
    return frozenset({secret, *escaped, *(form for shift in range(3) for form in _base64(octets, shift))})


def _base64(octets: bytes, shift: int) -> Iterator[str]:
    """Yield what stands in the base64 of any text with *octets* in it, *shift* octets behind a multiple of three."""
    first = -(-shift * 8 // 6)
    whole = (shift + len(octets)) * 8 // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(bytes(shift) + octets).decode()[first:whole]


def told(secrets: Iterable[str], texts: Iterable[str]) -> str | None:
    """Return what stands around one of *secrets* in the first of *texts* that tells one, the secret left out; or None."""
    forms = sorted((form for secret in secrets for form in disguises(secret)), key=len, reverse=True)
    for text in texts:
        for form in forms:
            before, found, after = text.partition(form)
            if found:
                after = after.replace(form, "[the secret]")
                return f"{before[-_AROUND:]}[the secret]{after[:_AROUND]}"
    return None


def words_of(error: BaseException) -> Iterator[str]:
    """Yield all that an *error* says, and those behind it: to whoever prints it, logs it, or looks into it."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)), *traceback.format_exception(one))
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
