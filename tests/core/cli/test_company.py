"""`pillarbox company`: the company's settings, changed without losing anything."""

from __future__ import annotations

import pytest

from tests import systems

from .conftest import write


def test_set_keeps_comments_and_what_is_not_named(invoke, settings):
    """One field changes; nothing else does."""
    before = settings.read_text()
    done = invoke("company", "set", "--name", "Acme AG")
    assert done.code == 0, done.err
    assert settings.read_text() == before.replace("Acme Ltd", "Acme AG")


def test_a_change_is_told_with_what_will_happen(command, settings):
    """As explain would say it."""
    done = command("company", "set", "--reply-to", "office@acme.example")
    assert done.out == (
        "Saved company in pillarbox.toml.\nAcme Ltd <orders@acme.example> sends through its own SMTP account.\n"
    )
    assert done.err == ""


def test_a_change_is_told_to_programs(invoke, settings):
    """Whether something changed, the route, or why there is none."""
    done = invoke("company", "set", "--name", "Acme AG", "--json").json
    assert (done["saved"], done["changed"], done["problem"]) == ("company", True, None)
    assert done["route"]["from"]["name"] == "Acme AG"
    done = invoke("company", "set", "--method", "none", "--json").json
    assert (done["route"], done["problem"]["kind"]) == (None, "NoMethod")


def test_what_is_so_already_is_not_written(invoke, settings):
    """Said twice, the same; no line in the history."""
    before = settings.stat().st_mtime_ns
    done = invoke("company", "set", "--name", "Acme Ltd")
    assert (done.code, done.out.splitlines()[0]) == (0, "Nothing to change: company is like that.")
    assert settings.stat().st_mtime_ns == before
    assert not settings.with_name("pillarbox.history.jsonl").exists()


def test_several_problems_are_told_at_once_and_nothing_is_written(invoke, settings):
    """Of the company and of its method, with a guess at misspelt fields, and where to read on."""
    before = settings.read_bytes()
    done = invoke("company", "set", "--address", "nonsense", "--port", "99999", "--set", "sever=x")
    assert done.code == 78
    assert "company has 3 problems" in done.err
    assert "company.address" in done.err
    assert "did you mean server?" in done.err
    assert "not 99999" in done.err
    assert "pillarbox company set --method smtp --help" in done.err
    assert settings.read_bytes() == before


def test_any_field_can_be_set_and_unset(invoke, settings):
    """--set takes any field of the method, as its kind is written; --unset puts it back."""
    assert invoke("company", "set", "--set", "connections=5", "--set", "timeout=2.5").code == 0
    assert "connections = 5" in settings.read_text()
    assert "timeout = 2.5" in settings.read_text()
    assert invoke("company", "set", "--unset", "connections").code == 0
    assert "connections" not in settings.read_text()


def test_unsetting_what_is_no_field_is_refused(invoke, settings):
    """With a guess, nothing written."""
    before = settings.read_bytes()
    done = invoke("company", "set", "--unset", "time-out")
    assert (done.code, "did you mean timeout?" in done.err) == (78, True)
    assert settings.read_bytes() == before


def test_booleans_can_be_said_both_ways(invoke, settings):
    """--authenticate, --no-authenticate."""
    done = invoke(
        "company", "set", "--authenticate", "--username", "orders@acme.example", "--password-env", "PW"
    )
    assert done.code == 0, done.err
    assert "authenticate = false" not in settings.read_text()
    assert invoke("company", "set", "--no-authenticate").code == 0
    assert "authenticate = false" in settings.read_text()


def test_choosing_the_encryption_sets_the_port(invoke, tmp_path):
    """Unless it was set (rule 15)."""
    write(
        tmp_path,
        '[company]\naddress="a@b.example"\nmethod="smtp"\n[company.smtp]\nserver="s.example"\nauthenticate=false\n',
    )
    invoke("company", "set", "--encryption", "tls")
    assert "s.example:465, TLS required" in invoke("explain").out
    invoke("company", "set", "--port", "2525")
    invoke("company", "set", "--encryption", "starttls")
    assert "s.example:2525, STARTTLS required" in invoke("explain").out


def test_the_settings_of_another_method_are_kept(invoke, settings):
    """Switching back needs nothing typed again."""
    invoke("company", "set", "--method", "none")
    assert 'server = "127.0.0.1"' in settings.read_text()
    assert invoke("explain", "anna").code == 78
    invoke("company", "set", "--method", "smtp")
    assert invoke("explain", "anna").code == 0


def test_a_username_that_is_not_the_address_is_refused_when_saved(invoke, settings):
    """Rule 16, with the opt-out named; with it, taken."""
    arguments = ["company", "set", "--authenticate", "--username", "apikey", "--password-env", "PW"]
    done = invoke(*arguments)
    assert (done.code, "username_differs" in done.err) == (78, True)
    assert invoke(*arguments, "--username-differs").code == 0


def test_a_method_that_is_not_installed_says_its_pip_line(invoke, settings, absent):
    """Exit 69, nothing written."""
    before = settings.read_bytes()
    done = invoke("company", "set", "--method", absent)
    assert (done.code, f"pip install pillarbox-{absent}" in done.err) == (69, True)
    assert settings.read_bytes() == before


def test_a_record_whose_method_is_missing_here_can_still_be_changed(invoke, tmp_path):
    """Its other settings, and away from the method."""
    path = write(tmp_path, '[company]\nmethod = "nowhere"\n[company.nowhere]\ntenant = "x"\n')
    assert invoke("company", "set", "--name", "Acme AG").code == 0
    assert invoke("company", "set", "--method", "none").code == 0
    assert 'tenant = "x"' in path.read_text()


@pytest.mark.parametrize("option", [["--set", "x=1"], ["--unset", "x"]])
def test_none_has_no_fields(invoke, tmp_path, option):
    """With what to do."""
    write(tmp_path, "[company]\n")
    done = invoke("company", "set", *option)
    assert (done.code, done.err) == (78, "The method is None, which has no settings. Add --method smtp.\n")


def test_a_doubtful_setting_is_warned_of(invoke, settings):
    """When it is made, not only when it fails."""
    done = invoke("company", "set", "--port", "465", "--encryption", "starttls")
    assert "Warning: Port 465 usually speaks TLS" in done.out


def test_show_tells_what_is_set_and_where_secrets_are(invoke, settings):
    """Also what is left at its default, so that a new company is not a blank."""
    invoke("company", "set", "--authenticate", "--username", "orders@acme.example", "--password-env", "PW")
    shown = invoke("company", "show").out
    assert "address       orders@acme.example\n" in shown
    assert "reply_to      -\n" in shown
    assert "  password    in the variable PW\n" in shown
    table = invoke("company", "show", "--json").json
    assert table["smtp"]["password"] == {"env": "PW"}
    assert table["version"]


A_FOLDER = "permission denied" if systems.WINDOWS else "is a directory"


def test_settings_in_a_folder_that_can_not_be_written_are_a_sentence(invoke, settings):
    """Exit 78, no traceback."""
    settings.with_name(".pillarbox.toml.lock").mkdir()
    done = invoke("company", "set", "--name", "Acme AG")
    assert (done.code, f"pillarbox.toml can't be written: {A_FOLDER}." in done.err) == (78, True)
