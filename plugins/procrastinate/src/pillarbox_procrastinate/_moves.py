"""Entries that go by another account from now on, and what is of a user who is called something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pillarbox.outbox import desk_of

from ._engine import queue_of
from ._tables import ARRIVED
from ._values import plain

if TYPE_CHECKING:
    from psycopg import Connection

    from pillarbox import Account
    from pillarbox.outbox import Entry

_RE_POINT = """
WITH moved AS (
    UPDATE pillarbox.entries SET
        lane = %(lane)s, owner = %(owner)s, method = %(method)s, mailbox = %(mailbox)s, state = 'queued',
        due = CASE WHEN state = 'deferred' THEN 0 ELSE due END, reason = %(reason)s, code = '', notes = '',
        fence = fence + 1, changed = %(now)s
    WHERE key = %(key)s AND lane = %(from)s AND fence = %(fence)s AND state IN ('queued', 'deferred', 'held')
    RETURNING seq, due
), told AS (
    INSERT INTO pillarbox.events (seq, at, state, reason, code, by)
    SELECT seq, %(now)s, 'queued', %(reason)s, '', %(by)s FROM moved
)
SELECT due FROM moved
"""
_RENAME = (
    """
UPDATE pillarbox.entries SET
    owner = 'user:' || %(new)s::text,
    lane = %(company)s::text || '/user:' || %(new)s
        || substr(lane, length(%(company)s::text || '/user:' || %(old)s::text) + 1)
WHERE company = %(company)s AND owner = 'user:' || %(old)s::text
""",
    """
UPDATE pillarbox.entries SET lane = left(lane, -length(%(old)s::text)) || %(new)s
WHERE company = %(company)s AND split_part(lane, '/', 4) = %(old)s
""",
    "UPDATE pillarbox.entries SET actor = %(new)s WHERE company = %(company)s AND actor = %(old)s",
    """
DELETE FROM pillarbox.pauses p USING pillarbox.pauses o WHERE p.scope = pillarbox_renamed(o.scope) AND o.scope <> p.scope
""",
    "UPDATE pillarbox.pauses SET scope = pillarbox_renamed(scope) WHERE pillarbox_renamed(scope) <> scope",
    """
DELETE FROM pillarbox.pauses p USING pillarbox.pauses o
WHERE p.scope = left(o.scope, -length(%(old)s::text)) || %(new)s AND o.scope <> p.scope
    AND starts_with(o.scope, 'lane:' || %(company)s || '/') AND split_part(o.scope, '/', 4) = %(old)s
""",
    """
UPDATE pillarbox.pauses SET scope = left(scope, -length(%(old)s::text)) || %(new)s
WHERE starts_with(scope, 'lane:' || %(company)s || '/') AND split_part(scope, '/', 4) = %(old)s
""",
)
_NEW_SCOPE = """
CASE
    WHEN {scope} = 'user:' || %(company)s::text || '/' || %(old)s::text THEN 'user:' || %(company)s || '/' || %(new)s::text
    WHEN starts_with({scope}, 'lane:' || %(company)s::text || '/user:' || %(old)s::text || '/')
        THEN 'lane:' || %(company)s || '/user:' || %(new)s::text
            || substr({scope}, length('lane:' || %(company)s::text || '/user:' || %(old)s::text) + 1)
    ELSE {scope}
END
"""
_WAITING = """
SELECT lane, min(method), min(due) FROM pillarbox.entries
WHERE state IN ('queued', 'deferred') AND company = %(company)s AND owner = 'user:' || %(new)s::text GROUP BY lane
"""


def re_point(
    connection: Connection[Any], entry: Entry, account: Account, reason: str, by: str, now: int
) -> bool:
    """Let *entry* go by *account*, and have its new lane served; say whether it still stood where it was."""
    values = {
        "key": entry.key,
        "from": entry.account,
        "fence": entry.fence,
        "lane": account.key,
        "owner": account.owner,
        "method": account.method,
        "mailbox": account.mailbox,
        "reason": plain(reason),
        "by": plain(by),
        "now": now,
    }
    with connection.transaction():
        found = connection.execute(_RE_POINT, values).fetchone()
        if found is not None:
            _serve(connection, [(account.key, account.method, found[0])], now)
    return found is not None


def rename(connection: Connection[Any], company: str, old: str, new: str, now: int) -> None:
    """Let what is of the user *old* be of *new*, and have their lanes served under their new names."""
    values = {"company": company, "old": old, "new": new}
    with connection.transaction():
        for statement in _RENAME:
            connection.execute(_named(statement), values)
        _serve(connection, connection.execute(_WAITING, values).fetchall(), now)


def _named(statement: str) -> str:
    """Return *statement* with each `pillarbox_renamed(scope)` written out."""
    for scope in ("o.scope", "scope"):
        statement = statement.replace(f"pillarbox_renamed({scope})", f"({_NEW_SCOPE.format(scope=scope)})")
    return statement


def _serve(connection: Connection[Any], lanes: list[tuple[Any, ...]], now: int) -> None:
    """Give the engine a job for each of *lanes*, as a put does."""
    lanes = [lane for lane in lanes if not desk_of(lane[0])]
    if lanes:
        names, methods, due = (list(column) for column in zip(*lanes, strict=True))
        jobs = [names, [queue_of(method) for method in methods], [at / 1e6 for at in due]]
        connection.execute(ARRIVED, [[], [], now // 60_000_000, *jobs])
