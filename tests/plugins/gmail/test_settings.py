"""What may be set for an account and for the registration, and by whom."""

from __future__ import annotations

import pytest

from pillarbox import App, InvalidSettings, SettingsError
from pillarbox.settings import FromPolicy, Role, destination, form, structure
from pillarbox_gmail import GmailApp, GmailSettings, Mode
from pillarbox_gmail.app import registration

CLIENT = {"client_id": "1-a.apps.googleusercontent.com"}


def test_an_account_needs_nothing() -> None:
    """The owner's address is the mailbox, and a person signs in."""
    settings = structure(GmailSettings, {})
    assert (settings.mailbox, settings.mode, settings.from_policy, settings.timeout) == (
        "",
        Mode.PERSON,
        None,
        60.0,
    )


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"mailbox": "not an address"}, "mailbox"),
        ({"signs_in_as": "a@b@c"}, "signs_in_as"),
        ({"mode": "robot"}, "must be one of person, service"),
        ({"from_policy": "user"}, "must be account or send_as"),
        ({"timeout": 0}, "between 0.1 and 600"),
        ({"password": {"env": "X"}}, "is not a setting"),
        ({"mode": "service", "signs_in_as": "a@b.example"}, "acts for the mailbox itself"),
    ],
)
def test_what_can_t_be_is_told(table, problem: str) -> None:
    """A sentence for each."""
    with pytest.raises(InvalidSettings, match=problem):
        structure(GmailSettings, table, "company.gmail")


def test_a_service_account_may_name_its_mailbox_twice() -> None:
    """It is the same."""
    table = {"mode": "service", "mailbox": "a@b.example", "signs_in_as": "a@B.example"}
    assert structure(GmailSettings, table).mode is Mode.SERVICE


def test_who_may_set_what() -> None:
    """A service account reaches every mailbox of a domain: only the deployer chooses it (rule 35)."""
    by = {field.name: field.set_by for field in form(GmailSettings)}
    assert by == {
        "mailbox": Role.OWNER,
        "signs_in_as": Role.OWNER,
        "mode": Role.DEPLOYER,
        "from_policy": Role.ADMINISTRATOR,
        "timeout": Role.ADMINISTRATOR,
    }
    assert {field.set_by for field in form(GmailApp)} == {Role.DEPLOYER}


def test_what_a_sign_in_is_bound_to() -> None:
    """Where its tokens go, and whose they are (rule 36)."""
    assert set(destination(GmailSettings())) == {"mailbox", "signs_in_as", "mode"}
    bound = set(destination(GmailApp(**CLIENT)))
    assert bound == {"client_id", "token_uri", "revoke_uri", "issuer", "api", "ca_file", "hosts"}


def test_google_is_where_it_is() -> None:
    """Unless the deployer says otherwise."""
    app = structure(GmailApp, CLIENT)
    assert app.auth_uri == "https://accounts.google.com/o/oauth2/v2/auth"
    assert app.token_uri == "https://oauth2.googleapis.com/token"
    assert app.issuer == "https://accounts.google.com"
    assert app.api == "https://gmail.googleapis.com"
    assert app.hosts == ("smtp.gmail.com", "imap.gmail.com")


@pytest.mark.parametrize("field", ["auth_uri", "token_uri", "revoke_uri", "certs_uri", "issuer", "api"])
@pytest.mark.parametrize(
    "url",
    [
        "http://gmail.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "https://user@gmail.example",
        "https://user:secret@gmail.example",
        "https://gmail.example?x=y",
        "https://gmail.example#x",
        "https://",
        "https://gmail.example:port",
        "ftp://gmail.example",
        "gmail.example",
        "https://gmail.example/a b",
        "https://gmail.example/\r\nX: y",
    ],
)
def test_a_place_that_no_secret_may_go_to_is_refused(field: str, url: str) -> None:
    """In clear, to a name that only looks like this machine, or with something in it that is no place."""
    with pytest.raises(InvalidSettings):
        structure(GmailApp, {**CLIENT, field: url}, "apps.gmail")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1", "https://g.example/x"]
)
def test_this_machine_may_be_reached_in_clear(url: str) -> None:
    """For tests, and for a proxy on it."""
    assert structure(GmailApp, {**CLIENT, "api": f"{url}/"}).api == url


def test_a_registration_has_a_client_or_a_service_account() -> None:
    """One of them signs in."""
    with pytest.raises(InvalidSettings, match="client_id"):
        structure(GmailApp, {}, "apps.gmail")
    assert structure(GmailApp, {"service_account": {"file": "key.json"}}).client_id == ""


def test_a_secret_in_clear_is_refused() -> None:
    """It is referred to."""
    with pytest.raises(InvalidSettings, match="in clear"):
        structure(GmailApp, {**CLIENT, "client_secret": "GOCSPX-abc"}, "apps.gmail")


def test_lists_are_told_in_one_spelling() -> None:
    """Domains and hosts, in lower case."""
    app = structure(
        GmailApp, {**CLIENT, "hosts": [" SMTP.Acme.example. "], "service_domains": ["Acme.Example"]}
    )
    assert (app.hosts, app.service_domains) == (("smtp.acme.example",), ("acme.example",))


def test_without_a_registration_google_is_asked() -> None:
    """A transport that nobody gave one."""
    assert registration(None).api == "https://gmail.googleapis.com"
    with pytest.raises(SettingsError):
        registration(App({}))


def test_policies_that_hold() -> None:
    """Those that Gmail lets stand."""
    for policy in (FromPolicy.ACCOUNT, FromPolicy.SEND_AS):
        assert GmailSettings(from_policy=policy).from_policy is policy
