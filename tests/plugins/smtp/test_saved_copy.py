"""What is set for sent copies: whose sign-in is used, where its secret may go, and who may say so."""

from __future__ import annotations

from typing import Any

import pytest

from pillarbox import (
    Actor,
    Company,
    InvalidSettings,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Role,
    Secret,
    SignInNeeded,
)
from pillarbox.settings import destination, form, structure, unstructure
from pillarbox_smtp import Encryption, SavedCopy, SmtpSettings, SmtpTransport
from tests.plugins.smtp.givens import ORDERS

ACCOUNT: dict[str, Any] = {"server": "smtp.acme.example", "username": ORDERS, "password": {"vault": "smtp"}}
IMAP = {"server": "imap.acme.example"}


def given(**copy: Any) -> SmtpSettings:
    """Return the settings of an account whose copies go where *copy* says."""
    return structure(SmtpSettings, {**ACCOUNT, "saved_copy": {**IMAP, **copy}})


@pytest.mark.parametrize(("encryption", "port"), [("tls", 993), ("starttls", 143), ("none", 143)])
def test_the_encryption_sets_the_port(encryption: str, port: int) -> None:
    """Unless it is said."""
    assert SavedCopy(server="x", encryption=Encryption(encryption)).port == port
    assert SavedCopy(server="x", encryption=Encryption(encryption), port=1993).port == 1993


def test_what_is_usual_is_not_written_back() -> None:
    """A server is all that is needed."""
    assert unstructure(given(port=993)) == {**ACCOUNT, "saved_copy": IMAP}


@pytest.mark.parametrize(
    ("account", "copy", "problem"),
    [
        (
            {},
            {"username": "anna@acme.example", "password": {"vault": "c"}},
            "saved_copy.username: must equal",
        ),
        ({}, {"username": "anna", "username_differs": True}, "saved_copy.password: is required"),
        ({"authenticate": False}, {}, "saved_copy.username: is required"),
        ({"authenticate": False}, {"username": "orders"}, "saved_copy.password: is required"),
        ({"password": None, "client_certificate": "/c.pem"}, {}, "saved_copy.password: is required"),
    ],
)
def test_a_sign_in_that_can_not_be_is_refused(
    account: dict[str, Any], copy: dict[str, Any], problem: str
) -> None:
    """Another user's mailbox only when that is said (rule 16), and never with a password of somebody else."""
    table = {key: value for key, value in {**ACCOUNT, **account}.items() if value is not None}
    with pytest.raises(InvalidSettings) as found:
        structure(SmtpSettings, {**table, "saved_copy": {**IMAP, **copy}}, "company.smtp")
    name, _, said = problem.partition(": ")
    assert any(f"company.smtp.{name}" in one and said in one for one in found.value.problems)


@pytest.mark.parametrize(
    "copy",
    [
        {},
        {"password": {"vault": "copies"}},
        {"username": ORDERS},
        {"username": "orders", "username_differs": True, "password": {"vault": "copies"}},
    ],
)
def test_a_sign_in_that_can_be(copy: dict[str, Any]) -> None:
    assert given(**copy).saved_copy is not None


def test_an_own_password_is_bound_to_the_imap_server_alone() -> None:
    """And the account's to the server for sending alone."""
    settings = given(password={"vault": "copies"})
    assert destination(settings, "password")["server"] == "smtp.acme.example"
    assert not any(name.startswith("saved_copy") for name in destination(settings, "password"))
    assert destination(settings, "saved_copy.password") == {
        "saved_copy.server": "imap.acme.example",
        "saved_copy.encryption": "tls",
        "saved_copy.port": "993",
        "saved_copy.username": "",
        "saved_copy.ca_file": "",
        "saved_copy.fingerprint": "",
    }


def test_a_shared_password_is_bound_to_both_servers() -> None:
    """And what was stored before there were copies stays good."""
    bound = destination(given(), "password")
    assert (bound["server"], bound["saved_copy.server"]) == ("smtp.acme.example", "imap.acme.example")
    assert destination(structure(SmtpSettings, ACCOUNT)).keys() == bound.keys() - {
        name for name in bound if name.startswith("saved_copy")
    }


def company(**copy: Any) -> Company:
    """Return a company whose copies go where *copy* says, as an administrator typed it."""
    saved = {"saved_copy": copy} if copy else {}
    return Company(address=ORDERS, method="smtp", methods={"smtp": {**ACCOUNT, **saved}})


def released(company: Company, vault: MemoryVault) -> str:
    """Return the password as an account of *company* gets it."""
    mailer = Mailer(MemoryDirectory(company), vault=vault)
    return mailer._credentials(mailer.explain().account).secret("password")


def test_whoever_owns_the_form_gets_no_password_by_naming_a_mailbox() -> None:
    """The stored one is not released to another IMAP server, by whatever order of steps (rule 36)."""
    vault = MemoryVault()
    Mailer(MemoryDirectory(company()), vault=vault).keep_secret(company(), "password", "pw")
    assert released(company(), vault) == "pw"
    with pytest.raises(SignInNeeded):
        released(company(server="evil.example"), vault)
    own = company(server="evil.example", password={"vault": "copies"})
    assert released(own, vault) == "pw"
    mailer = Mailer(MemoryDirectory(own), vault=vault)
    with pytest.raises(SignInNeeded):
        mailer._credentials(mailer.explain().account).secret("saved_copy.password")


@pytest.mark.parametrize(
    "copy", [{"server": "evil.example"}, {"server": "evil.example", "password": {"vault": "smtp"}}]
)
def test_the_same_entry_of_the_vault_is_not_released_to_another_server(copy: dict[str, Any]) -> None:
    """Also where the table refers to the entry of the account."""
    vault = MemoryVault()
    Mailer(MemoryDirectory(company()), vault=vault).keep_secret(company(), "password", "pw")
    mailer = Mailer(MemoryDirectory(company(**copy)), vault=vault)
    credentials = mailer._credentials(mailer.explain().account)
    name = "saved_copy.password" if "password" in copy else "password"
    with pytest.raises(SignInNeeded):
        credentials.secret(name)


def test_a_deployer_s_password_is_led_elsewhere_by_the_deployer_alone() -> None:
    """An administrator may set up copies with a password of their own."""
    kept = {**ACCOUNT, "password": {"env": "PW"}}
    before = Company(address=ORDERS, method="smtp", methods={"smtp": kept}, typed_by=Role.DEPLOYER)
    directory = MemoryDirectory(before)

    def save(**copy: Any) -> None:
        after = Company(
            address=ORDERS, method="smtp", methods={"smtp": {**kept, "saved_copy": {**IMAP, **copy}}}
        )
        directory.save(
            after, version=directory.look_up(None)[0].version, by=Actor("admin", Role.ADMINISTRATOR)
        )

    with pytest.raises(InvalidSettings, match="who keeps the password"):
        save()
    save(password={"vault": "copies"})
    assert (
        directory.look_up(None)[0].typed_by is Role.ADMINISTRATOR
    )  # the egress check holds for their server
    with pytest.raises(InvalidSettings, match="who keeps the password"):
        save()


@pytest.mark.parametrize(("copy", "said"), [
    ({"port": 143}, "encryption = starttls"),
    ({"encryption": "starttls", "port": 993}, "encryption = tls"),
])  # fmt: skip
def test_a_doubtful_port_is_warned_of(copy: dict[str, Any], said: str) -> None:
    [warning] = SmtpTransport.warnings(given(**copy))
    assert said in warning


def test_the_form_shows_each_field_and_a_url_or_a_variable_can_set_it() -> None:
    """`PILLARBOX_SMTP_SAVED_COPY_SERVER`, and its secret by reference."""
    names = [field.name for field in form(SmtpSettings) if field.name.startswith("saved_copy")]
    assert names[:3] == ["saved_copy.server", "saved_copy.encryption", "saved_copy.port"]
    mailer = Mailer.from_environ(
        {
            "PILLARBOX_METHOD": "smtp",
            "PILLARBOX_ADDRESS": ORDERS,
            "PILLARBOX_SMTP_SERVER": "smtp.acme.example",
            "PILLARBOX_SMTP_USERNAME": ORDERS,
            "PILLARBOX_SMTP_PASSWORD": "pw",
            "PILLARBOX_SMTP_SAVED_COPY_SERVER": "imap.acme.example",
            "PILLARBOX_SMTP_SAVED_COPY_PASSWORD": "pw2",
        }
    )
    copy = mailer.explain().account.settings.saved_copy
    assert copy == SavedCopy(
        server="imap.acme.example", password=Secret(env="PILLARBOX_SMTP_SAVED_COPY_PASSWORD")
    )
    url = "smtp://orders%40acme.example@smtp.acme.example?password_env=A&saved_copy.server=imap.acme.example"
    named = structure(SmtpSettings, Company.from_url(f"{url}&saved_copy.password_file=/p").methods["smtp"])
    assert named.saved_copy == SavedCopy(server="imap.acme.example", password=Secret(file="/p"))
