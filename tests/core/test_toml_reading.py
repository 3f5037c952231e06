"""A settings file that can't be used: every problem at once, a sentence and a place each, nothing lost."""

from __future__ import annotations

import pytest

from pillarbox import (
    InvalidSettings,
    User,
)
from tests.core.doubles import DEPLOYER, GOOD, opened

BAD = [
    ("company = 3", "company                  must be a table"),
    ("[company]\nadress = 'a@b.example'", "company.adress           is not a setting; did you mean address?"),
    ("[company]\naddress = 3", "company.address          must be text, not 3"),
    ("[company]\naddress = 'x'", "company.address          'x' is not an e-mail address"),
    ("[company]\nmethod = 'SMTP'", "company.method           must be a method's name in lower case"),
    ("[compny]", "compny                   is not a setting; did you mean company?"),
    ("[users]\nanna = 3", "users.anna               must be a table"),
    (
        "[users.anna]\nsetings = 'company'",
        "users.anna.setings       is not a setting; did you mean settings?",
    ),
    (
        "[users.anna]\nsettings = 'compny'",
        "users.anna.settings      must be one of company, personal, not 'compny'",
    ),
    ("[users.anna]\ndisabled = 'no'", "users.anna.disabled      must be true or false"),
    ("[users.'a b']", "is not a user's id"),
    (
        "[company.umial]\nserver = 'x'",
        "company.umial            is neither a setting nor a method; did you mean umail?",
    ),
    ("[company.umail]\nport = 0", "company.umail.port       must be between 1 and 65535, not 0"),
    (
        "[company.umail]\npassword = 'hunter2'",
        "company.umail.password   can't stand in the settings in clear",
    ),
    ("[deployment]\nprivate_networks = 'x'\nplugin = []", "deployment.plugin"),
    ("[company", "TOML                     can't be read: expected ']'"),
    ("[company]\nname = 'a'\nname = 'b'", "TOML                     can't be read: cannot overwrite a value"),
    ("a = " + "[" * 5000, "TOML                     can't be read"),
    ("x = '\x00'", "TOML                     can't be read"),
    ("[company]\r[users]", "TOML                     can't be read"),
    ("[company]\nname = 'a\x1b[2J'", "can't be read"),
    ('[company]\nname = "a\\u001b[2J"', "company.name             The name holds a control character"),
    ("[company]\npassword = 'hunter2'", "company.password         is not a setting"),
    ("password = 'hunter2'", "password                 is not a setting"),
    ("[company.umail]\npasword = 'hunter2'", "is not a setting; did you mean password?"),
    (
        "[company.umail]\npassword = { env = 'A', file = '/b' }",
        "company.umail.password   must be one of { env",
    ),
    ("[company.umail]\npassword = { value = 'hunter2' }", "company.umail.password   must be one of { env"),
    ("[company.umail]\npassword = ['hunter2']", "company.umail.password   must be one of { env"),
    ("[company.umail.password]\nvault = 'sign-in'", "company.umail.password   must name a vault entry"),
    ("[company]\nsettings = 'personal'", "company.settings         is not a setting"),
    (
        "[company]\ntyped_by = 'root'",
        "company.typed_by         must be one of deployer, administrator, owner",
    ),
    ("[users.anna]\nid = 'otto'", "users.anna.id            is not a setting"),
    ("[users.anna]\nreply_to = 'a@b.example'", "users.anna.reply_to      is not a setting"),
    ("[users.anna.'U Mail']\nserver = 'x'", "is neither a setting nor a method"),
    ("[users.anna.umail.server]\nx = 1", "users.anna.umail.server  must be text, not a dict"),
    ("[[company]]", "company                  must be a table"),
    ("[[users.anna]]", "users.anna               must be a table"),
    ("[deployment]\nplugins = 'all'", "deployment.plugins       must be a list, not 'all'"),
    ("[deployment.methods]\nsmtp = 1", "deployment.methods       must be text, not 1"),
    ("outbox = 1", "outbox                   must be a table"),
    (
        "[company.away]\n" + "a." * 3000 + "b = 1",
        "company.away             is nested too deeply",
    ),
    ("[apps.mapi]\n" + "a." * 50 + "b = 1", "apps                     is nested too deeply"),
    ("[users]\n" + "'" + "u" * 101 + "' = {}", "is not a user's id"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_refused_in_a_sentence_and_untouched(path, text, said):
    """The place and what is wrong; exit 78; nothing is lost."""
    path.write_bytes(text.encode())
    with pytest.raises(InvalidSettings) as refusal:
        opened(path).look_up(None)
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("pillarbox.toml has ")
    assert refusal.value.exit_code == 78
    assert "hunter2" not in str(refusal.value)
    assert "\x1b" not in str(refusal.value)
    assert path.read_bytes() == text.encode()
    with pytest.raises(InvalidSettings):
        opened(path).save(User(id="new"), version="", by=DEPLOYER)
    assert path.read_bytes() == text.encode()


def test_all_problems_of_a_file_are_told_together(path):
    """Whatever part they stand in."""
    path.write_text(
        "[company]\nadress='x'\n[company.umail]\nport=0\nsever='x'\n[users.anna]\nname=1\n[users.otto]\nsettings='x'\n"
    )
    with pytest.raises(InvalidSettings) as refusal:
        opened(path).look_up(None)
    assert len(refusal.value.problems) == 5


def test_a_thousand_problems_are_not_a_flood(path):
    """The first fifty, and how many more."""
    path.write_text("".join(f"[users.u{number}]\nname = 1\n" for number in range(1000)))
    with pytest.raises(InvalidSettings) as refusal:
        opened(path).look_up(None)
    assert len(refusal.value.problems) == 51
    assert refusal.value.problems[-1] == "... and 950 more"


def test_a_method_that_is_not_installed_stops_nobody_else(path, absent):
    """Its table is left alone, with a warning."""
    path.write_text(
        GOOD
        + "\n[users.carl]\nsettings='personal'\nmethod='absent'\n[users.carl.absent]\nanything = [1, 2]\n"
    )
    directory = opened(path)
    assert directory.look_up("anna")[1].name == "Anna Berg"
    assert any(
        "users.carl.absent" in warning and f"pillarbox-{absent}" in warning for warning in directory.warnings
    )
