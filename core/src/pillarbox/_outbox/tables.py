"""The tables of the embedded outbox, and the statements that move what is in them."""

from __future__ import annotations

import functools

from .._mail import State
from .entry import Pause
from .rows import COLUMNS, micros

SCHEMA_VERSION = 1
"""Kept as the file's `user_version`."""

SCHEMA = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    lane TEXT NOT NULL, company TEXT NOT NULL, owner TEXT NOT NULL, method TEXT NOT NULL, mailbox TEXT NOT NULL,
    actor TEXT,
    state TEXT NOT NULL, due INTEGER NOT NULL, priority INTEGER NOT NULL, attempts INTEGER NOT NULL,
    fence INTEGER NOT NULL, worker TEXT NOT NULL, reason TEXT NOT NULL, code TEXT NOT NULL,
    created INTEGER NOT NULL, changed INTEGER NOT NULL, attempted INTEGER, tried INTEGER,
    digest TEXT NOT NULL, part_of TEXT NOT NULL, again_of TEXT NOT NULL, reference TEXT NOT NULL,
    recipients TEXT NOT NULL, remaining TEXT, not_after INTEGER, frozen TEXT NOT NULL, notes TEXT NOT NULL, receipt TEXT,
    erased INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX ready ON entries (lane, priority DESC, seq) WHERE state IN ('queued', 'deferred') AND due = 0;
CREATE INDEX taken ON entries (worker) WHERE state IN ('claimed', 'attempting');
CREATE INDEX unknown ON entries (due) WHERE state = 'unknown';
CREATE INDEX later ON entries (due) WHERE state IN ('queued', 'deferred') AND due > 0;
CREATE INDEX expiring ON entries (not_after) WHERE not_after IS NOT NULL AND state IN ('queued', 'deferred');
CREATE INDEX held ON entries (lane) WHERE state IN ('unknown', 'held');
CREATE INDEX referenced ON entries (reference) WHERE reference != '';
CREATE INDEX parts ON entries (part_of) WHERE part_of != '';
CREATE INDEX repeated ON entries (again_of) WHERE again_of != '';
CREATE INDEX over ON entries (changed) WHERE state IN ('accepted', 'rejected', 'cancelled') AND erased = 0;
CREATE TABLE bodies (seq INTEGER PRIMARY KEY, content BLOB NOT NULL, bcc BLOB NOT NULL);
CREATE TABLE events (
    seq INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    code TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (seq, number)
) WITHOUT ROWID;
CREATE TABLE answers (method TEXT NOT NULL, mailbox TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX answered ON answers (mailbox, method, at);
CREATE TABLE pauses (
    scope TEXT PRIMARY KEY, reason TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER, by TEXT NOT NULL, kind TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE bursts (scope TEXT NOT NULL, minute INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (scope, minute)) WITHOUT ROWID;
"""

_NAMES = ", ".join(COLUMNS)
_MARKS = f"({', '.join('?' * len(COLUMNS))})"


@functools.cache
def inserting(count: int) -> str:
    """Return the statement that inserts so many entries, those whose key is free."""
    marks = ", ".join([_MARKS] * count)
    return f"INSERT INTO entries ({_NAMES}) VALUES {marks} ON CONFLICT (key) DO NOTHING"


@functools.cache
def inserting_bodies(count: int) -> str:
    """Return the statement that inserts so many bodies."""
    return f"INSERT INTO bodies VALUES {', '.join(['(?, ?, ?)'] * count)}"


LAST = "SELECT key, seq FROM entries ORDER BY seq DESC LIMIT ?"


def pause_row(pause: Pause) -> tuple[str, str, int, int | None, str, str]:
    """Return the values of `PAUSE`."""
    until = None if pause.until is None else micros(pause.until)
    return (pause.scope, pause.reason, micros(pause.since), until, pause.by, pause.kind)


WHOLE = ", ".join(f"e.{name}" for name in COLUMNS)
BY_KEY = f"SELECT {WHOLE}, b.content, b.bcc FROM entries e LEFT JOIN bodies b USING (seq) WHERE e.key = ?"
LIGHT = f"SELECT {WHOLE} FROM entries e"

_STEP = """
UPDATE entries SET
    attempts = attempts + {attempts},
    state = {state},
    worker = {worker},
    reason = :reason, code = :code,
    due = coalesce(:due, due),
    receipt = coalesce(:receipt, receipt),
    remaining = coalesce(:remaining, remaining),
    changed = :now,
    attempted = {attempted},
    tried = CASE WHEN :counts THEN coalesce(tried, :now) ELSE tried END
WHERE key = :key AND state IN ({come_from}) AND (:fence IS NULL OR fence = :fence)
{more}
"""
_MARK = {
    "attempts": "1",
    "state": ":state",
    "worker": "worker",
    "attempted": ":now",
    "more": """AND (NOT EXISTS (SELECT 1 FROM pauses) OR NOT EXISTS (
        SELECT 1 FROM pauses
        WHERE scope IN ('lane:' || lane, 'company:' || company, 'user:' || company || '/' || coalesce(actor, ''))
            AND (until IS NULL OR until > :now)
    ))""",
}
_MOVE = {
    "attempts": "(state = 'claimed' AND :state IN ('deferred', 'rejected'))",
    "state": "CASE WHEN :state = '' THEN state ELSE :state END",
    "worker": "''",
    "attempted": "attempted",
    "more": "",
}


@functools.cache
def stepping(come_from: frozenset[State], *, is_mark: bool) -> str:
    """Return the statement of a step from these states; there are few, so that SQLite keeps them ready."""
    states = ", ".join(sorted(f"'{state.value}'" for state in come_from))
    return _STEP.format(come_from=states, **(_MARK if is_mark else _MOVE))


RE_POINT = """
UPDATE entries SET
    lane = :lane, owner = :owner, method = :method, mailbox = :mailbox, state = 'queued',
    due = CASE WHEN state = 'deferred' THEN 0 ELSE due END, reason = :reason, code = '', notes = '', fence = fence + 1, changed = :now
WHERE key = :key AND lane = :from AND fence = :fence AND state IN ('queued', 'deferred', 'held')
"""
RENAME = (
    """UPDATE entries SET owner = 'user:' || :new,
        lane = :company || '/user:' || :new || substr(lane, length(:company || '/user:' || :old) + 1)
    WHERE company = :company AND owner = 'user:' || :old""",
    "UPDATE entries SET actor = :new WHERE company = :company AND actor = :old",
    """UPDATE entries SET lane = substr(lane, 1, length(lane) - length(:old)) || :new
    WHERE company = :company AND lane GLOB '*/*/*/*' AND substr(lane, -length('/' || :old)) = '/' || :old""",
    """UPDATE OR REPLACE pauses SET scope = 'user:' || :company || '/' || :new
    WHERE scope = 'user:' || :company || '/' || :old""",
    """UPDATE OR REPLACE pauses
    SET scope = 'lane:' || :company || '/user:' || :new || substr(scope, length('lane:' || :company || '/user:' || :old) + 1)
    WHERE substr(scope, 1, length('lane:' || :company || '/user:' || :old || '/')) = 'lane:' || :company || '/user:' || :old || '/'""",
    """UPDATE OR REPLACE pauses SET scope = substr(scope, 1, length(scope) - length(:old)) || :new
    WHERE scope GLOB 'lane:*/*/*/*' AND substr(scope, 1, length('lane:' || :company || '/')) = 'lane:' || :company || '/'
        AND substr(scope, -length('/' || :old)) = '/' || :old""",
)
"""What is of a user who is called something else from now on."""
EVENT = """
INSERT INTO events
SELECT seq, (SELECT coalesce(max(number), 0) + 1 FROM events WHERE events.seq = entries.seq), :at, :state, :reason, :code, :by
FROM entries WHERE key = :key
"""
ERASABLE = """
SELECT seq FROM entries INDEXED BY over
WHERE state IN ('accepted', 'rejected', 'cancelled') AND erased = 0 AND changed < ? LIMIT 1000
"""
ANSWER = "INSERT INTO answers SELECT method, mailbox, :at FROM entries WHERE key = :key"

PROMOTE = """
UPDATE entries SET due = 0
WHERE state IN ('queued', 'deferred') AND due > 0 AND (due <= :now OR (due > :latest AND state = 'deferred'))
"""
"""What has come due stands in line. A wait longer than any that is given comes of a clock that was set back."""
PAUSED = "SELECT scope FROM pauses WHERE until IS NULL OR until > ?"
UNPAUSE = "DELETE FROM pauses WHERE kind != 'person' AND until > ?"
"""The same of a pause that pillarbox made."""
NEXT_LANE = """
SELECT lane FROM entries INDEXED BY ready WHERE state IN ('queued', 'deferred') AND due = 0 AND lane > ? ORDER BY lane LIMIT 1
"""
OTHERS = """
SELECT DISTINCT lane FROM entries WHERE state IN ('claimed', 'attempting') AND worker != ? AND worker NOT LIKE 'send-%'
"""
CLAIMABLE = """
SELECT e.seq, length(b.content) FROM entries e INDEXED BY ready JOIN bodies b USING (seq)
WHERE e.state IN ('queued', 'deferred') AND e.due = 0 AND e.lane = :lane
    AND (:methods IS NULL OR e.method IN (SELECT value FROM json_each(:methods)))
    AND (:users IS NULL OR e.actor IN (SELECT value FROM json_each(:users)))
    AND (e.actor IS NULL OR 'user:' || e.company || '/' || e.actor NOT IN (SELECT value FROM json_each(:paused)))
    AND 'company:' || e.company NOT IN (SELECT value FROM json_each(:paused))
ORDER BY e.priority DESC, e.seq LIMIT :limit
"""
CLAIM = "UPDATE entries SET state = 'claimed', worker = ?, fence = fence + 1, changed = ? WHERE seq = ?"
HOLD_UNREADABLE = """
UPDATE entries SET state = 'held', worker = '', code = '', reason = 'What is kept of it can''t be read; the file was damaged.'
WHERE key = ?
"""
CLAIMED = f"SELECT {WHOLE}, b.content, b.bcc FROM entries e JOIN bodies b USING (seq) WHERE e.seq = ?"

TAKEN = f"{LIGHT} WHERE e.state IN ('claimed', 'attempting')"
LOOKS = f"""
SELECT {WHOLE}, b.content, b.bcc FROM entries e JOIN bodies b USING (seq)
WHERE e.state = 'unknown' AND (e.due <= :now OR e.due > :latest) AND (
    e.lane NOT GLOB '*/*/*/*'
    OR EXISTS (SELECT 1 FROM json_each(:users) WHERE substr(e.lane, -length('/' || value)) = '/' || value)
) ORDER BY e.due LIMIT :limit
"""
BUSY = "SELECT DISTINCT worker FROM entries WHERE state IN ('claimed', 'attempting')"
EXPIRED = f"""
{LIGHT} WHERE e.not_after IS NOT NULL AND e.state IN ('queued', 'deferred') AND e.not_after < ? ORDER BY e.not_after LIMIT ?
"""
OPEN = """
SELECT seq FROM entries WHERE state IN ('queued', 'deferred') AND due = 0
UNION ALL SELECT seq FROM entries WHERE state IN ('queued', 'deferred') AND due > 0
UNION ALL SELECT seq FROM entries WHERE state IN ('claimed', 'attempting')
UNION ALL SELECT seq FROM entries WHERE state IN ('unknown', 'held')
"""
LANES = f"""
SELECT lane, company, owner, method, mailbox, state, count(*), min(created), min(due)
FROM entries WHERE seq IN ({OPEN}) AND (
    :user IS NULL OR actor = :user OR (lane GLOB '*/*/*/*' AND substr(lane, -length('/' || :user)) = '/' || :user)
) GROUP BY lane, state ORDER BY lane
"""
NEXT_DUE = """
SELECT min(due) FROM (
    SELECT due FROM (SELECT 0 AS due FROM entries INDEXED BY ready WHERE state IN ('queued', 'deferred') AND due = 0 LIMIT 1)
    UNION ALL SELECT min(due) FROM entries WHERE state IN ('queued', 'deferred') AND due > 0
    UNION ALL SELECT min(due) FROM entries WHERE state = 'unknown'
    UNION ALL SELECT min(until) FROM pauses
)
"""
BURST = "INSERT INTO bursts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"
BURSTED = "SELECT sum(count) FROM bursts WHERE scope = ? AND minute > ?"
PAUSE = """
INSERT INTO pauses VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (scope) DO UPDATE SET
    reason = excluded.reason, since = excluded.since, until = excluded.until, by = excluded.by, kind = excluded.kind
WHERE pauses.kind != 'person' OR excluded.kind = 'person'
"""
