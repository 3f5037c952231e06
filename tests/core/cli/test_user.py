"""`pillarbox user`: added, shown, set, renamed, removed, listed."""

from __future__ import annotations

import json

SMTP = ["--method", "smtp", "--server", "x.example", "--no-authenticate"]


def ids(done) -> list[str]:
    return [user["id"] for user in done.json]


def test_a_new_user_starts_as_from_company(command, settings):
    """Rule 2; and it is said whose account that is."""
    done = command("user", "add", "otto", "--address", "otto@acme.example", "--name", "Otto Lind")
    assert (done.code, done.err) == (0, "")
    assert "Otto Lind <otto@acme.example> sends through the company's SMTP account." in done.out


def test_a_user_is_not_added_twice(invoke, settings):
    """With what to do instead."""
    before = settings.read_bytes()
    done = invoke("user", "add", "anna", "--name", "Another")
    assert (done.code, "pillarbox user set anna" in done.err) == (78, True)
    assert settings.read_bytes() == before


def test_an_id_that_can_not_be_one_is_refused(invoke, settings):
    """Spaces and slashes would break paths and the vault's names."""
    assert invoke("user", "add", "a b").code == 78
    assert invoke("user", "add", "a/b").code == 78


def test_a_user_gets_an_account_of_their_own(invoke, settings):
    """Added with it, or set later; the options are those of the method."""
    done = invoke("user", "add", "otto", "--address", "otto@acme.example", "--settings", "personal", *SMTP)
    assert (done.code, "sends through their own SMTP account." in done.out) == (0, True), done.err
    assert invoke("user", "show", "otto", "--json").json["smtp"] == {
        "server": "x.example",
        "authenticate": False,
    }
    assert invoke("user", "set", "otto", "--port", "2525").code == 0
    assert invoke("user", "show", "otto", "--json").json["smtp"]["port"] == 2525


def test_the_options_are_those_of_the_user_wherever_they_stand(invoke, settings):
    """USER may stand behind options; a value that is another user's id is not taken for USER."""
    invoke("user", "add", "otto", "--address", "otto@acme.example", "--settings", "personal", *SMTP)
    done = invoke("user", "set", "--port", "2526", "otto")
    assert done.code == 0, done.err
    assert invoke("user", "set", "--name", "anna", "otto", "--port", "2527").code == 0
    assert invoke("user", "show", "otto", "--json").json["smtp"]["port"] == 2527


def test_a_choice_of_personal_without_a_method_says_both_ways_out(invoke, settings):
    """It is saved, for the user chose; and never falls back (rule 4)."""
    done = invoke("user", "set", "anna", "--settings", "personal")
    assert done.code == 0
    assert "  Choose a method:   pillarbox user set anna --method smtp\n" in done.out
    assert "  or the company's:  pillarbox user set anna --settings company\n" in done.out


def test_a_method_without_its_settings_says_what_it_needs(invoke, settings):
    """The cure that explain gives leads on."""
    done = invoke("user", "set", "carl", "--method", "smtp")
    assert done.code == 78
    assert "users.carl.smtp.server   is required" in done.err
    assert "pillarbox user set carl --method smtp --help" in done.err


def test_a_personal_account_without_an_address_is_refused(invoke, settings):
    """Rule 12."""
    done = invoke("user", "set", "carl", *SMTP)
    assert (done.code, "user set carl --address" in done.err) == (78, True)


def test_a_personal_account_can_be_switched_off_and_on(invoke, settings):
    """Rule 7."""
    invoke("user", "add", "otto", "--address", "otto@acme.example", "--settings", "personal", *SMTP)
    assert "switched off" in invoke("user", "set", "otto", "--disabled").out
    assert "Personal, smtp (switched off)" in invoke("user", "list").out
    assert invoke("explain", "otto").code == 78
    assert "their own SMTP account" in invoke("user", "set", "otto", "--no-disabled").out


def test_renaming_keeps_the_settings(invoke, settings):
    """And refuses a name that is taken, or a user who is not there."""
    assert invoke("user", "rename", "anna", "carl").code == 78
    assert invoke("user", "rename", "nobody", "karl").code == 78
    assert invoke("user", "rename", "anna", "anna.berg").out == "anna is called anna.berg now.\n"
    assert invoke("user", "show", "anna.berg", "--json").json["address"] == "anna@acme.example"
    assert invoke("user", "show", "anna").code == 78


def test_removing_asks_first(invoke, settings):
    """No is not an error to tell, and not a success; nothing is removed then."""
    done = invoke("user", "remove", "anna", stdin="n\n")
    assert (done.code, done.out.strip()) == (1, "Nothing was removed.")
    assert "Remove Anna Berg (anna)?" in done.err
    assert invoke("user", "remove", "anna", stdin="").code == 130
    assert "anna" in ids(invoke("user", "list", "--json"))


def test_removing_keeps_the_history(invoke, settings):
    """And says so."""
    done = invoke("user", "remove", "anna", "--yes")
    assert (done.code, done.out) == (0, "Removed anna. The history of changes stays.\n")
    (line,) = settings.with_name("pillarbox.history.jsonl").read_text().splitlines()
    assert json.loads(line)["owner"] == "user:anna"
    assert ids(invoke("user", "list", "--json")) == ["carl"]
    assert "# this machine" in settings.read_text()


def test_a_long_list_comes_in_pages(invoke, settings):
    """The next page's command is no result, so it is told beside them."""
    done = invoke("user", "list", "--limit", "1")
    assert "anna" in done.out
    assert "carl" not in done.out
    assert done.err == "More: pillarbox user list --limit 1 --after anna\n"
    assert ids(invoke("user", "list", "--after", "anna", "--json")) == ["carl"]
    assert invoke("user", "list", "--after", "anna").err == ""


def test_a_list_can_be_searched(invoke, settings):
    """By id, name or address."""
    assert ids(invoke("user", "list", "--search", "weber", "--json")) == ["carl"]
    assert invoke("user", "list", "--search", "nobody").out == "No user fits.\n"
    assert invoke("user", "list", "--search", "a", "--limit", "1").err.startswith(
        "More: pillarbox user list --search a "
    )


def test_an_empty_list_says_how_to_add_one(invoke, tmp_path):
    """What a newcomer sees."""
    invoke("init", "--name", "Acme")
    assert "pillarbox user add" in invoke("user", "list").out


def test_show_tells_the_defaults_too(invoke, settings):
    """What holds, not only what was typed."""
    shown = invoke("user", "show", "anna").out
    assert "settings  company\n" in shown
    assert "disabled  false\n" in shown
