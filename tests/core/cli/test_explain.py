"""`pillarbox explain`: whose account, which address, and why."""

from __future__ import annotations

import pytest

from .conftest import COMPANY, write


def test_explain_says_whose_account_which_address_and_why(command, settings, server):
    """Numbered reasons with their sources, what shows, and how it goes."""
    done = command("explain", "anna")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "Anna Berg <anna@acme.example> sends through the company's SMTP account.\n\n"
        "  1  Anna Berg's e-mail setting is From company   users.anna.settings\n"
        "  2  Acme Ltd sends by SMTP                       company.method\n"
        "  3  The connection does not sign in              company.smtp\n"
        "  4  SMTP shows the user's own address            rule: company SMTP, From = user\n\n"
        "  From      Anna Berg <anna@acme.example>\n"
        f"  Sent by   127.0.0.1:{server.port}, in clear\n"
        "  Copy      not kept by SMTP; add saved_copy to file one in Sent\n"
    )


def test_without_a_user_it_is_about_nobodys_mail(invoke, settings):
    """Rule 6."""
    done = invoke("explain")
    assert done.out.startswith("Acme Ltd <orders@acme.example> sends through its own SMTP account.\n")
    assert "rule: no acting user" in done.out


def test_the_narrow_terminal_folds_reasons_in_their_column(terminal, settings):
    """80 columns; no line is longer, no source is torn."""
    screen = terminal("explain", "anna")
    assert screen.end() == 0
    assert max(map(len, screen.visible)) <= 80
    assert "rule: company SMTP, From = user\n" in screen.shown


def test_explain_as_json_holds_the_whole_route(invoke, settings):
    """And no settings beyond the account's name."""
    route = invoke("explain", "anna", "--json").json
    assert route["account"] == {"owner": "company", "method": "smtp", "mailbox": "orders@acme.example", "signs_in_as": "orders@acme.example"}  # fmt: skip
    assert route["from"] == {"address": "anna@acme.example", "name": "Anna Berg"}
    assert [reason["source"] for reason in route["reasons"]][-1].startswith("rule:")


def test_explain_of_a_refusal_says_how_to_mend_it(invoke, settings):
    """Both ways, ready to be copied; exit 78."""
    done = invoke("explain", "carl")
    assert (done.code, done.out) == (78, "")
    assert done.err.splitlines() == [
        "Carl Weber can't send: their setting is Personal with method None.",
        "  Choose a method:   pillarbox user set carl --method smtp",
        "  or the company's:  pillarbox user set carl --settings company",
    ]


def test_an_unknown_user_is_never_the_company(invoke, settings):
    """Refused, with a guess."""
    done = invoke("explain", "ana")
    assert (done.code, done.err) == (78, "There is no user 'ana'. Did you mean anna?\n")


def test_another_account_can_be_asked_for(invoke, settings):
    """Carl's mail would go through the company's, if he asked."""
    assert "The caller asked for the company account" in invoke("explain", "carl", "--account", "company").out
    assert invoke("explain", "anna", "--account", "personal").code == 78


@pytest.mark.parametrize("address", ["anna@other.example", "anna@acme.example"])
def test_another_domain_is_warned_of(invoke, tmp_path, address):
    """Rule 10, with the cure."""
    write(tmp_path, COMPANY.format(port=2525).replace("anna@acme.example", address))
    said = "from_policy" in invoke("explain", "anna").out
    assert said == (address == "anna@other.example")


def test_answers_and_bounces_that_go_elsewhere_are_told(invoke, tmp_path):
    """Where they differ from what shows."""
    text = COMPANY.format(port=2525).replace("timeout = 5", 'envelope_sender = "account"')
    write(tmp_path, text.replace('method = "smtp"', 'method = "smtp"\nreply_to = "office@acme.example"', 1))
    out = invoke("explain", "anna").out
    assert "  Reply-To   office@acme.example\n" in out
    assert "  Bounces    to orders@acme.example\n" in out


def test_what_is_doubtful_in_the_file_is_told(invoke, tmp_path):
    """A table of a method that is not here is not checked."""
    write(tmp_path, COMPANY.format(port=2525) + '\n[company.nowhere]\ntenant = "x"\n')
    assert "Warning: company.nowhere is not checked" in " ".join(invoke("explain", "anna").out.split())


def test_the_deployments_choice_of_plugins_counts(invoke, tmp_path):
    """[deployment] plugins."""
    write(tmp_path, COMPANY.format(port=2525) + '\n[deployment]\nplugins = ["another"]\n')
    assert invoke("explain", "anna").code == 69
