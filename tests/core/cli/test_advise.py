"""`pillarbox advise`: what would break if the method were changed."""

from __future__ import annotations

from .conftest import COMPANY, write


def test_advise_tells_what_would_be_other(invoke, settings):
    """Line by line, with the cure; at the end how much there is to do."""
    done = invoke("advise", "--to", "m365")
    assert (done.code, done.err) == (0, "")
    assert (
        "warn  sign-in      orders@acme.example has to sign in once; until then nothing is sent\n" in done.out
    )
    assert "Anna Berg: shows anna@acme.example now; would show orders@acme.example" in done.out
    assert done.out.splitlines()[-1].startswith("To mend before the change: 1. To know: ")


def test_json_is_the_findings(invoke, settings):
    """As those of check."""
    found = invoke("advise", "--to", "m365", "--json").json
    assert {"stage", "level", "code", "seen", "cure"} <= set(found[0])
    assert "change-registration" in [one["code"] for one in found]


def test_a_user_is_asked_about_alone(invoke, settings):
    """Carl, who can't send now."""
    done = invoke("advise", "--to", "m365", "--user", "carl")
    assert done.code == 0
    assert "Anna" not in done.out


def test_nothing_is_changed_and_no_outbox_is_made(invoke, settings, tmp_path):
    """It only reads."""
    before = sorted(tmp_path.iterdir()), settings.read_bytes()
    assert invoke("advise", "--to", "m365").code == 0
    assert (sorted(tmp_path.iterdir()), settings.read_bytes()) == before


def test_the_same_method_has_nothing_against_it(invoke, settings):
    """It is in use."""
    done = invoke("advise", "--to", "smtp")
    assert done.out.splitlines()[-1] == "Nothing stands against it."


def test_what_can_not_be_asked_is_refused(invoke, tmp_path):
    """No method, an unknown user, no --to."""
    write(tmp_path, COMPANY.format(port=25))
    assert invoke("advise", "--to", "none").code == 78
    assert invoke("advise", "--to", "m365", "--user", "nobody").code == 78
    assert invoke("advise").code == 64
