"""What a search (`q`) means, for the few words of Gmail's that the fake knows."""

from __future__ import annotations

import re
from collections.abc import Callable

from ._errors import Refused
from ._mailbox import Stored

_TERM = re.compile(r'(-?)([A-Za-z0-9_]+):(?:"([^"]*)"|(\S+))(?:\s+|$)')
_LABELS = {"sent": "SENT", "draft": "DRAFT", "drafts": "DRAFT", "inbox": "INBOX"}

Test = Callable[[Stored], bool]


def search(query: str) -> Test:
    """Return what tells whether a message is found by *query*.

    Raises:
        Refused: 501, for a word of Gmail's that the fake does not know.
    """
    tests, at = [], len(query) - len(query.lstrip())
    while at < len(query):
        found = _TERM.match(query, at)
        if found is None:
            raise Refused("notImplemented", f"This fake can't search for {query[at:]!r}.")
        tests.append(_test(found[2].lower(), found[3] or found[4] or "", wanted=not found[1]))
        at = found.end()
    return lambda stored: all(test(stored) for test in tests)


def _test(word: str, value: str, *, wanted: bool) -> Test:
    if word == "rfc822msgid":
        return lambda stored: (stored.message_id.strip("<>") == value.strip("<>")) is wanted
    if word == "in" and value == "anywhere":
        return lambda _: wanted
    if word == "in" and value in _LABELS:
        return lambda stored: (_LABELS[value] in stored.labels) is wanted
    if word in {"from", "to", "cc", "bcc", "subject"}:
        return lambda stored: _holds(stored, word, value) is wanted
    raise Refused("notImplemented", f"This fake can't search for {word}:{value}.")


def _holds(stored: Stored, name: str, value: str) -> bool:
    names = ("to", "cc", "bcc") if name == "to" else (name,)
    return any(value.lower() in one.lower() for name in names for one in stored.content.values(name))
