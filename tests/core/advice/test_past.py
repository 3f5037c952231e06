"""What was sent, held against what the account would take."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from pillarbox import Choice, Level, Limits
from pillarbox._advice.past import busiest

from .scene import ANNA, OTTO, Capabilities, Settings, Strict, found, mailer, sent

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_without_a_past_nothing_is_compared():
    """It says so."""
    assert found(mailer(), "strict")["change-no-history"][0].level is Level.SKIP


def test_messages_that_were_too_large_are_counted():
    """By their exact size, also when their bytes are erased."""
    box = mailer()
    sent(box, 2)
    sent(box, 1, size=3_000)
    box.outbox.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=400)
    assert box.outbox.erase(box.outbox.clock()) == 3
    told = found(box, "strict")["change-size"][0]
    (largest,) = (one.size for one in box.outbox.list() if one.size > 3_000)
    assert told.seen == f"1 of 3 messages had more than 1,000 octets, the largest {largest:,}"
    assert told.level is Level.FAIL


def test_messages_that_are_small_enough_fit():
    """With the largest."""
    box = mailer()
    sent(box)
    assert found(box, "strict")["change-size-fits"][0].level is Level.OK


def test_a_method_that_says_no_size_is_not_guessed():
    """The largest is told all the same."""
    box = mailer()
    sent(box)
    assert (
        "no largest size is known in advance; the largest had"
        in found(box, "amail")["change-size-unknown"][0].seen
    )


@pytest.mark.parametrize(
    ("to", "level", "end"),
    [("strict", Level.FAIL, "they would be refused"), ("split", Level.WARN, "they would be split")],
)
def test_many_recipients_are_split_or_refused(to, level, end):
    """As the carrier takes an envelope or not."""
    box = mailer()
    sent(box, to=3)
    told = found(box, to)["change-recipients"][0]
    assert (told.level, told.seen) == (level, f"1 messages had more than 2 recipients, the most 3; {end}")


def test_the_busiest_minute_and_day_are_held_against_the_limits():
    """Nothing is lost; it leaves later."""
    box = mailer()
    sent(box, 5)
    minute, day = found(box, "strict")["change-rate"]
    assert minute.seen.startswith("5 messages left in the minute from ")
    assert minute.seen.endswith("it takes 2 a minute")
    assert day.seen.endswith("it takes 3 a day")


def test_a_quiet_past_fits():
    """It says how near it came."""
    box = mailer()
    sent(box, 2)
    assert (
        found(box, "strict")["change-rate-fits"][0].seen
        == "at the busiest, 2 of 2 in a minute, 2 of 3 in a day"
    )


def test_only_what_the_account_carried_counts():
    """Not what users sent by their own."""
    own = attrs.evolve(ANNA, choice=Choice.PERSONAL, method="umail")
    box = mailer(own)
    sent(box)
    assert "change-no-history" in found(box, "strict")
    assert "change-size-fits" in found(box, "strict", "anna")


def test_a_users_own_account_is_held_against_what_they_wrote():
    """Also what the company's carried."""
    box = mailer(ANNA, OTTO)
    sent(box, 1, writer="anna")
    sent(box, 1, writer="otto", size=3_000)
    assert "change-size-fits" in found(box, "strict", "anna")


def test_a_grant_may_make_the_largest_smaller():
    """What was granted counts beside what the method says."""

    class Granted(Strict):
        settings: Settings
        allowed = Limits(size=10_000)

        @classmethod
        def capabilities(cls, connection):
            return Capabilities(size=100)

    box = mailer(extra={"granted": Granted})
    sent(box)
    assert "more than 100 octets" in found(box, "granted")["change-size"][0].seen


@pytest.mark.parametrize(
    ("seconds", "count", "began"),
    [([0], 1, 0), ([0, 59.9, 60, 61], 3, 59.9), ([0, 1, 2, 100, 101], 3, 0), ([5, 5, 5], 3, 5)],
)
def test_the_busiest_span_is_found(seconds, count, began):
    """A span ends just before its length."""
    moments = [NOON + dt.timedelta(seconds=one) for one in seconds]
    assert busiest(moments, dt.timedelta(minutes=1)) == (count, NOON + dt.timedelta(seconds=began))
