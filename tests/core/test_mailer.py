"""The host's one object: threads, forks, deadlines, batches, an outbox, and nothing on standard output."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import textwrap
import threading
import traceback

import attrs
import pytest

from pillarbox import (
    Actor,
    Changed,
    Choice,
    Company,
    Directory,
    InvalidSettings,
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
    SenderMismatch,
    SettingsError,
    SignInNeeded,
    Unavailable,
    User,
    _mailer,
)
from tests import systems
from tests.core.doubles import LETTER, ByAccount, Settings, directory, mailer, plugins, slow


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


def test_a_mailer_is_not_pickled_and_says_so():
    """It holds connections; each process makes its own."""
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="make one in each process"):
            way(mailer())


def test_what_is_remembered_of_routes_is_bounded(monkeypatch):
    """A host with millions of users does not keep them all in memory."""
    monkeypatch.setattr(_mailer, "MOST_ROUTES", 3)
    users = [User(id=f"u{number}", address=f"u{number}@acme.example") for number in range(10)]
    sends = Mailer(directory(users=tuple(users)))
    for user in users:
        assert sends.explain(user.id).from_address.address == user.address
    assert len(sends._routes) <= 3


def test_it_uses_what_the_directory_allows():
    """A settings file that names its plugins is heeded also by who opens it themselves."""
    found = directory()
    assert Mailer(found).plugins is found.plugins


def test_a_host_whose_directory_makes_new_records_each_time_is_served():
    """Nothing is remembered wrongly: equal records are not the same records."""

    class Fresh(Directory):
        calls = 0

        def look_up(self, user, company=None):
            self.calls += 1
            number = self.calls
            made = Company(address="orders@acme.example", method="umail")
            return made, User(id=user, address=f"{user}{number}@acme.example")

    sends = Mailer(Fresh(), plugins=plugins())
    assert [sends.explain("anna").from_address.address for _ in range(2)] == [
        "anna1@acme.example",
        "anna2@acme.example",
    ]


def test_a_batch_is_read_whole_before_anything_leaves():
    """The host's own iterator may fail: then nothing left, and the error is the host's."""
    method = slow()

    def letters():
        yield LETTER
        raise LookupError("the host's table")

    with pytest.raises(LookupError):
        mailer(method).send_many(letters(), user="anna")
    assert method.handed == []


def test_the_transcript_has_a_connection_of_its_own():
    """And it is closed behind the message."""
    lines, closed = [], []

    def send(self, submission, journal):
        self.trace("C: hello")
        with journal.handing_over():
            return Receipt(submission.message_id)

    def close(self):
        closed.append(True)

    mailer(slow(send=send, close=close)).send(LETTER, user="anna", trace=lines.append)
    assert (lines, closed) == (["C: hello"], [True])


@pytest.mark.parametrize("failing", ["__init__", "limits", "require_platform"])
def test_a_method_that_can_not_be_set_up_is_at_fault(failing):
    """A sentence, not a KeyError; its text may hold a secret."""

    def crash(*arguments, **named):
        raise KeyError("hunter2")

    with pytest.raises(Unavailable, match="Slow failed with KeyError") as found:
        mailer(slow(**{failing: crash if failing == "__init__" else classmethod(crash)})).send(
            LETTER, user="anna"
        )
    assert "hunter2" not in "".join(traceback.format_exception(found.value))


def test_a_method_is_asked_for_its_platform_with_the_accounts_settings():
    """They may let another machine do the work."""
    asked = []
    method = slow(require_platform=classmethod(lambda cls, settings=None: asked.append(settings)))
    mailer(method).send(LETTER, user="anna")
    assert [type(one) for one in asked] == [method.settings_class()]


def test_a_server_that_a_person_typed_is_held_to_public_addresses():
    """Rule 38: the deployer's reaches anything, a person's what is public or listed."""
    seen = []
    method = slow(send=lambda self, one, journal: seen.append(self.network) or Receipt(one.message_id))
    sends = Mailer(mailer(method).directory, private_networks=("10.0.0.0/8",))
    sends.send(LETTER, user="anna")
    company, _ = sends.directory.look_up(None)
    typed = attrs.evolve(company, methods={"slowmail": {"server": "10.0.0.1"}})
    sends.directory.save(typed, version=company.version, by=Actor("boss", Role.ADMINISTRATOR))
    sends.send(LETTER, user="anna")
    deployers, persons = seen
    assert deployers.permits("127.0.0.1")
    assert not persons.permits("127.0.0.1")
    assert persons.permits("10.0.0.1")


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


def with_otto(**more):
    otto = User(id="otto", address="otto@acme.example", choice=Choice.PERSONAL, method="umail")
    return Mailer(directory(users=(otto,)), vault=MemoryVault(), **more)


@pytest.mark.parametrize("already", [True, False])
def test_nobody_sets_the_secret_of_another(already):
    """Rule 7: not even where the settings already refer to the vault, so that nothing of them changes."""
    sends = with_otto()
    if already:
        sends.set_secret(
            sends.directory.look_up("otto")[1], "password", "hunter2", by=Actor("x", Role.DEPLOYER)
        )
    otto = sends.directory.look_up("otto")[1]
    for by in (Actor("anna"), Actor("Otto"), Actor("")):
        with pytest.raises(InvalidSettings, match="can only be set by otto or an administrator"):
            sends.set_secret(otto, "password", "evil", by=by)
    with pytest.raises(InvalidSettings, match="can only be set by an administrator"):
        sends.set_secret(attrs.evolve(sends.directory.look_up(None)[0]), "password", "evil", by=Actor("otto"))
    sends.set_secret(sends.directory.look_up("otto")[1], "password", "own", by=Actor("otto"))
    assert sends._credentials(sends.explain("otto").account).secret("password") == "own"


def test_a_secret_is_not_kept_for_settings_that_are_refused():
    """The old one stays: the settings are saved first."""
    sends = with_otto()
    by = Actor("x", Role.DEPLOYER)
    sends.set_secret(sends.directory.look_up("otto")[1], "password", "hunter2", by=by)
    stale = attrs.evolve(sends.directory.look_up("otto")[1], methods={"umail": {"server": "evil.example"}})
    sends.directory.save(attrs.evolve(sends.directory.look_up("otto")[1], name="O"), version=sends.directory.look_up("otto")[1].version, by=by)  # fmt: skip
    with pytest.raises(Changed):
        sends.set_secret(stale, "password", "evil", by=by)
    assert sends._credentials(sends.explain("otto").account).secret("password") == "hunter2"


def test_a_vault_that_can_not_seal_loses_no_settings():
    """Tried before anything is saved."""
    sends = with_otto()

    def locked(secret, associated):
        raise Unavailable("The keychain is locked.")

    sends.vault.sealer.seal = locked
    otto = sends.directory.look_up("otto")[1]
    with pytest.raises(Unavailable, match="locked"):
        sends.set_secret(otto, "password", "x", by=Actor("otto"))
    assert sends.directory.look_up("otto")[1] == otto


def test_renaming_keeps_who_typed_the_settings():
    """A deployer who renames a user does not vouch for the server that the user typed (rule 38)."""
    sends = with_otto()
    otto = sends.directory.look_up("otto")[1]
    typed = attrs.evolve(otto, methods={"umail": {"server": "10.0.0.1"}})
    sends.directory.save(typed, version=otto.version, by=Actor("otto"))
    sends.rename_user("otto", "karl", by=Actor("x", Role.DEPLOYER))
    assert sends.explain("karl").account.typed_by is Role.OWNER


@pytest.mark.parametrize(
    "act", [lambda m, by: m.rename_user("otto", "karl", by=by), lambda m, by: m.remove_user("otto", by=by)]
)
def test_only_an_administrator_renames_or_removes(act):
    """And a refusal loses no secret."""
    sends = with_otto()
    sends.set_secret(sends.directory.look_up("otto")[1], "password", "own", by=Actor("otto"))
    for by in (Actor("otto"), Actor("anna")):
        with pytest.raises(InvalidSettings, match="by an administrator"):
            act(sends, by)
    assert sends._credentials(sends.explain("otto").account).secret("password") == "own"
    assert sends.vault.names() == ["company/user:otto/umail"]


def test_a_new_name_does_not_find_an_old_ones_secrets():
    """What lies under the new id is of somebody who is gone."""
    sends = with_otto()
    sends.vault.save("company/user:karl/umail", b"of a former karl", {"method": "umail"})
    sends.rename_user("otto", "karl", by=Actor("x", Role.DEPLOYER))
    assert sends.vault.names() == []


def test_a_rename_that_is_refused_touches_no_secret():
    """Neither of the one, nor of the other whose id was wanted."""
    sends = with_otto()
    by = Actor("x", Role.DEPLOYER)
    sends.vault.save("company/user:anna/umail", b"annas", {"method": "umail"})
    sends.set_secret(sends.directory.look_up("otto")[1], "password", "ottos", by=by)
    with pytest.raises(SettingsError, match="a user anna already"):
        sends.rename_user("otto", "anna", by=by)
    with pytest.raises(InvalidSettings):
        sends.rename_user("otto", "anna", by=Actor("otto"))
    assert sends.vault.names() == ["company/user:anna/umail", "company/user:otto/umail"]


def test_a_rename_waits_for_a_vault_that_can_seal():
    """And a secret that can't be opened any more keeps nobody from a new name."""
    sends = with_otto()
    by = Actor("x", Role.DEPLOYER)
    sends.set_secret(sends.directory.look_up("otto")[1], "password", "ottos", by=by)
    sealer = sends.vault.sealer

    class Locked:
        def seal(self, secret, associated):
            raise Unavailable("The keychain is locked.")

    sends.vault.sealer = Locked()
    with pytest.raises(Unavailable):
        sends.rename_user("otto", "karl", by=by)
    assert sends.directory.look_up("otto")[1].id == "otto"
    sends.vault.sealer = sealer
    sends.vault.rows.save("company/user:otto/broken", b"?", {"destination": {}}, version=0)
    sends.rename_user("otto", "karl", by=by)
    assert sends.vault.names() == ["company/user:karl/umail"]


def test_connections_are_read_from_the_vault_each_time():
    """Another process may have connected, or been disconnected, meanwhile; what can't be read says so."""

    class Connected(ByAccount):
        settings: Settings
        connector = "fake"

    company = Company(address="orders@acme.example", method="cmail2")
    found = plugins(cmail2=Connected)
    sends = Mailer(MemoryDirectory(company, [User(id="anna", address="anna@acme.example")], plugins=found), vault=MemoryVault())  # fmt: skip
    assert sends.explain("anna").from_address.address == "orders@acme.example"
    name, bound = "company/company/sign-in", {"method": "cmail2", "server": "mail.acme.example", "port": "25"}
    learned = {"issuer": "i", "subject": "s", "address": "other@acme.example", "of a later version": 1}
    sends.vault.save(name, b"token", bound, connection=learned)
    with pytest.raises(SenderMismatch, match="Connect it again"):
        sends.explain("anna")
    sends.vault.save(name, b"token", bound, connection={"subject": "s"}, version=1)
    with pytest.raises(SignInNeeded, match="Connect again"):
        sends.explain("anna")
    sends.vault.delete(name)
    assert sends.explain("anna").from_address.address == "orders@acme.example"


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
        import attrs
        from pillarbox import *
        from pillarbox._log import event
        SmtpSettings = attrs.make_class("SmtpSettings", [])
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

        import asyncio, os, pathlib, tempfile
        async def awaiting():
            async with AsyncMailer(mailer) as sends:
                for user in ("anna", "nobody"):
                    for call in (sends.send(letter, user=user, deadline=0.2), sends.send_many([letter], user=user),
                                 sends.check(user), sends.explain(user)):
                        try:
                            await call
                        except PillarboxError:
                            pass
        asyncio.run(awaiting())
        folder = pathlib.Path(tempfile.mkdtemp())
        by = Actor("x", Role.DEPLOYER)
        made = TomlDirectory.create(folder / "p.toml", company)
        (folder / "p.history.jsonl").mkdir()  # the history can't be written: a warning
        made.save(User(id="anna", address="anna@acme.example"), version="", by=by)
        made.rename("anna", "a", by=by)
        made.remove("a", by=by)
        opened = Mailer.open(folder / "p.toml")
        for call in (lambda: opened.send(letter), lambda: opened.send(letter, deadline=0.2),
                     lambda: opened.set_secret(company, "password", "x", by=by)):
            try:
                call()
            except PillarboxError:
                pass

        class Odd(Transport):  # no hand-over told, nonsense returned, fails at closing: warnings
            settings: SmtpSettings
            def send(self, submission, journal): return None
            def close(self): raise OSError
        odd = Company(address="orders@acme.example", method="odd")
        found = Plugins(extra={"odd": Odd})
        with Mailer(MemoryDirectory(odd, plugins=found)) as strange:
            for call in (lambda: strange.send(letter), lambda: strange.send_many([letter, letter])):
                try:
                    call()
                except PillarboxError:
                    pass
        os.write(2, b"end")
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("", "end", 0)


@systems.forks
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


@pytest.mark.parametrize("inside", [False, True])
def test_a_trace_that_raises_changes_nothing_of_the_send(inside):
    """Before the hand-over nothing is put off for it, and after it nothing becomes unknown."""

    def send(self, submission, journal):
        if not inside:
            self.trace("C: MAIL")
        with journal.handing_over():
            if inside:
                self.trace("C: .")
        return Receipt(submission.message_id)

    def crash(line):
        raise OSError(28, "No space left on device")

    assert isinstance(mailer(slow(send=send)).send(LETTER, user="anna", trace=crash), Receipt)
