"""What is public, and what it costs to import it."""

from __future__ import annotations

import ast
import copy
import datetime as dt
import pickle
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

import pillarbox
import pillarbox.cli
import pillarbox.directories
import pillarbox.outbox
import pillarbox.settings
import pillarbox.testing
from pillarbox import (
    Account,
    AccountState,
    AccountStatus,
    Actor,
    Address,
    Answer,
    AnswerState,
    App,
    Attachment,
    Attempt,
    Calendar,
    Capabilities,
    Change,
    Changed,
    Company,
    Connected,
    Connection,
    Copy,
    CopyState,
    Description,
    Entry,
    Envelope,
    Finding,
    Health,
    Held,
    InvalidSettings,
    KeptReport,
    Level,
    Limits,
    Message,
    MessageError,
    Network,
    NoMethod,
    OutboxError,
    OutcomeUnknown,
    Pending,
    PillarboxError,
    Polled,
    Prompt,
    Proof,
    Reason,
    Receipt,
    Recorded,
    Refused,
    RefusedReason,
    Report,
    ReportKind,
    ReportRefused,
    Role,
    Route,
    Row,
    Secret,
    SendDeferred,
    SenderMismatch,
    SendError,
    SendRejected,
    SettingsError,
    Sighting,
    SightingState,
    SignIn,
    SignInNeeded,
    State,
    Stored,
    Stranded,
    Suggestion,
    Suggestions,
    TransportNotInstalled,
    Unavailable,
    Unsubscribe,
    User,
    quotation,
)
from tests.core.doubles import submission

AT = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
SUBMISSION = submission()


def lazily_offered() -> set[str]:
    return set(pillarbox._HOME)


def for_type_checkers() -> set[str]:
    tree = ast.parse(Path(pillarbox.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.asname or alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_public_names_are_one_list():
    """Sorted, and the same for people, for the import and for type checkers."""
    assert list(pillarbox.__all__) == sorted(pillarbox.__all__)
    assert set(pillarbox.__all__) == lazily_offered() == for_type_checkers()


@pytest.mark.parametrize(
    "module",
    [
        pillarbox,
        pillarbox.settings,
        pillarbox.directories,
        pillarbox.outbox,
        pillarbox.testing,
        pillarbox.cli,
    ],
    ids=lambda one: one.__name__,
)
def test_each_public_name_is_there_and_says_what_it_is(module):
    """A docstring for every class and function; sorted."""
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        value = getattr(module, name)
        assert not callable(value) or value.__doc__, name


def test_there_is_no_name_by_accident():
    """A misspelt one is an AttributeError."""
    with pytest.raises(AttributeError):
        _ = pillarbox.Mailler


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


HEAVY = {"attrs", "cattrs", "pluggy", "structlog", "idna", "email", "ssl", "socket", "sqlite3", "asyncio", "logging", "json",
         "importlib.metadata", "tomllib", "click", "rich", "pillarbox_smtp", "cryptography", "keyring"}  # fmt: skip


def test_importing_pillarbox_costs_next_to_nothing():
    """None of these before it is needed."""
    bare = modules_after("pass")
    assert not (modules_after("import pillarbox") - bare) & HEAVY


def test_a_mailer_has_neither_a_web_server_nor_a_browser():
    """Until somebody signs in at this computer."""
    code = "from pillarbox import Company, Mailer, MemoryDirectory\nMailer(MemoryDirectory(Company()))"
    assert not modules_after(code) & {"http.server", "socketserver", "webbrowser"}


def test_help_imports_no_plugin_and_none_of_what_it_does_not_show():
    """No entry points are read, no structlog, no attrs, no rich."""
    code = (
        "import contextlib, io, sys\nfrom pillarbox.cli._app import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n    run(['--help'])"
    )
    assert not modules_after(code) & (
        HEAVY - {"email", "socket", "logging", "json", "ssl", "asyncio", "click"}
    )


def test_a_form_is_drawn_without_sockets_or_tls():
    """A settings page does not pay for what sends."""
    code = "from pillarbox_smtp import SmtpSettings\nfrom pillarbox.settings import form\nform(SmtpSettings)"
    assert not modules_after(code) & {"ssl", "pillarbox_smtp.connection", "pillarbox_smtp.protocol"}


ENTRY = Entry(
    submission=SUBMISSION,
    account="k",
    owner="company",
    company="company",
    method="x",
    mailbox="a@b.example",
)
STATUS = AccountStatus(
    account="k", owner="company", company="company", method="smtp", mailbox="a@b.example", state=AccountState.WORKING, sentence="s"
)  # fmt: skip
VALUES = [
    Address("anna@acme.example", "Anna Berg"),
    Company(address="orders@acme.example", methods={"smtp": {"server": "x"}}),
    User(id="anna"),
    Route(account=Account(owner="company", method="x"), from_address=Address("a@b.example")),
    Receipt("<a@b>", "queue-1", recipients={"a@b.example": Answer(AnswerState.REFUSED, "no", "550")}),
    STATUS,
    Health(accounts=(STATUS,), counts={State.QUEUED: 1}),
    PillarboxError("what", cure="do"),
    InvalidSettings(["a  b", "c  d"], where="file.toml"),
    NoMethod("none", owner="user:anna", cure="x"),
    TransportNotInstalled("x", method="y", cure="z"),
    MessageError("m", cure="c"),
    OutboxError("o", cure="c"),
    ReportRefused("r", cure="c"),
    Report(kind=ReportKind.BOUNCED, recipient="a@b.example", provider_id="p", detail="no", at=AT),
    KeptReport(recipient="a@b.example", kind=ReportKind.ARRIVED, detail="", at=None, recorded_at=AT),
    Recorded(1, 2, 3, 4),
    Polled((Report(kind=ReportKind.FAILED, message_id="<a@b>"),), "cursor"),
    SendRejected("no", code="550 5.1.1", stage="recipient", recipients={"a": Answer(AnswerState.REFUSED)}),
    SendDeferred("later", retry_after=3.5, stage="sender"),
    OutcomeUnknown("hm", stage="content"),
    SignInNeeded("who?", code="535 5.7.8", stage="sign-in", cure="Connect."),
    SenderMismatch("x", cure="y"),
    Changed("x", cure="y"),
    Unavailable("x", cure="y"),
    SendError("x", code="1", stage="s"),
    SettingsError("x", cure="y"),
    Message(to="a@b.example", subject="s", text="t", attachments=[Attachment("a.pdf", b"%PDF")]),
    SUBMISSION,
    ENTRY,
    Stranded(entry=ENTRY, why_not="It may have been sent."),
    Sighting(SightingState.SENT, Receipt("<a@b>")),
    Sighting(SightingState.UNCLEAR, detail="no"),
    Finding("dns", Level.WARN, "dns-slow", "slow", "Mend it.", 1.5, 75),
    Attempt(submission="k", method="x", owner="company", handed_over=True, error=SendDeferred("x")),
    Suggestion(method="smtp", settings={"server": "s"}, drawbacks=("none",)),
    Suggestions(address="a@acme.example", methods=(Suggestion(method="smtp"),), not_asked=("DNS.",)),
    Reason("a", "b"),
    Limits(per_minute=28),
    Secret(env="X"),
    Connection(issuer="i", subject="s", aliases=["a@b.example"]),
    Prompt(url="https://x.example", state="s"),
    Refused(reason=RefusedReason.CANCELLED),
    Actor("anna", Role.OWNER),
    Network(trusted=False, private=("10.0.0.0/8",)),
    Change(at="2026", by="x", owner="company", what=["a"]),
    Row("a/b/c", 1, b"x", {"destination": {}}),
    Stored(b"x", {}, 1),
    Account(owner="user:anna", method="x", mailbox="a@b.example"),
    Answer(AnswerState.REFUSED_FOR_NOW, "busy", "450"),
    Attachment("a.pdf", b"%PDF"),
    Calendar("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
    Unsubscribe(url="https://acme.example/u"),
    Capabilities(find=True),
    Connected(connection=Connection(issuer="i", subject="s"), secret=b"x"),
    Description(via="x"),
    Envelope("a@b.example", ("c@d.example",)),
    Pending(2.0),
    Proof("alias list"),
    Copy(CopyState.FILED, "Sent at imap.acme.example"),
    App({"client_id": "x"}),
    SignIn(account=Account(owner="company", method="x"), state="s"),
    Held("token", 1.0),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "again",
    [lambda v: pickle.loads(pickle.dumps(v)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_values_and_errors_cross_process_boundaries(value, again):
    """They come out as they went in (Celery)."""
    found = again(value)
    assert type(found) is type(value)
    assert str(found) == str(value)
    if isinstance(value, Exception):
        assert (vars(found), found.args) == (vars(value), value.args)
    elif isinstance(value, Attempt):
        assert str(found.error) == str(value.error)  # errors, as Python's own, are equal only to themselves
        assert attrs.evolve(found, error=None) == attrs.evolve(value, error=None)
    else:
        assert found == value


def test_every_value_that_is_public_is_tried():
    """And every error."""
    kinds = {name for name in pillarbox.__all__ if attrs.has(getattr(pillarbox, name))}
    errors = {name for name in pillarbox.__all__ if isinstance(getattr(pillarbox, name), type) and issubclass(getattr(pillarbox, name), Exception)}  # fmt: skip
    tried = {type(value).__name__ for value in VALUES}
    alike = {
        "Calendar",
        "Unsubscribe",
        "Capabilities",
        "Connected",
        "Description",
        "Envelope",
        "Outbound",
        "Pending",
        "Proof",
    }
    assert kinds | errors <= tried | alike


def test_no_value_shows_a_secret_or_a_body_in_its_repr():
    """It stands in logs, in tracebacks, on error pages."""
    canary = b"canary-hunter2"
    holders = [
        Row("a/b/c", 1, canary),
        Stored(canary),
        Prompt(state="canary-hunter2", kept=canary),
        SignIn(account=Account(owner="company", method="x"), state="canary-hunter2"),
        Held("canary-hunter2", 1.0),
        Connected(connection=Connection(issuer="i", subject="s"), secret=canary),
        attrs.evolve(SUBMISSION, chunks=(canary,), bcc_header=canary),
    ]
    assert not any("canary" in repr(holder) for holder in holders)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"550 no\r\nsuch user", "550 no such user"),
        ("\x1b[31mred\x1b[0m\x07", "[31mred[0m"),
        ("abc\u202edef\u2066", "abcdef"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("x" * 2000, "x" * 512),
        ("é" * 400, "é" * 256),
        ("a\x00b\u2028c", "ab c"),
    ],
)
def test_a_servers_words_are_fit_to_be_shown(said, shown):
    """No escapes, no bidirectional tricks, at most 512 octets (rule 39)."""
    assert quotation(said) == shown
    assert SendRejected(said if isinstance(said, str) else said.decode("latin-1")).detail.isprintable()


def test_every_error_has_its_own_way_out():
    """The exit codes of the table in architecture 5."""
    codes = {name: getattr(pillarbox, name).exit_code for name in pillarbox.__all__ if name.endswith(("Error", "Method", "Needed", "Unknown", "Rejected", "Deferred", "Unavailable", "Installed", "Mismatch"))}  # fmt: skip
    assert codes == {
        "MessageError": 65, "NoMethod": 78, "OutboxError": 65, "OutcomeUnknown": 70, "PillarboxError": 70, "SendDeferred": 75,
        "SendError": 70, "SendRejected": 65, "SenderMismatch": 78, "SettingsError": 78, "SignInNeeded": 77,
        "TransportNotInstalled": 69, "Unavailable": 69,
    }  # fmt: skip
