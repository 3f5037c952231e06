"""The tables in PostgreSQL, and the functions that move what is in them: each is one statement, whole or not at all."""

from __future__ import annotations

from typing import Final

from pillarbox.outbox import COLUMNS

ENGINE_TASK: Final = "pillarbox.serve"
"""The name of the engine's one task: to serve a lane."""
CHANNEL: Final = "pillarbox"
"""What is notified when something has come."""

_FIRST = """
CREATE TABLE pillarbox.entries (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL UNIQUE,
    lane text COLLATE "C" NOT NULL, company text NOT NULL, owner text NOT NULL, method text NOT NULL, mailbox text NOT NULL,
    actor text,
    state text NOT NULL, due bigint NOT NULL, priority bigint NOT NULL, attempts bigint NOT NULL,
    fence bigint NOT NULL, worker text NOT NULL, reason text NOT NULL, code text NOT NULL,
    created bigint NOT NULL, changed bigint NOT NULL, attempted bigint, tried bigint,
    digest text NOT NULL, part_of text NOT NULL, again_of text NOT NULL, reference text NOT NULL,
    recipients text NOT NULL, remaining text, not_after bigint, frozen text NOT NULL, notes text NOT NULL, receipt text,
    erased boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX ready ON pillarbox.entries (lane, priority DESC, seq) WHERE state IN ('queued', 'deferred') AND due = 0;
CREATE INDEX taken ON pillarbox.entries (lane, worker) WHERE state IN ('claimed', 'attempting');
CREATE INDEX unknown ON pillarbox.entries (due) WHERE state = 'unknown';
CREATE INDEX later ON pillarbox.entries (due) WHERE state IN ('queued', 'deferred') AND due > 0;
CREATE INDEX expiring ON pillarbox.entries (not_after) WHERE not_after IS NOT NULL AND state IN ('queued', 'deferred');
CREATE INDEX over ON pillarbox.entries (changed) WHERE state IN ('accepted', 'rejected', 'cancelled') AND NOT erased;
CREATE INDEX held ON pillarbox.entries (lane) WHERE state IN ('unknown', 'held');
CREATE INDEX referenced ON pillarbox.entries (reference) WHERE reference <> '';
CREATE INDEX parts ON pillarbox.entries (part_of) WHERE part_of <> '';
CREATE INDEX repeated ON pillarbox.entries (again_of) WHERE again_of <> '';

CREATE TABLE pillarbox.bodies (
    seq bigint PRIMARY KEY REFERENCES pillarbox.entries ON DELETE CASCADE,
    content bytea NOT NULL, bcc bytea NOT NULL
);

CREATE TABLE pillarbox.events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq bigint NOT NULL, at bigint NOT NULL, state text NOT NULL, reason text NOT NULL, code text NOT NULL,
    by text NOT NULL
);
CREATE INDEX history ON pillarbox.events (seq, id);

CREATE TABLE pillarbox.answers (method text NOT NULL, mailbox text NOT NULL, at bigint NOT NULL);
CREATE INDEX answered ON pillarbox.answers (mailbox, method, at);

CREATE TABLE pillarbox.pauses (
    scope text COLLATE "C" PRIMARY KEY, reason text NOT NULL, since bigint NOT NULL, until bigint,
    by text NOT NULL, kind text NOT NULL
);

CREATE TABLE pillarbox.bursts (scope text NOT NULL, minute bigint NOT NULL, count bigint NOT NULL);
CREATE INDEX bursted ON pillarbox.bursts (scope, minute) INCLUDE (count);

CREATE TABLE pillarbox.workers (name text COLLATE "C" PRIMARY KEY, expires timestamptz NOT NULL);

CREATE TABLE pillarbox.vault_rows (
    name text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, sealed bytea NOT NULL, readable text NOT NULL
);

-- A worker's life ends with its lease, by the server's clock, which no worker can set.
CREATE FUNCTION pillarbox.lives(worker text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM pillarbox.workers w WHERE w.name = worker AND w.expires > clock_timestamp())
$$;

-- What came: counted against the burst limit, and a job of the engine for each lane. Only rows of its own are written, so
-- that a host's transaction, however long, holds up no other.
CREATE FUNCTION pillarbox.arrived(scopes text[], counts bigint[], this_minute bigint, lanes text[], queues text[], due double precision[])
RETURNS bigint[] LANGUAGE plpgsql SET search_path = pillarbox, pg_temp AS $$
DECLARE
    totals bigint[];
BEGIN
    INSERT INTO pillarbox.bursts SELECT s, this_minute, c FROM unnest(scopes, counts) AS u (s, c);
    SELECT array_agg((SELECT sum(b.count) FROM pillarbox.bursts b WHERE b.scope = s AND b.minute > this_minute - 60) ORDER BY n)
        INTO totals FROM unnest(scopes) WITH ORDINALITY AS u (s, n);
    PERFORM pillarbox.procrastinate_defer_jobs_v1(array_agg(
        ROW(q, 'pillarbox.serve', 0, NULL, NULL, jsonb_build_object('lane', l),
            CASE WHEN d > 0 THEN to_timestamp(d) END)::pillarbox.procrastinate_job_to_defer_v1
    )) FROM unnest(lanes, queues, due) AS u (l, q, d) HAVING count(*) > 0;
    PERFORM pg_notify('pillarbox', '');
    RETURN totals;
END $$;

-- Steps, each compare-and-set; the mark of a hand-over also asks whether its worker's lease still runs and nothing is paused.
CREATE FUNCTION pillarbox.take(steps jsonb, at_ bigint) RETURNS boolean[] LANGUAGE plpgsql AS $$
DECLARE
    it record;
    one record;
    taken boolean[] := '{}';
    is_news boolean := false;
BEGIN
    FOR it IN SELECT * FROM jsonb_to_recordset(steps) AS s (
        key text, state text, come_from text[], fence bigint, reason text, code text, due bigint, receipt text,
        remaining text, counts boolean, answered bigint, tells boolean, decided_by text
    ) LOOP
        UPDATE pillarbox.entries e SET
            attempts = e.attempts
                + CASE WHEN it.state = 'attempting' OR (e.state = 'claimed' AND it.state IN ('deferred', 'rejected')) THEN 1 ELSE 0 END,
            state = CASE WHEN it.state = '' THEN e.state ELSE it.state END,
            worker = CASE WHEN it.state = 'attempting' THEN e.worker ELSE '' END,
            reason = it.reason, code = it.code,
            due = coalesce(it.due, e.due),
            receipt = coalesce(it.receipt, e.receipt),
            remaining = coalesce(it.remaining, e.remaining),
            changed = at_,
            attempted = CASE WHEN it.state = 'attempting' THEN at_ ELSE e.attempted END,
            tried = CASE WHEN it.counts THEN coalesce(e.tried, at_) ELSE e.tried END
        WHERE e.key = it.key AND e.state = ANY (it.come_from) AND (it.fence IS NULL OR e.fence = it.fence)
            AND (it.state <> 'attempting' OR (pillarbox.lives(e.worker) AND NOT EXISTS (
                SELECT 1 FROM pillarbox.pauses p
                WHERE p.scope IN ('lane:' || e.lane, 'company:' || e.company, 'user:' || e.company || '/' || coalesce(e.actor, ''))
                    AND (p.until IS NULL OR p.until > at_)
            )))
        RETURNING e.seq, e.method, e.mailbox INTO one;
        taken := taken || FOUND;
        CONTINUE WHEN NOT FOUND;
        IF it.tells THEN
            INSERT INTO pillarbox.events (seq, at, state, reason, code, by)
                VALUES (one.seq, at_, CASE WHEN it.state = '' THEN 'unknown' ELSE it.state END, it.reason, it.code, it.decided_by);
        END IF;
        IF it.answered IS NOT NULL THEN
            INSERT INTO pillarbox.answers VALUES (one.method, one.mailbox, it.answered);
        END IF;
        is_news := is_news OR it.state IN ('queued', 'unknown');
    END LOOP;
    IF is_news THEN
        PERFORM pg_notify('pillarbox', '');
    END IF;
    RETURN taken;
END $$;

-- What has come due stands in line; whoever else is at it is not waited for.
CREATE FUNCTION pillarbox.promote(at_ bigint, latest bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE pillarbox.entries SET due = 0 WHERE seq IN (
        SELECT seq FROM pillarbox.entries
        WHERE state IN ('queued', 'deferred') AND due > 0 AND (due <= at_ OR (due > latest AND state = 'deferred'))
        FOR UPDATE SKIP LOCKED
    )
$$;

-- The lanes in which something waits that is due, from the one behind *start* round to it.
CREATE FUNCTION pillarbox.waiting_lanes(start text) RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
DECLARE
    lane_ text := start;
    is_round boolean := false;
BEGIN
    LOOP
        SELECT e.lane INTO lane_ FROM pillarbox.entries e
            WHERE e.state IN ('queued', 'deferred') AND e.due = 0 AND e.lane > lane_ ORDER BY e.lane LIMIT 1;
        IF lane_ IS NULL OR (is_round AND lane_ > start) THEN
            EXIT WHEN is_round;
            is_round := true;
            lane_ := '';
            CONTINUE;
        END IF;
        RETURN NEXT lane_;
    END LOOP;
END $$;

-- Due entries for a worker. A lane is one worker's at a time: a lock that ends with the statement keeps others out while it
-- is looked at, and each query in here sees what was committed before it began.
CREATE FUNCTION pillarbox.claim(
    me text, at_ bigint, latest bigint, most bigint, each_ bigint, octets bigint,
    busy text[], methods text[], accounts text[], users text[], start text
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    paused text[];
    lane_ text;
    one record;
    found_ bigint[] := '{}';
    size_ bigint := 0;
    looked integer := 0;
BEGIN
    PERFORM pillarbox.promote(at_, latest);
    DELETE FROM pillarbox.pauses WHERE kind <> 'person' AND until > latest;
    SELECT coalesce(array_agg(scope), '{}') INTO paused FROM pillarbox.pauses WHERE until IS NULL OR until > at_;
    FOR lane_ IN
        SELECT l FROM (
            SELECT unnest(accounts) AS l UNION SELECT pillarbox.waiting_lanes(start) WHERE accounts IS NULL
        ) AS lanes ORDER BY l COLLATE "C" <= start, l COLLATE "C"
    LOOP
        EXIT WHEN cardinality(found_) >= most OR size_ >= octets OR looked >= 500;  -- each lock takes a place of the server's
        -- A lane with a desk is for a worker that serves its user.
        CONTINUE WHEN split_part(lane_, '/', 4) <> '' AND NOT coalesce(split_part(lane_, '/', 4) = ANY (users), false);
        CONTINUE WHEN lane_ = ANY (busy) OR 'lane:' || lane_ = ANY (paused) OR (
            SELECT 'company:' || e.company FROM pillarbox.entries e
            WHERE e.lane = lane_ AND e.state IN ('queued', 'deferred') AND e.due = 0 LIMIT 1
        ) = ANY (paused);
        looked := looked + 1;
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(1886153074, hashtext(lane_));
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM pillarbox.entries e
            WHERE e.lane = lane_ AND e.state IN ('claimed', 'attempting') AND e.worker <> me AND e.worker NOT LIKE 'send-%'
        );
        FOR one IN
            SELECT e.seq, octet_length(b.content) AS size FROM pillarbox.entries e JOIN pillarbox.bodies b USING (seq)
            WHERE e.state IN ('queued', 'deferred') AND e.due = 0 AND e.lane = lane_
                AND (methods IS NULL OR e.method = ANY (methods)) AND (users IS NULL OR split_part(lane_, '/', 4) <> '' OR e.actor = ANY (users))
                AND (e.actor IS NULL OR NOT 'user:' || e.company || '/' || e.actor = ANY (paused))
                AND NOT 'company:' || e.company = ANY (paused)
            ORDER BY e.priority DESC, e.seq LIMIT least(each_, most - cardinality(found_)) FOR UPDATE OF e SKIP LOCKED
        LOOP
            EXIT WHEN cardinality(found_) > 0 AND size_ + one.size > octets;
            found_ := found_ || one.seq;
            size_ := size_ + one.size;
        END LOOP;
    END LOOP;
    UPDATE pillarbox.entries SET state = 'claimed', worker = me, fence = fence + 1, changed = at_ WHERE seq = ANY (found_);
    RETURN found_;
END $$;
"""

_REPORTS = """
CREATE TABLE pillarbox.reports (
    seq bigint NOT NULL, recipient text NOT NULL, kind text NOT NULL, at bigint NOT NULL, detail text NOT NULL,
    recorded bigint NOT NULL, PRIMARY KEY (seq, recipient, kind, at, detail)
);
CREATE TABLE pillarbox.cursors (source text PRIMARY KEY, cursor text NOT NULL);
"""

MIGRATIONS: Final[tuple[tuple[str, str], ...]] = (("1", _FIRST), ("2", _REPORTS))
"""Our versions, oldest first; one that was released is never changed."""

_REFERENCE = "(receipt::jsonb ->> 'reference')"
NAMED = (
    f"CREATE INDEX IF NOT EXISTS answered_as ON pillarbox.entries ({_REFERENCE}) WHERE receipt IS NOT NULL"
)
"""Made with the first report that names a mail by the provider's name: others pay for none of it."""
_HERE = """
SELECT seq, recipients FROM pillarbox.entries
WHERE company = %(company)s AND (%(owner)s::text IS NULL OR owner = %(owner)s)
"""
OF_KEY = f"{_HERE} AND (key = %(name)s OR part_of = %(name)s)"
OF_REFERENCE = f"{_HERE} AND receipt IS NOT NULL AND {_REFERENCE} = %(name)s LIMIT 100"
REPORTED = "SELECT count(*) FROM pillarbox.reports WHERE seq = %s AND recipient = %s"
SAME_REPORT = "SELECT 1 FROM pillarbox.reports WHERE seq = %s AND recipient = %s AND kind = %s AND at = %s AND detail = %s"
REPORT = "INSERT INTO pillarbox.reports VALUES (%s, %s, %s, %s, %s, %s)"
REPORTS = """
SELECT r.recipient, r.kind, r.detail, r.at, r.recorded FROM pillarbox.reports r JOIN pillarbox.entries e USING (seq)
WHERE e.key = %s ORDER BY r.recorded, r.at, r.recipient COLLATE "C", r.kind COLLATE "C"
"""
CURSOR = "SELECT cursor FROM pillarbox.cursors WHERE source = %s"
SET_CURSOR = """
INSERT INTO pillarbox.cursors VALUES (%s, %s) ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor
"""
ONE_REPORTER = "SELECT pg_advisory_xact_lock(1886153075)"
"""Who keeps reports does so alone: what is kept once is looked for before."""

_NAMES = ", ".join(COLUMNS)
_MARKS = ", ".join(["%s"] * len(COLUMNS))
WHOLE = ", ".join(f"e.{name}" for name in COLUMNS)
INSERT = f"""
WITH kept AS (INSERT INTO pillarbox.entries ({_NAMES}) VALUES ({_MARKS}) ON CONFLICT (key) DO NOTHING RETURNING seq)
INSERT INTO pillarbox.bodies SELECT seq, %s, %s FROM kept RETURNING seq
"""
ARRIVED = (
    "SELECT pillarbox.arrived(%s::text[], %s::bigint[], %s, %s::text[], %s::text[], %s::double precision[])"
)
TAKE = "SELECT pillarbox.take(%s::jsonb, %s)"
CLAIM = (
    "SELECT pillarbox.claim(%s, %s, %s, %s, %s, %s, %s::text[], %s::text[], %s::text[], %s::text[], %s::text)"
)
RELEASE = """
UPDATE pillarbox.entries SET state = 'queued', worker = '' WHERE state = 'claimed' AND worker = %s AND changed = %s RETURNING 1
"""
BY_KEY = f"SELECT {WHOLE}, b.content, b.bcc FROM pillarbox.entries e LEFT JOIN pillarbox.bodies b USING (seq) WHERE e.key = %s"
CLAIMED = f"""
SELECT {WHOLE}, b.content, b.bcc FROM unnest(%s::bigint[]) WITH ORDINALITY AS c (seq, place)
JOIN pillarbox.entries e USING (seq) JOIN pillarbox.bodies b USING (seq) ORDER BY place
"""
LIGHT = f"SELECT {WHOLE} FROM pillarbox.entries e"
NOTE = """
UPDATE pillarbox.entries SET notes = (coalesce(nullif(notes, ''), '{}')::jsonb || jsonb_build_object(%s::text, %s::text))::text
WHERE key = %s AND fence = %s AND state IN ('claimed', 'attempting') RETURNING 1
"""
ABANDONED = f"""
{LIGHT} WHERE e.state IN ('claimed', 'attempting') AND NOT pillarbox.lives(e.worker)
    AND (pg_postmaster_start_time() < clock_timestamp() - %s * interval '1 second'
        OR NOT EXISTS (SELECT 1 FROM pillarbox.workers w WHERE w.name = e.worker))
"""
"""While the server was away nobody could renew a lease: after its start each has the length of one to do so."""
LOOKS = f"""
SELECT {WHOLE}, b.content, b.bcc FROM pillarbox.entries e JOIN pillarbox.bodies b USING (seq)
WHERE e.state = 'unknown' AND (e.due <= %s OR e.due > %s)
    AND (split_part(e.lane, '/', 4) = '' OR split_part(e.lane, '/', 4) = ANY (%s::text[])) ORDER BY e.due, e.seq LIMIT %s
"""
EXPIRED = f"""
{LIGHT} WHERE e.not_after IS NOT NULL AND e.state IN ('queued', 'deferred') AND e.not_after < %s ORDER BY e.not_after LIMIT %s
"""
WORKERS = "SELECT count(*) FROM pillarbox.workers WHERE name LIKE 'worker-%' AND expires > clock_timestamp()"
RENEW = """
INSERT INTO pillarbox.workers SELECT name, clock_timestamp() + %s * interval '1 second' FROM unnest(%s::text[]) AS u (name)
ON CONFLICT (name) DO UPDATE SET expires = excluded.expires
"""
LEAVE = "DELETE FROM pillarbox.workers WHERE name = %s"
IN_HAND = "SELECT DISTINCT worker FROM pillarbox.entries WHERE worker = ANY (%s) AND state IN ('claimed', 'attempting')"
STARTS = "SELECT key FROM pillarbox.entries WHERE key >= %s AND key < %s LIMIT 2"
HISTORY = """
SELECT v.at, v.state, v.reason, v.code, v.by FROM pillarbox.events v JOIN pillarbox.entries e USING (seq)
WHERE e.key = %s ORDER BY v.id
"""
LANES = """
SELECT lane, min(company), min(owner), min(method), min(mailbox), state, count(*), min(created), min(due)
FROM pillarbox.entries
WHERE (state IN ('queued', 'deferred') OR state IN ('claimed', 'attempting') OR state IN ('unknown', 'held'))
    AND (%(user)s::text IS NULL OR actor = %(user)s OR split_part(lane, '/', 4) = %(user)s)
GROUP BY lane, state ORDER BY lane
"""
PAUSE = """
INSERT INTO pillarbox.pauses AS p VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (scope) DO UPDATE SET
    reason = excluded.reason, since = excluded.since, until = excluded.until, by = excluded.by, kind = excluded.kind
WHERE p.kind <> 'person' OR excluded.kind = 'person'
"""
IS_PAUSED = "SELECT 1 FROM pillarbox.pauses WHERE scope = %s AND (until IS NULL OR until > %s)"
RESUME = """
WITH counted AS (DELETE FROM pillarbox.bursts WHERE scope = %(scope)s),
     news AS (SELECT pg_notify('pillarbox', ''))
DELETE FROM pillarbox.pauses USING news WHERE scope = %(scope)s
"""
PAUSES = "SELECT scope, reason, since, until, by, kind FROM pillarbox.pauses WHERE until IS NULL OR until > %s ORDER BY scope"
ANSWERED = "SELECT at FROM pillarbox.answers WHERE mailbox = %s AND method = %s AND at > %s ORDER BY at"
NEXT_DUE = """
SELECT least(
    (SELECT 0 FROM pillarbox.entries WHERE state IN ('queued', 'deferred') AND due = 0 LIMIT 1),
    (SELECT min(due) FROM pillarbox.entries WHERE state IN ('queued', 'deferred') AND due > 0),
    (SELECT min(due) FROM pillarbox.entries WHERE state = 'unknown'),
    (SELECT min(until) FROM pillarbox.pauses)
)
"""
ERASE = """
WITH over AS (
    UPDATE pillarbox.entries SET erased = true WHERE seq IN (
        SELECT seq FROM pillarbox.entries
        WHERE state IN ('accepted', 'rejected', 'cancelled') AND NOT erased AND changed < %s LIMIT 1000 FOR UPDATE SKIP LOCKED
    ) RETURNING seq
)
DELETE FROM pillarbox.bodies USING over WHERE bodies.seq = over.seq
"""
TIDY = (
    "DELETE FROM pillarbox.answers WHERE at < %(yesterday)s",
    "DELETE FROM pillarbox.bursts WHERE minute < %(yesterday)s / 60000000",
    "DELETE FROM pillarbox.pauses WHERE until < %(yesterday)s",
    """
    DELETE FROM pillarbox.workers w WHERE w.expires < clock_timestamp() - interval '1 day' AND NOT EXISTS (
        SELECT 1 FROM pillarbox.entries e WHERE e.worker = w.name AND e.state IN ('claimed', 'attempting')
    )
    """,
)
GATHER = """
WITH gone AS (DELETE FROM pillarbox.bursts WHERE (scope, minute) IN (
    SELECT scope, minute FROM pillarbox.bursts GROUP BY scope, minute HAVING count(*) > 1
) RETURNING scope, minute, count)
INSERT INTO pillarbox.bursts SELECT scope, minute, sum(count) FROM gone GROUP BY scope, minute
"""
"""What was counted one by one becomes one row for each minute."""
NEEDY = """
SELECT l, (
    SELECT e.method FROM pillarbox.entries e WHERE e.lane = l AND e.state IN ('queued', 'deferred') AND e.due = 0 LIMIT 1
) FROM pillarbox.waiting_lanes('') AS l WHERE l > %s AND split_part(l, '/', 4) = '' AND NOT EXISTS (
    SELECT 1 FROM pillarbox.pauses WHERE scope = 'lane:' || l AND (until IS NULL OR until > %s)
) AND NOT EXISTS (
    SELECT 1 FROM pillarbox.entries e WHERE e.lane = l AND e.state IN ('claimed', 'attempting') AND e.worker NOT LIKE 'send-%%'
) ORDER BY l LIMIT %s
"""
"""The lanes in which something is due and nobody is at it."""
STILL_MINE = "SELECT DISTINCT lane FROM pillarbox.entries WHERE lane = ANY (%s) AND worker = %s AND state IN ('claimed', 'attempting')"
