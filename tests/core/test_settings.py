"""Company, User, and a company from a URL or the environment."""

from __future__ import annotations

import pytest

from pillarbox import Choice, Company, InvalidSettings, MemoryDirectory, Role, User
from pillarbox._settings import literal
from tests.core.doubles import plugins


@pytest.mark.parametrize(
    ("url", "method", "table"),
    [
        ("smtp://127.0.0.1:25", "smtp", {"server": "127.0.0.1", "port": 25, "authenticate": False}),
        (
            "smtp+starttls://orders%40acme.example@smtp.acme.example:587?password_env=PW",
            "smtp",
            {"server": "smtp.acme.example", "port": 587, "username": "orders@acme.example", "encryption": "starttls",
             "password": {"env": "PW"}},
        ),
        (
            "smtps://apikey@relay.example?username_differs=true&password_file=/run/p&timeout=5&ca_file=/etc/ca.pem",
            "smtp",
            {"server": "relay.example", "username": "apikey", "encryption": "tls", "username_differs": True,
             "password": {"file": "/run/p"}, "timeout": 5, "ca_file": "/etc/ca.pem"},
        ),
        ("smtp://[::1]:2525", "smtp", {"server": "::1", "port": 2525, "authenticate": False}),
        ("sendmail+x://host", "sendmail", {"server": "host", "encryption": "x", "authenticate": False}),
    ],
)  # fmt: skip
def test_a_url_says_it_all(url, method, table):
    """Scheme, server, port, user name, and the other fields in the query."""
    company = Company.from_url(url)
    assert (company.method, dict(company.methods[method])) == (method, table)
    assert company.typed_by is Role.DEPLOYER


def test_the_address_is_the_user_name_where_that_is_one():
    """Unless it is given."""
    url = "smtp+tls://orders%40acme.example@smtp.acme.example?password_env=PW"
    assert Company.from_url(url).address == "orders@acme.example"
    assert Company.from_url(url, address="a@acme.example", name="Acme").address == "a@acme.example"
    assert Company.from_url("smtp+tls://apikey@smtp.acme.example?password_env=PW").address == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "smtp",
        "smtp://",
        "smtp://host:port",
        "smtp://u:hunter2@host",
        "//host",
        "smtp://[::1",
        "http://:80",
        "smtp://u@host?password=hunter2",
        "smtp://u@host?secret=hunter2",
        "smtp://u@host?server=other.example",
        "smtp://u@host:25?port=26",
        "smtp://u@host?timeout=1&timeout=2",
        "smtp://u@host?password_env=A&password_file=b",
        "smtp://orders#1@host",
        "smtp://u@host/inbox",
        "smtp://u@host?password_env=A#hunter2",
        "smtp://u@host?reply_to=x@y.example&password=hunter2",
    ],
)
def test_what_is_no_such_url_is_refused_in_a_sentence(url):
    """A password in clear above all, and it is not repeated."""
    with pytest.raises(InvalidSettings) as refusal:
        Company.from_url(url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"address": "no address"}, "is not an e-mail address"),
        ({"address": "a@b.example\r\nBcc: x@y.example"}, "control character"),
        ({"name": "Acme\r\nBcc: x@y.example"}, "control character"),
        ({"method": "SMTP"}, "lower case"),
        ({"method": "../x"}, "lower case"),
        ({"reply_to": "x"}, "is not an e-mail address"),
    ],
)
def test_a_company_that_could_not_send_is_not_built(fields, said):
    """Bad values are refused where they are written."""
    with pytest.raises(InvalidSettings, match=said):
        Company(**fields)


@pytest.mark.parametrize(
    ("given", "choice"),
    [("personal", Choice.PERSONAL), ("company", Choice.FROM_COMPANY), (Choice.PERSONAL, Choice.PERSONAL)],
)
def test_a_choice_may_come_as_a_hosts_table_has_it(given, choice):
    """Text of a column; a personal choice that were not understood would send by the company's account."""
    assert User(id="anna", choice=given).choice is choice


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"choice": "Personal"}, "must be one of company, personal"),
        ({"choice": None}, "must be one of company, personal"),
        ({"choice": True}, "must be one of company, personal"),
        ({"disabled": "false"}, "must be true or false"),
        ({"disabled": 0}, "must be true or false"),
        ({"typed_by": "root"}, "must be one of deployer, administrator, owner"),
        ({"methods": {"address": {}}}, "not a method's name"),
        ({"methods": {"typed_by": {}}}, "not a method's name"),
        ({"methods": {"settings": {}}}, "not a method's name"),
        ({"methods": {"SMTP": {}}}, "not a method's name"),
        ({"methods": {7: {}}}, "not a method's name"),
        ({"methods": {"smtp": "x"}}, "no table of settings for smtp"),
        ({"methods": {"smtp": None}}, "no table of settings for smtp"),
        ({"address": 5}, "must be text"),
        ({"name": None}, "must be text"),
    ],
)
def test_a_user_that_could_be_misunderstood_is_not_built(fields, said):
    """Refused, never taken for something near it."""
    with pytest.raises(InvalidSettings, match=said):
        User(id="anna", **fields)


@pytest.mark.parametrize(
    "wrong", ["", "a b", "a/b", "a\nb", "x" * 101, "a\\b", "a\u2028b", "a\ud800", "a\xa0b", 7, None]
)
def test_a_users_id_is_one_word(wrong):
    """It stands in paths of settings and names of vault rows."""
    with pytest.raises(InvalidSettings):
        User(id=wrong)


def test_a_new_user_is_from_company():
    """Rule 2 [S]."""
    assert User(id="anna").choice is Choice.FROM_COMPANY


def test_the_environment_describes_a_company():
    """Fields by method, a secret by its variable's name."""
    environ = {
        "PILLARBOX_METHOD": "umail",
        "PILLARBOX_ADDRESS": "orders@acme.example",
        "PILLARBOX_NAME": "Acme Ltd",
        "PILLARBOX_UMAIL_SERVER": "12345",
        "PILLARBOX_UMAIL_PORT": "587",
        "PILLARBOX_UMAIL_PASSWORD": "hunter2",
        "PILLARBOX_UMAIL_USERNAME_DIFFERS": "true",
        "PILLARBOX_CONFIG": "elsewhere",
        "HOME": "/",
    }
    company, _ = MemoryDirectory.from_environ(environ, plugins=plugins()).look_up(None)
    assert dict(company.methods["umail"]) == {
        "server": "12345",
        "port": 587,
        "password": {"env": "PILLARBOX_UMAIL_PASSWORD"},
        "username_differs": True,
    }
    assert "hunter2" not in repr(company)


def test_an_empty_environment_is_a_company_that_sends_nothing():
    """None is a method."""
    company, _ = MemoryDirectory.from_environ({}, plugins=plugins()).look_up(None)
    assert company.method == "none"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("587", 587),
        ("-1", -1),
        ("1.5", 1.5),
        ("1.5.2", "1.5.2"),
        ("1" * 12, "1" * 12),
        ("10.0.0.1", "10.0.0.1"),
    ],
)
def test_text_is_read_as_toml_would(text, value):
    """Numbers and booleans; all else stays text."""
    assert literal(text) == value
