"""Mail in the host's own transaction: with the invoice, or not at all; once, whatever dies."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from django.core.mail import EmailMessage, send_mail
from django.core.management import call_command
from django.db import transaction

from pillarbox import MessageError, SettingsError, State
from pillarbox.outbox import Search
from pillarbox_django import sweep
from pillarbox_django.models import StagedMail
from pillarbox_django.staging import move
from tests.plugins.django.databases import fresh

pytestmark = pytest.mark.filterwarnings("default")  # what newer Djangos say of what older ones need


@pytest.fixture
def queue(site):
    site.change(PILLARBOX={"mailer": "tests.plugins.django.company.current", "queue": True})
    return site


def entries(site):
    return site.mailer.queue.list(Search())


def test_a_rolled_back_invoice_sends_no_mail(queue):
    with transaction.atomic():
        send_mail("Invoice", "t", None, ["a@customer.example"])
        assert StagedMail.objects.count() == 1
        transaction.set_rollback(True)
    assert sweep() == 0
    assert entries(queue) == []


def test_a_committed_one_is_in_the_outbox_at_once_and_leaves(queue):
    with transaction.atomic():
        made = EmailMessage("Invoice", "t", to=["a@customer.example"], bcc=["b@acme.example"])
        made.extra_headers["X-Pillarbox-User"] = "anna"
        made.attach("invoice.pdf", b"%PDF", "application/pdf")
        made.send()
        assert entries(queue) == []
    assert StagedMail.objects.count() == 0
    queue.drain()
    (one,) = queue.box.sent
    assert (one.shown, set(one.to)) == ("anna@acme.example", {"a@customer.example", "b@acme.example"})
    assert [part.get_filename() for part in one.message.iter_attachments()] == ["invoice.pdf"]


def test_without_a_transaction_it_goes_at_once(queue):
    send_mail("s", "t", None, ["a@customer.example"])
    assert [one.state for one in entries(queue)] == [State.QUEUED]


def test_what_cannot_be_sent_is_refused_where_it_is_written(queue):
    with pytest.raises(SettingsError):
        EmailMessage("s", "t", to=["a@b.example"], headers={"X-Pillarbox-User": "nobody"}).send()
    with pytest.raises(MessageError):
        send_mail("s", "t", "ceo@acme.example", ["a@b.example"])
    assert StagedMail.objects.count() == 0


def test_a_row_that_moves_twice_is_one_mail(queue):
    """A crash between the outbox and the delete: the key is the row's."""
    with transaction.atomic():
        send_mail("s", "t", None, ["a@customer.example"])
        row = StagedMail.objects.get()
    StagedMail(
        pk=row.pk,
        user=row.user,
        company=row.company,
        subject=row.subject,
        recipients=row.recipients,
        content=row.content,
    ).save(force_insert=True)
    assert sweep() == 1
    assert len(entries(queue)) == 1
    assert move(row.pk) is True


def test_an_outbox_that_is_away_breaks_no_commit_and_the_sweep_moves_it_later(queue):
    from tests.plugins.django.company import NOW

    there = NOW["mailer"]

    class Away:
        def __getattr__(self, name):
            return getattr(there, name)

        def enqueue(self, *_, **__):
            raise SettingsError("The outbox is away.")

    from pillarbox_django.conf import get_mailer

    get_mailer.cache_clear()
    NOW["mailer"] = Away()
    with transaction.atomic():
        send_mail("s", "t", None, ["a@customer.example"])
    row = StagedMail.objects.get()
    assert (row.tries, row.problem) == (1, "The outbox is away.")
    get_mailer.cache_clear()
    NOW["mailer"] = there
    assert sweep() == 1
    assert len(entries(queue)) == 1


def test_one_that_cannot_be_moved_keeps_nobody_waiting(queue):
    StagedMail(recipients={"to": [], "cc": [], "bcc": []}, content=b"Subject: x\r\n\r\n").save()
    with transaction.atomic():
        send_mail("s", "t", None, ["a@customer.example"])
        StagedMail.objects.filter(subject="s").update(tries=0)
    StagedMail.objects.filter(subject="s").update(tries=0)
    sweep()
    assert [one.subject for one in entries(queue)] == ["s"]
    assert StagedMail.objects.get().problem


CRASH = """
import os, sys
sys.path.insert(0, {root!r})
import django
from django.conf import settings
settings.configure(
    **({{"MAILERS": {{"default": {{"BACKEND": "pillarbox_django.EmailBackend"}}}}}}
       if django.VERSION >= (6, 1) else {{"EMAIL_BACKEND": "pillarbox_django.EmailBackend"}}),
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "pillarbox_django"],
    DATABASES={{"default": {database!r}}},
    PILLARBOX={{"file": {file!r}, "queue": True}},
)
import django
django.setup()
from django.core.management import call_command
from django.core.mail import send_mail
from django.db import transaction
from pillarbox_django import staging
call_command("migrate", verbosity=0)
what = sys.argv[1]
if what == "dies":
    staging.move = lambda key: os._exit(9)  # after the commit, before anything is moved
    with transaction.atomic():
        send_mail("Invoice", "t", None, ["a@customer.example"])
elif what == "dies between":
    moved = staging.get_mailer().enqueue
    staging.get_mailer().enqueue = lambda *a, **k: (moved(*a, **k), os._exit(9))
    with transaction.atomic():
        send_mail("Invoice", "t", None, ["a@customer.example"])
else:
    call_command("pillarbox_worker", "--drain")
"""


@pytest.mark.parametrize("dies", ["dies", "dies between"])
def test_a_crash_after_the_commit_loses_nothing_and_repeats_nothing(tmp_path, dies):
    """Processes of their own: the one that wrote the invoice is gone, the worker's sweep finds its mail."""
    from pillarbox.testing import ScriptedServer

    file = tmp_path / "pillarbox.toml"
    with ScriptedServer() as server:
        file.write_text(
            textwrap.dedent(f"""\
            [company]
            address = "orders@acme.example"
            method = "smtp"
            [company.smtp]
            server = "127.0.0.1"
            port = {server.port}
            encryption = "none"
            authenticate = false
            """)
        )
        file.chmod(0o600)
        script = tmp_path / "site.py"
        root = str(Path(__file__).parents[3])
        script.write_text(CRASH.format(root=root, database=fresh(tmp_path, "db"), file=str(file)))
        runs = [
            subprocess.run([sys.executable, str(script), what], capture_output=True, text=True, cwd=tmp_path)
            for what in (dies, "worker", "worker")
        ]
        assert runs[0].returncode == 9, runs[0].stderr
        assert runs[1].returncode == 0, runs[1].stderr
        assert "1 moved into the outbox. 1 accepted" in runs[1].stdout
        assert "0 moved into the outbox. Nothing was due." in runs[2].stdout
        assert len(server.accepted) == 1


def test_the_worker_of_the_site_moves_and_sends(queue, capsys):
    with transaction.atomic():
        send_mail("s", "t", None, ["a@customer.example"])
    call_command("pillarbox_worker", "--drain")
    assert "1 accepted" in capsys.readouterr().out
    assert len(queue.box.sent) == 1


def test_the_migrations_are_whole(tables):
    call_command("makemigrations", "pillarbox_django", check=True, dry_run=True, verbosity=0)


def test_staged_mail_is_seen_in_the_admin_and_nobody_adds_one(queue):
    from django.contrib.auth.models import User as Member
    from django.test import Client

    Member.objects.filter(username="root").delete()
    StagedMail(subject="Waits", recipients={"to": ["a@b.example"], "cc": [], "bcc": []}, content=b"").save()
    client = Client()
    client.force_login(Member.objects.create_superuser("root", password="x"))
    assert "Waits" in client.get("/admin/pillarbox_django/stagedmail/").content.decode()
    assert client.get("/admin/pillarbox_django/stagedmail/add/").status_code == 403
