"""The host's one object: threads, forks, deadlines, batches, an outbox, and nothing on standard output."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
import time

import attrs
import pytest

from pillarbox import (
    Actor,
    AsyncMailer,
    Choice,
    Company,
    Journal,
    Limits,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Message,
    MessageError,
    OutcomeUnknown,
    Receipt,
    Role,
    SendDeferred,
    SettingsError,
    SignInNeeded,
    State,
    Unavailable,
    User,
)
from pillarbox.outbox import settled
from tests.core.doubles import directory, plugins, slow

LETTER = Message(to="ap@customer.example", subject="Invoice 1001", text="attached")


def mailer(method=None, **more):
    """Return a mailer whose company sends by *method*, a transport class."""
    found = plugins(**({"slowmail": method} if method else {}))
    company = Company(address="orders@acme.example", name="Acme", method="slowmail" if method else "umail")
    anna = User(id="anna", address="anna@acme.example", name="Anna Berg")
    return Mailer(MemoryDirectory(company, [anna], plugins=found), plugins=found, **more)


def until(condition):
    """Wait until *condition* holds."""
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_it_sends_and_tells():
    """The walk of one message."""
    receipt = mailer().send(LETTER, user="anna")
    assert isinstance(receipt, Receipt)
    assert receipt.message_id.endswith("@acme.example>")


def test_an_unknown_user_is_never_served():
    """Nothing leaves."""
    method = slow()
    with pytest.raises(SettingsError):
        mailer(method).send(LETTER, user="nobody")
    assert method.accepted == []


def test_many_threads_never_exceed_the_carriers_limit():
    """Eight threads, two places."""
    method = slow(inside=0.002, limits=classmethod(lambda cls, settings: Limits(concurrency=2)))
    sends = mailer(method)
    threads = [
        threading.Thread(target=lambda: [sends.send(LETTER, user="anna") for _ in range(10)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(method.accepted) == 80
    assert method.most == 2


def test_a_deadline_before_the_hand_over_means_that_nothing_leaves():
    """Deferred is true: the attempt can no longer hand over."""
    release = threading.Event()
    method = slow(before=30, release=release)
    sends = mailer(method)
    with pytest.raises(SendDeferred, match="nothing left"):
        sends.send(LETTER, user="anna", deadline=0.05)
    release.set()
    for thread in threading.enumerate():
        if thread.name == "pillarbox-send":
            thread.join(10)
    assert method.handed == []


def test_a_deadline_after_the_hand_over_leaves_the_attempt_alone():
    """Unknown to the caller; the attempt goes on and is accepted."""
    release = threading.Event()
    method = slow(inside=30, release=release)
    sends = mailer(method)
    with pytest.raises(OutcomeUnknown, match="not known yet"):
        sends.send(LETTER, user="anna", deadline=0.2)
    release.set()
    for thread in threading.enumerate():
        if thread.name == "pillarbox-send":
            thread.join(10)
    assert len(method.accepted) == 1


def test_a_deadline_that_is_kept_changes_nothing():
    """Receipts and errors come through as they are."""
    assert isinstance(mailer().send(LETTER, user="anna", deadline=30), Receipt)
    with pytest.raises(SettingsError):
        mailer().send(LETTER, user="nobody", deadline=30)


def test_a_batch_answers_for_each_message():
    """One that can't be composed does not stop the others."""
    bad = attrs.evolve(LETTER, bcc=("jörg@customer.example",))
    answers = mailer().send_many([LETTER, bad, LETTER], user="anna")
    assert len(answers) == 3
    assert [isinstance(one, Receipt) for one in answers] in ([True, True, True], [True, False, True])


def test_a_batch_without_an_account_is_refused_whole():
    """Nothing is pulled from the host's iterator."""
    pulled = []
    with pytest.raises(SettingsError):
        mailer().send_many((pulled.append(1) for _ in range(3)), user="nobody")
    assert pulled == []


def test_an_account_that_changed_gets_a_new_transport():
    """And the old one is let go."""
    closed = []
    method = slow(close=lambda self: closed.append(self.settings.server))
    sends = mailer(method)
    sends.send(LETTER, user="anna")
    company, _ = sends.directory.look_up(None)
    changed = attrs.evolve(company, methods={"slowmail": {"server": "new.acme.example"}})
    sends.directory.save(changed, version=company.version, by=Actor("x", Role.DEPLOYER))
    sends.send(LETTER, user="anna")
    assert closed == ["mail.acme.example"]
    sends.close()
    assert closed == ["mail.acme.example", "new.acme.example"]


def test_an_explanation_is_fresh_when_the_settings_changed():
    """What was known of Anna is not believed for longer than it is true."""
    sends = mailer()
    assert sends.explain("anna").account.owner == "company"
    anna = sends.directory.look_up("anna")[1]
    personal = attrs.evolve(anna, choice=Choice.PERSONAL, method="umail")
    sends.directory.save(personal, version=anna.version, by=Actor("x", Role.DEPLOYER))
    assert sends.explain("anna").account.owner == "user:anna"


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


class KeptOutbox:
    """An outbox in memory, as little as the protocol allows."""

    def __init__(self):
        self.entries = {}
        self.cancelled = []

    def put(self, entry, *, claimed_by=None):
        self.entries[entry.key] = attrs.evolve(entry, state=State.CLAIMED)
        return self.entries[entry.key]

    def journal(self, entry):
        return Journal()

    def settle(self, key, outcome):
        self.entries[key] = attrs.evolve(self.entries[key], state=settled(outcome))

    def cancel(self, key, by):
        self.cancelled.append(key)


@pytest.mark.parametrize(
    ("error", "state", "ended"),
    [
        (None, State.ACCEPTED, False),
        (SendDeferred("later"), State.DEFERRED, True),
        (SignInNeeded("who?"), State.DEFERRED, True),
        (OutcomeUnknown("hm"), State.UNKNOWN, False),
    ],
)
def test_with_an_outbox_an_error_that_is_told_ends_the_entry(error, state, ended):
    """Only the unknown stays (architecture 6); identity is frozen with the entry (rule 27)."""

    def send(self, submission, journal):
        with journal.handing_over():
            if error:
                raise error
        return Receipt(submission.message_id)

    outbox = KeptOutbox()
    sends = mailer(slow(send=send), outbox=outbox)
    try:
        sends.send(LETTER, user="anna")
    except (SendDeferred, SignInNeeded, OutcomeUnknown) as told:
        assert told is error
    (entry,) = outbox.entries.values()
    assert (entry.state, bool(outbox.cancelled)) == (state, ended)
    assert (entry.owner, entry.method, entry.mailbox, entry.user) == (
        "company",
        "slowmail",
        "orders@acme.example",
        "anna",
    )


def test_a_secret_is_kept_and_the_settings_refer_to_it():
    """And the transport's view gives it out."""
    vault = MemoryVault()
    sends = Mailer(directory(users=(User(id="otto", address="otto@acme.example", choice=Choice.PERSONAL, method="umail"),)), plugins=plugins(), vault=vault)  # fmt: skip
    otto = sends.directory.look_up("otto")[1]
    sends.set_secret(otto, "password", "hunter2", by=Actor("x", Role.DEPLOYER))
    account = sends.explain("otto").account
    assert sends._credentials(account).secret("password") == "hunter2"
    assert vault.names() == ["company/user:otto/umail"]


def test_renaming_a_user_takes_their_secrets_along():
    """Sealed again under the new name."""
    sends = Mailer(directory(users=(User(id="otto", address="otto@acme.example", choice=Choice.PERSONAL, method="umail"),)), plugins=plugins(), vault=MemoryVault())  # fmt: skip
    by = Actor("x", Role.DEPLOYER)
    sends.set_secret(sends.directory.look_up("otto")[1], "password", "hunter2", by=by)
    sends.rename_user("otto", "karl", by=by)
    account = sends.explain("karl").account
    assert sends._credentials(account).secret("password") == "hunter2"
    assert sends.vault.names() == ["company/user:karl/umail"]
    with pytest.raises(SettingsError):
        sends.explain("otto")
    with pytest.raises(SettingsError, match="already"):
        sends.rename_user("karl", "anna", by=by)


def test_removing_a_user_destroys_their_secrets():
    """Rule 7."""
    sends = Mailer(directory(users=(User(id="otto", address="otto@acme.example", choice=Choice.PERSONAL, method="umail"),)), plugins=plugins(), vault=MemoryVault())  # fmt: skip
    by = Actor("x", Role.DEPLOYER)
    sends.set_secret(sends.directory.look_up("otto")[1], "password", "hunter2", by=by)
    sends.remove_user("otto", by=by)
    assert sends.vault.names() == []


def test_without_a_vault_nothing_is_kept():
    """And it says how to get one."""
    sends = Mailer(directory(), plugins=plugins())
    with pytest.raises(Unavailable, match="pillarbox-vault"):
        sends.keep_secret(sends.directory.look_up(None)[0], "password", "x")


@pytest.mark.parametrize("wrong", [{"to": "x"}, {"subject": "a\r\nBcc: x@y.example"}])
def test_a_bad_message_is_refused_when_it_is_built(wrong):
    """Before anybody is asked to send it."""
    with pytest.raises(MessageError):
        Message(**{"to": "a@b.example", "subject": "s", "text": "t", **wrong})


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )


def test_it_writes_nothing_to_standard_output_or_error():
    """Structlog unconfigured prints; logging's last resort prints: neither does here, in any public call."""
    done = run("""
        from pillarbox import *
        from pillarbox._log import event
        company = Company.from_url("smtp://127.0.0.1:9?timeout=1", address="orders@acme.example")
        users = [User(id="anna", address="anna@other.example"), User(id="carl", choice=Choice.PERSONAL)]
        mailer = Mailer(MemoryDirectory(company, users))
        letter = Message(to="a@b.example", subject="s", text="t")
        for user in (None, "anna", "carl", "nobody"):
            for call in (mailer.explain, lambda user: list(mailer.check(user)), lambda user: mailer.send(letter, user=user),
                         lambda user: mailer.send_many([letter], user=user)):
                try:
                    call(user)
                except PillarboxError:
                    pass
        for level in ("debug", "info", "warning", "error"):
            event(level, "pillarbox.test", field=1)
        mailer.plugins.describe()
        mailer.close()
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_child_never_touches_its_parents_connections():
    """Gunicorn's preload, Celery's prefork: the child opens its own, and the parent's goes on."""
    done = run("""
        import os
        from pillarbox import *
        from pillarbox.testing import ScriptedServer

        with ScriptedServer() as server:
            company = Company.from_url(f"smtp+none://127.0.0.1:{server.port}", address="orders@acme.example")
            mailer = Mailer(MemoryDirectory(company, [User(id="anna", address="anna@acme.example")]))
            letter = Message(to="a@b.example", subject="s", text="t")
            mailer.send(letter, user="anna")
            children = []
            for number in range(3):
                child = os.fork()
                if not child:
                    code = 1
                    try:
                        mailer.send(letter, user="anna")
                        mailer.close()
                        code = 0
                    finally:
                        os._exit(code)
                children.append(child)
            codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
            mailer.send(letter, user="anna")
            mailer.close()
            server.drain()
            by_connection = sorted(one.connection for one in server.accepted)
            print(codes, by_connection)
    """)
    assert done.stdout.split("\n")[0] == "[0, 0, 0] [1, 1, 2, 3, 4]", done.stdout + done.stderr
