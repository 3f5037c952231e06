"""How errors are told: the exit code, standard error for people, one document for programs."""

from __future__ import annotations

import pytest

from pillarbox import InvalidSettings, NoMethod, PillarboxError, SendDeferred, SettingsError
from pillarbox.cli._errors import facts, in_words, missing_part
from pillarbox.testing.smtp_server import Cut, Reply, ScriptedServer

from .conftest import COMPANY, write

SIGNS_IN = COMPANY.replace(
    "authenticate = false", 'username = "orders@acme.example"\npassword = {{ env = "PW" }}'
)
EXITS = [
    (COMPANY, {}, "anna", 0, ""),
    (COMPANY, {}, "carl", 78, "NoMethod"),
    (COMPANY, {}, "nobody", 78, "SettingsError"),
    (COMPANY.replace('"smtp"\n', '"nowhere"\n', 1), {}, "anna", 69, "TransportNotInstalled"),
    (COMPANY.replace("false", "1"), {}, "anna", 78, "InvalidSettings"),
    (COMPANY, {"rcpt": Reply(550, "5.1.1 no such user")}, "anna", 65, "SendRejected"),
    (COMPANY, {"rcpt": Reply(450, "4.2.1 busy")}, "anna", 75, "SendDeferred"),
    (COMPANY, {"connect": Cut()}, "anna", 75, "SendDeferred"),
    (SIGNS_IN, {"auth": Reply(535, "5.7.8 no")}, "anna", 77, "SignInNeeded"),
    (COMPANY, {"dot": Cut()}, "anna", 70, "OutcomeUnknown"),
]


@pytest.mark.parametrize(
    ("text", "script", "user", "code", "kind"),
    EXITS,
    ids=[f"{case[4] or 'accepted'}-{case[3]}" for case in EXITS],
)
@pytest.mark.parametrize("as_json", [False, True], ids=["said", "json"])
def test_the_exit_code_says_what_to_do_next(
    invoke, tmp_path, monkeypatch, text, script, user, code, kind, as_json
):
    """The table of the errors; with --json one document on standard output, whatever happens."""
    monkeypatch.setenv("PW", "hunter2")
    users = {"orders@acme.example": "hunter2"} if text is SIGNS_IN else None
    with ScriptedServer(at=script, users=users) as server:
        write(tmp_path, text.format(port=server.port))
        arguments = ["send", "--user", user, "--to", "ap@customer.example", "--subject", "s"]
        done = invoke(*arguments, *(["--json"] if as_json else []))
    assert done.code == code, done
    if as_json:
        error = done.json.get("error", {"kind": "", "exit": 0})
        assert (error["kind"], error["exit"], done.err) == (kind, code, "")
    elif code:
        assert done.out == ""
        assert done.err


def test_a_document_of_an_error_always_has_the_same_fields():
    """`code` and `stage` are empty where no carrier spoke."""
    usual = {"kind", "detail", "cure", "code", "stage", "exit"}
    assert set(facts(SettingsError("x"))) == usual
    assert facts(SendDeferred("x", code="450", stage="recipient", retry_after=3)) == {
        "kind": "SendDeferred", "detail": "x", "cure": "", "code": "450", "stage": "recipient", "exit": 75,
        "recipients": {}, "retry_after": 3,
    }  # fmt: skip


def test_a_usage_error_is_a_document_too(invoke):
    """Exit 64."""
    done = invoke("explian", "--json")
    assert done.json["error"] == {
        "kind": "UsageError", "detail": "There is no command explian. Did you mean explain?", "cure": "", "code": "",
        "stage": "", "exit": 64,
    }  # fmt: skip


def test_several_ways_out_stand_below_each_other():
    """Ready to be copied."""
    error = NoMethod("Otto can't send.", cure="Choose a method: pillarbox a, or the company's: pillarbox b c")
    assert in_words(error).splitlines() == [
        "Otto can't send.",
        "  Choose a method:   pillarbox a",
        "  or the company's:  pillarbox b c",
    ]


@pytest.mark.parametrize(
    "cure", ["Did you mean anna?", "Run: chmod 600 x", "Change it with: pillarbox company set, or edit it."]
)
def test_one_way_out_stays_in_the_sentence(cure):
    """As `str` has it."""
    assert in_words(PillarboxError("It is so.", cure=cure)) == f"It is so. {cure}"


def test_problems_of_settings_stand_one_a_line_without_escapes():
    """Rule 39, also for what a file says."""
    error = InvalidSettings(["a\x1b[31m  must be \u202eb", "c  must be d"], where="x.toml")
    assert in_words(error) == "x.toml has 2 problems\n  a[31m  must be b\n  c  must be d"


def test_a_servers_escapes_never_reach_the_terminal(terminal, tmp_path):
    """Quoted, without escape, bidirectional and control characters (rule 39)."""
    with ScriptedServer(at={"rcpt": Reply(550, "\x1b[31m\u202eevil\x07")}) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        screen = terminal("send", "--user", "anna", "--to", "a@b.example", "--subject", "s")
        assert screen.end() == 65
    assert "evil" in screen.shown
    assert not {"\x1b", "\u202e", "\x07"} & set(screen.shown)


def test_a_settings_files_escapes_never_reach_the_terminal(terminal, tmp_path):
    """A file that somebody sent is not to be trusted either, also where no class looks at it."""
    write(tmp_path, '[company]\n"\\u001b[31mred" = 1\nname = "\\u001b[32mgreen"\n')
    screen = terminal("explain")
    assert screen.end() == 78
    write(tmp_path, '[company.nowhere]\nname = "\\u001b[32mgreen"\n"\\u009bred" = 1\n')
    shown = terminal("company", "show")
    assert shown.end() == 0
    assert "green" in shown.shown
    assert not {"\x1b", "\x9b"} & set(screen.shown + shown.shown)


def test_only_what_the_extra_brings_is_a_missing_part():
    """Any other module that is missing is a fault, and is seen as one."""
    assert "pillarbox[cli]" in missing_part(ModuleNotFoundError(name="rich.table")).cure
    assert missing_part(ModuleNotFoundError(name="json")) is None
    assert missing_part(ModuleNotFoundError()) is None
