"""AsyncMailer: cancelled, timed out, forked, many at once; what was handed over is never cut."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from pillarbox import AsyncMailer, Mailer, OutcomeUnknown, Receipt, SendDeferred, SettingsError, State
from tests import forking, systems
from tests.core.doubles import LETTER, KeptOutbox, mailer, slow, until
from tests.core.signing_in import ADMIN, ORDERS, OURS, Provider, office


def test_a_cancelled_await_before_the_hand_over_sends_nothing():
    """The attempt is called off."""
    release = threading.Event()
    method = slow(before=30, release=release)

    async def story():
        async with AsyncMailer(mailer(method)) as sends:
            task = asyncio.create_task(sends.send(LETTER, user="anna"))
            await asyncio.to_thread(until, lambda: method.now)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            release.set()

    asyncio.run(story())
    assert method.handed == []


def test_a_cancelled_await_after_the_hand_over_cuts_nothing():
    """The attempt goes on to its end."""
    release = threading.Event()
    method = slow(inside=30, release=release)

    async def story():
        async with AsyncMailer(mailer(method)) as sends:
            task = asyncio.create_task(sends.send(LETTER, user="anna"))
            await asyncio.to_thread(until, lambda: method.handed)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            release.set()

    asyncio.run(story())
    assert len(method.accepted) == 1


def test_an_event_loop_can_do_all_that_a_thread_can():
    """send, send_many, explain, check."""

    async def story():
        async with AsyncMailer(mailer()) as sends:
            receipts = await asyncio.gather(*(sends.send(LETTER, user="anna") for _ in range(20)))
            many = await sends.send_many([LETTER, LETTER], user="anna")
            return receipts, many, await sends.explain("anna"), await sends.check("anna")

    receipts, many, route, findings = asyncio.run(story())
    assert len(receipts) + len(many) == 22
    assert route.account.owner == "company"
    assert findings[0].code == "settings-ok"


@pytest.mark.parametrize("threads", [1, 2])
def test_a_send_that_waits_for_a_thread_is_cancelled_without_a_trace(threads):
    """It never begins, and its entry is never put."""
    release, outbox = threading.Event(), KeptOutbox()
    method = slow(inside=30, release=release)

    async def story():
        sends = AsyncMailer(Mailer(mailer(method).directory, outbox=outbox), threads=threads)
        async with sends:
            busy = [asyncio.create_task(sends.send(LETTER, user="anna")) for _ in range(threads)]
            await asyncio.to_thread(until, lambda: method.handed)
            task = asyncio.create_task(sends.send(LETTER, user="anna"))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            release.set()
            await asyncio.gather(*busy)

    asyncio.run(story())
    assert outbox.states() == [State.ACCEPTED] * threads
    assert len(method.handed) == threads


def test_a_cancelled_await_ends_its_entry_in_the_outbox():
    """The journal that is called off is the outbox's own."""
    release, outbox = threading.Event(), KeptOutbox()
    method = slow(before=30, release=release)

    async def story():
        async with AsyncMailer(Mailer(mailer(method).directory, outbox=outbox)) as sends:
            task = asyncio.create_task(sends.send(LETTER, user="anna"))
            await asyncio.to_thread(until, lambda: method.now)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            release.set()

    asyncio.run(story())
    assert method.handed == []
    assert outbox.states() == [State.CANCELLED]


def test_a_deadline_before_the_hand_over_is_deferred():
    """Also while all threads are busy: the deadline counts from the await, not from the turn."""
    release = threading.Event()
    method = slow(before=30, release=release)

    async def story():
        async with AsyncMailer(mailer(method), threads=1) as sends:
            busy = asyncio.create_task(sends.send(LETTER, user="anna"))
            await asyncio.to_thread(until, lambda: method.now)
            for deadline in (0.05, 0):
                with pytest.raises(SendDeferred, match="nothing left"):
                    await sends.send(LETTER, user="anna", deadline=deadline)
            release.set()
            return await busy

    assert isinstance(asyncio.run(story()), Receipt)
    assert len(method.handed) == 1


def test_a_deadline_after_the_hand_over_is_unknown_and_cuts_nothing():
    """The attempt goes on to its end; a deadline that is kept changes nothing."""
    release = threading.Event()
    method = slow(inside=30, release=release)

    async def story():
        async with AsyncMailer(mailer(method)) as sends:
            with pytest.raises(OutcomeUnknown):
                await sends.send(LETTER, user="anna", deadline=0.2)
            release.set()
            await asyncio.to_thread(until, lambda: method.accepted)
            assert isinstance(await sends.send(LETTER, user="anna", deadline=30), Receipt)
            with pytest.raises(SettingsError):
                await sends.send(LETTER, user="nobody", deadline=30)

    asyncio.run(story())
    assert len(method.accepted) == 2


def test_an_outcome_that_nobody_waited_for_is_not_complained_of():
    """A task that was cancelled, whose attempt then failed, prints nothing when the loop ends."""
    release, complaints = threading.Event(), []

    def send(self, submission, journal):
        with journal.handing_over():
            type(self).handed.append(1)
            release.wait(30)
            raise OSError("cut")

    method = slow(send=send)

    async def story():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        async with AsyncMailer(mailer(method)) as sends:
            task = asyncio.create_task(sends.send(LETTER, user="anna"))
            await asyncio.to_thread(until, lambda: method.handed)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            release.set()

    asyncio.run(story())
    assert complaints == []


def test_the_callers_context_is_there_in_the_thread():
    """What listens to attempts sees the request's id."""
    request, seen = contextvars.ContextVar("request"), []

    def send(self, submission, journal):
        seen.append(request.get())
        with journal.handing_over():
            return Receipt(submission.message_id)

    async def story():
        async with AsyncMailer(mailer(slow(send=send))) as sends:
            request.set("r-2")
            await sends.send(LETTER, user="anna")

    asyncio.run(story())
    assert seen == ["r-2"]


def test_it_can_be_used_in_one_loop_after_another():
    """And again after it was closed."""
    sends = AsyncMailer(mailer())

    async def story():
        async with sends:
            return await sends.send(LETTER, user="anna")

    assert [type(asyncio.run(story())) for _ in range(2)] == [Receipt, Receipt]


@systems.forks
def test_a_forked_child_has_threads_of_its_own():
    """The parent's are not in the child: it would wait for them for ever."""
    sends = AsyncMailer(mailer(), threads=1)
    asyncio.run(sends.send(LETTER, user="anna"))
    child = forking.child(lambda: asyncio.run(asyncio.wait_for(sends.send(LETTER, user="anna"), 20)))
    assert forking.ended(child) == 0
    asyncio.run(sends.aclose())


def test_a_message_is_enqueued_from_an_event_loop():
    """And a worker sends it."""
    method = slow()
    sends = mailer(method, outbox=KeptOutbox())
    entry = asyncio.run(AsyncMailer(sends).enqueue(LETTER, user="anna", key="INV-1", priority=2))
    sends.worker().run(drain=True)
    assert method.accepted == [entry.key]


def test_methods_are_suggested_and_a_change_is_advised_on():
    """As the mailer itself does."""

    async def story():
        async with AsyncMailer(mailer(slow())) as sends:
            found = await sends.suggest("anna@fastmail.com", offline=True)
            return found, await sends.advise("amail"), list(sends.mailer.advise("amail"))

    found, advised, same = asyncio.run(story())
    assert found.methods[0].settings["server"] == "smtp.fastmail.com"
    assert advised == same


def test_an_account_is_signed_in_from_an_event_loop():
    """Begun, finished, ended."""
    provider = Provider()

    async def story():
        async with AsyncMailer(office(provider)) as sends:
            consent = await sends.consent_url(OURS, state="s")
            prompt = await sends.connect(by=ADMIN, redirect_uri=OURS)
            found = await sends.finish_connect(provider.page(prompt.url), by=ADMIN)
            assert await sends.connection() == found
            return consent, found.address, await sends.disconnect(by=ADMIN), await sends.disconnect(by=ADMIN)

    consent, *rest = asyncio.run(story())
    assert consent.endswith("?state=s")
    assert rest == [ORDERS, True, None]


SAID_TO_BE_ELSEWHERE = {"connect_here", "worker"}
OF_THE_REST = {
    "close", "connects", "enqueue_many", "events", "existing_queue", "from_environ", "health", "keep_secret", "lacking_secrets", "mended",
    "move", "open", "plugins", "queue", "remove_user", "rename_user", "send_again", "set_secret", "stranded", "would_keep",
}  # fmt: skip
"""The outbox's and the settings' calls, and what makes or ends a mailer."""


def test_what_an_event_loop_lacks_is_known():
    """A new call of a mailer gets its counterpart, or a place in the sentence that says why not."""
    there = {name for name in dir(Mailer) if not name.startswith("_")}
    here = {name for name in dir(AsyncMailer) if not name.startswith("_")} | {"close"}
    assert there - here == (SAID_TO_BE_ELSEWHERE | OF_THE_REST) - {"close"}
    assert all(f"`{name}`" in AsyncMailer.__doc__ for name in SAID_TO_BE_ELSEWHERE)
