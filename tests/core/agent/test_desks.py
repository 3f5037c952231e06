"""What the worker of one desk may ask of its server, and what it may not."""

from __future__ import annotations

import datetime as dt
import time

import attrs
import pytest

from pillarbox import Actor, Changed, MemoryVault, Receipt, Role, SettingsError, State
from pillarbox._agent import desks as module
from pillarbox._outbox import steps
from pillarbox._outbox.recovery import rescue
from pillarbox.agent import Desks, wire
from pillarbox.outbox import Pause
from tests.core.doubles import LETTER
from tests.core.test_desks import office

ASKED = {"most": 10, "each": 10, "octets": 1_000_000, "busy": [], "methods": None, "in_hand": {}}
ONE, TWO = "1" * 32, "2" * 32
ADMINISTRATOR = Actor("petra", Role.ADMINISTRATOR)


@attrs.define
class Desk:
    """One user's worker, as the server sees it."""

    desks: Desks
    secret: str
    session: str = ONE

    @property
    def token(self):
        return self.desks.who(self.secret, self.session, takes_over=True)

    def claim(self, **more):
        return self.desks.claim(self.token, wire.Said({**ASKED, **more}))["entries"]

    def __getattr__(self, deed):
        return lambda **said: getattr(self.desks, deed)(self.token, wire.Said(said))


@pytest.fixture
def mailer():
    made = office()
    made.vault = MemoryVault()
    return made


@pytest.fixture
def desks(mailer):
    return Desks(mailer)


@pytest.fixture
def desk(desks):
    """Make a worker of a user's."""

    def made(user="anna", session=ONE):
        return Desk(desks, desks.tokens.issue(user, "company", "desk", user).secret, session)

    return made


def settled(entry, state=State.ACCEPTED, **more):
    """A step as it travels."""
    step = steps._of(entry, state, "", receipt=Receipt("<a@b>") if state is State.ACCEPTED else None)
    return wire.packed(attrs.evolve(step, **more))


def entry_of(mailer, key):
    return mailer.queue.get(key)


def test_a_desk_is_given_its_own_mail_alone(mailer, desk):
    """Not what waits for others, nor what somebody else's account carries."""
    keys = {user: mailer.enqueue(LETTER, user=user).key for user in ("anna", "bert", "otto")}
    for user in ("anna", "bert", "otto"):
        assert [one["submission"]["key"] for one in desk(user).claim()] == [keys[user]]


def test_what_is_said_of_an_entry_holds_no_bytes(mailer, desk):
    """They come by themselves, to whoever has claimed it."""
    key = mailer.enqueue(LETTER, user="anna").key
    anna, bert = desk(), desk("bert")
    assert anna.desks.content(anna.token, key, 0) is None
    (given,) = anna.claim()
    assert given["submission"]["chunks"] == []
    assert given["submission"]["bcc_header"] == ""
    bcc, content = anna.desks.content(anna.token, key, given["fence"])
    kept = mailer.queue.get(key).submission
    assert (bcc, content) == (kept.bcc_header, kept.content)
    assert anna.desks.content(anna.token, key, given["fence"] + 1) is None
    assert bert.desks.content(bert.token, key, given["fence"]) is None


@pytest.mark.parametrize("deed", ["hand_over", "note", "settle"])
def test_nobody_does_anything_to_another_s_mail(mailer, desk, deed):
    """Nor to one's own in another claim, nor by another run's."""
    key = mailer.enqueue(LETTER, user="anna").key
    anna, bert, again = desk(), desk("bert"), desk(session=TWO)
    (given,) = anna.claim()
    entry = mailer.queue.get(key)
    for who, fence in ((bert, given["fence"]), (anna, given["fence"] + 1), (anna, 0)):
        said = {"key": key, "fence": fence, "name": "n", "value": "v"}
        step = settled(attrs.evolve(entry, fence=fence), State.QUEUED)
        assert (
            True not in getattr(who, deed)(**said, steps=[step]).get("taken", [False])
            if deed == "settle"
            else (not any(getattr(who, deed)(**said).get(name) for name in ("taken", "kept")))
        )
    if deed != "settle":
        found = getattr(again, deed)(key=key, fence=given["fence"], name="n", value="v")
        assert not any(found.get(name) for name in ("taken", "kept"))
    assert mailer.queue.get(key).state is State.CLAIMED


def test_a_person_s_steps_are_not_a_worker_s(mailer, desk):
    """Without a claim, with a name, or along no arrow."""
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    anna.claim()
    entry = mailer.queue.get(key)
    for step in (
        settled(entry, State.QUEUED, fence=None),
        settled(entry, State.QUEUED, by="petra"),
        settled(entry, State.CLAIMED),
        settled(entry, None),
        settled(entry, State.CANCELLED, come_from=frozenset({State.UNKNOWN})),
        settled(entry, State.ACCEPTED, come_from=frozenset({State.CLAIMED}), receipt=None),
        settled(entry, State.DEFERRED, recipients=("stranger@evil.example",)),
        settled(entry, State.DEFERRED, recipients=()),
    ):
        assert anna.settle(steps=[step]) == {"taken": [False]}
    assert mailer.queue.get(key).state is State.CLAIMED


def test_a_mail_can_t_be_put_off_for_ever(mailer, desk):
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    anna.claim()
    far = dt.datetime(2999, 1, 1, tzinfo=dt.UTC)
    step = settled(mailer.queue.get(key), State.DEFERRED, due_at=far, reason="x" * 10_000)
    assert anna.settle(steps=[step]) == {"taken": [True]}
    entry = mailer.queue.get(key)
    assert entry.due_at < dt.datetime.now(dt.UTC) + dt.timedelta(days=32)
    assert len(entry.reason) <= 2_000


def test_the_carrier_s_word_counts_also_when_it_comes_late(mailer, desk):
    """When the worker was taken for dead, and a look could not tell."""
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    (given,) = anna.claim()
    assert anna.hand_over(key=key, fence=given["fence"]) == {"taken": True}
    entry, word = mailer.queue.get(key), settled(mailer.queue.get(key))
    mailer.queue.take([steps.after_death(entry, entry.changed_at)])
    mailer.queue.take([steps.looked_in_vain(mailer.queue.get(key), "Nobody can look.")])
    assert mailer.queue.get(key).state is State.HELD
    assert anna.settle(steps=[word]) == {"taken": [True]}
    assert mailer.queue.get(key).state is State.ACCEPTED


def test_a_run_that_was_taken_over_may_still_say_what_it_sent(mailer, desk, desks):
    """Nothing else."""
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    (given,) = anna.claim()
    anna.hand_over(key=key, fence=given["fence"])
    word = settled(mailer.queue.get(key))
    desks.enter(attrs.evolve(anna, session=TWO).token)
    with pytest.raises(Changed):
        desks.who(anna.secret, ONE)
    first = desks.who(anna.secret, ONE, of_any_run=True)
    assert desks.settle(first, wire.Said({"steps": [word]})) == {"taken": [True]}
    assert mailer.queue.get(key).state is State.ACCEPTED


def test_what_a_person_has_decided_stands(mailer, desk):
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    (given,) = anna.claim()
    anna.hand_over(key=key, fence=given["fence"])
    entry, word = mailer.queue.get(key), settled(mailer.queue.get(key))
    mailer.queue.take([steps.after_death(entry, entry.changed_at)])
    mailer.queue.take([steps.looked_in_vain(mailer.queue.get(key), "Nobody can look.")])
    mailer.queue.settle(key, sent=False, by="petra")
    assert anna.settle(steps=[word]) == {"taken": [False]}


def test_what_was_claimed_with_an_answer_that_never_came_is_given_again(mailer, desk):
    """The next claim says what is in hand."""
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    anna.claim()
    (given,) = anna.claim()
    assert given["submission"]["key"] == key
    assert anna.claim(in_hand={key: given["fence"]}) == []
    assert mailer.queue.get(key).state is State.CLAIMED


def test_a_hand_over_is_refused_while_the_lane_is_paused(mailer, desk):
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    (given,) = anna.claim()
    mailer.queue.pause(Pause(scope=f"lane:{given['account']}", reason="Wait.", by="petra"))
    assert anna.hand_over(key=key, fence=given["fence"]) == {
        "taken": False,
        "paused": True,
        "reason": "Wait.",
    }


def test_whether_a_mail_is_too_late_is_told_by_the_server_s_clock(mailer, desk):
    """A desk's may be wrong; so it is not told, and asks."""
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    keys = [mailer.enqueue(attrs.evolve(LETTER, not_after=soon), user="anna").key for _ in range(2)]
    anna = desk()
    given = {one["submission"]["key"]: one for one in anna.claim()}
    assert [one["submission"]["not_after"] for one in given.values()] == [None, None]
    assert anna.hand_over(key=keys[0], fence=given[keys[0]]["fence"]) == {"taken": True}
    mailer.queue.clock = lambda: soon + dt.timedelta(seconds=1)
    found = anna.hand_over(key=keys[1], fence=given[keys[1]]["fence"])
    assert found["taken"] is False
    assert "It was not to leave after" in found["reason"]
    assert mailer.queue.get(keys[1]).state is State.REJECTED


def test_a_word_from_the_future_is_of_now(mailer, desk):
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    (given,) = anna.claim()
    anna.hand_over(key=key, fence=given["fence"])
    ahead = Receipt("<a@b>", at=dt.datetime(2999, 1, 1, tzinfo=dt.UTC))
    assert anna.settle(steps=[settled(mailer.queue.get(key), receipt=ahead)]) == {"taken": [True]}
    assert mailer.queue.get(key).receipt.at <= dt.datetime.now(dt.UTC)


def test_a_hand_over_by_an_account_that_has_changed_holds_the_mail(mailer, desk):
    """Rule 27, at the last moment."""
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    (given,) = anna.claim()
    company = mailer.directory.look_up(None)[0]
    mailer.directory.save(
        attrs.evolve(company, address="sales@acme.example"), version=company.version, by=ADMINISTRATOR
    )
    assert anna.hand_over(key=key, fence=given["fence"])["taken"] is False
    assert mailer.queue.get(key).state is State.HELD


def test_a_desk_pauses_its_own_lanes_alone_and_not_for_ever(mailer, desk):
    mailer.enqueue(LETTER, user="anna")
    anna = desk()
    (given,) = anna.claim()
    scope, end = f"lane:{given['account']}", dt.datetime(2999, 1, 1, tzinfo=dt.UTC)
    for pause in (
        Pause(scope="company:company", reason="x", until=end, kind="server"),
        Pause(scope="lane:company/company/outlook/bert", reason="x", until=end, kind="server"),
        Pause(scope=scope, reason="x", until=end, kind="person"),
        Pause(scope=scope, reason="x", until=end, kind="server", by="petra"),
        Pause(scope=scope, reason="x", until=None, kind="server"),
    ):
        with pytest.raises(ValueError, match="pause"):
            anna.pause(pause=wire.packed(pause))
    anna.pause(pause=wire.packed(Pause(scope=scope, reason="x", until=end, kind="server")))
    (kept,) = mailer.queue.pauses()
    assert kept.until < dt.datetime.now(dt.UTC) + dt.timedelta(days=32)


@pytest.mark.parametrize(
    "said",
    [
        {"most": 0},
        {"most": True},
        {"most": "ten"},
        {"busy": "all"},
        {"busy": [1]},
        {"methods": {}},
        {"in_hand": []},
        {"in_hand": {str(one): 1 for one in range(10_000)}},
    ],
    ids=lambda said: next(iter(said)),
)
def test_a_claim_that_is_none_is_refused(desk, said):
    with pytest.raises(ValueError, match=r"not|no"):
        desk().claim(**said)


@pytest.mark.parametrize(
    "said",
    [
        {"name": "", "value": "v"},
        {"name": "two words", "value": "v"},
        {"name": 1, "value": "v"},
        {"name": "n", "value": "v" * 9_000},
        {"name": "n", "value": None},
        {"name": "n"},
        {"name": "n", "value": "v", "key": "../../etc"},
        {"name": "n", "value": "v", "fence": "1"},
    ],
)
def test_a_note_that_is_none_is_refused(desk, said):
    with pytest.raises(ValueError, match=r"not|no"):
        desk().note(**{"key": "0" * 32, "fence": 1, **said})


def test_what_a_desk_has_at_once_has_a_bound(mailer, desk, monkeypatch):
    monkeypatch.setattr(module, "MOST_CLAIMED", 3)
    for _ in range(5):
        mailer.enqueue(LETTER, user="anna")
    assert len(desk().claim(most=1_000, each=1_000)) == 3


def test_a_worker_has_to_enter(desks, desk):
    secret = desk().secret
    with pytest.raises(Changed):
        desks.who(secret, ONE)
    assert desks.who(secret, ONE, takes_over=True).user == "anna"
    assert desks.who(secret, ONE).user == "anna"
    with pytest.raises(Changed):
        desks.who(secret, TWO)
    for session in ("", "x", ONE + "1", "g" * 32):
        with pytest.raises(Changed):
            desks.who(secret, session, takes_over=True)


def test_a_user_who_is_gone_is_let_in_no_more(mailer, desk):
    """Also where somebody else than pillarbox removed them, so that the token is still there."""
    anna = desk()
    mailer.directory.remove("anna", by=ADMINISTRATOR)
    with pytest.raises(SettingsError):
        anna.claim()


def test_what_a_silent_worker_has_is_taken_back(mailer, desk):
    """What was not begun is queued again, what was handed over is looked for."""
    desks = Desks(mailer, lease=0.2)
    keys = [mailer.enqueue(LETTER, user="anna").key for _ in range(2)]
    anna = attrs.evolve(desk(), desks=desks)
    given = {one["submission"]["key"]: one["fence"] for one in anna.claim()}
    anna.hand_over(key=keys[0], fence=given[keys[0]])
    ends = time.monotonic() + 10
    while mailer.queue.get(keys[1]).state is not State.QUEUED:
        assert time.monotonic() < ends
        time.sleep(0.05)
        rescue(mailer.queue)
    assert mailer.queue.get(keys[0]).state is State.UNKNOWN
    while desks._lives._sweeper is not None:  # with the last life ends what looks after them
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_worker_that_goes_gives_back_what_it_has(mailer, desk, desks):
    key = mailer.enqueue(LETTER, user="anna").key
    anna, again = desk(), desk(session=TWO)
    anna.claim()
    assert again.claim() == []
    desks.leave(anna.token)
    desks._next_rescue = 0.0
    assert [one["submission"]["key"] for one in again.claim()] == [key]


def test_a_run_that_takes_over_takes_all(mailer, desk, desks):
    key = mailer.enqueue(LETTER, user="anna").key
    anna = desk()
    anna.claim()
    again = attrs.evolve(anna, session=TWO)
    desks.enter(again.token)
    assert [one["submission"]["key"] for one in again.claim()] == [key]


def test_what_is_in_doubt_is_looked_for_at_its_desk(mailer, desk):
    key = mailer.enqueue(LETTER, user="anna").key
    anna, bert = desk(), desk("bert")
    (given,) = anna.claim()
    anna.hand_over(key=key, fence=given["fence"])
    entry = mailer.queue.get(key)
    mailer.queue.take([steps.after_death(entry, entry.changed_at)])
    assert bert.looks(limit=10)["entries"] == []
    (found,) = anna.looks(limit=10)["entries"]
    assert anna.desks.content(anna.token, key, found["fence"]) is not None


def test_news_are_new_once_asked(mailer, desk, desks):
    """A desk that came to stand as before meanwhile has news all the same."""
    anna = desk()
    anna.claim()
    assert desks.news(anna.token, "")[0] is False
    mailer.enqueue(LETTER, user="anna")
    desks._known = None
    assert desks.news(anna.token, "")[0] is True
    mailer.enqueue(LETTER, user="bert")
    (given,) = anna.claim()
    desks._known = None
    assert desks.news(anna.token, "")[0] is True  # it was claimed
    anna.claim(in_hand={given["submission"]["key"]: given["fence"]})
    assert desks.news(anna.token, "")[0] is False


def test_the_desk_of_mail_that_nobody_writes_is_told_of_it(desk):
    mailer = office(desktop_user="bert")
    mailer.vault = MemoryVault()
    key = mailer.enqueue(LETTER).key
    desks = Desks(mailer)
    bert = Desk(desks, desks.tokens.issue("bert", "company", "desk", "bert").secret)
    assert desks.status(bert.token)["waiting"] == 1
    assert [one["submission"]["key"] for one in bert.claim()] == [key]
