"""Secrets: references, files, binding, one refresh at a time, redaction."""

from __future__ import annotations

import os
import threading

import pytest

from pillarbox import MemoryRows, MemoryVault, Secret, SettingsError, SignInNeeded, Unavailable, quotation
from pillarbox._vault import AccountCredentials
from pillarbox.settings import owner_only, secret_from_file
from pillarbox.testing import VaultContract
from tests import access, systems

BOUND = {"method": "smtp", "server": "smtp.acme.example", "port": "587"}


class TestMemoryVault(VaultContract):
    """The memory vault keeps the contract."""

    def make_vault(self, folder):
        return MemoryVault()


def credentials(reference, vault=None, bound=BOUND, owner="user:otto"):
    secrets = {"password": reference} if reference else {}
    return AccountCredentials(f"acme/{owner}/", secrets, bound, vault)


def test_a_variable_is_read_when_it_is_needed(monkeypatch):
    """And an unset or empty one is a sentence that names it."""
    view = credentials(Secret(env="ACME_PW"))
    monkeypatch.setenv("ACME_PW", "s3cret")
    assert view.secret("password") == "s3cret"
    monkeypatch.setenv("ACME_PW", "")
    with pytest.raises(SettingsError, match="ACME_PW is not set"):
        view.secret("password")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "password"
    path.write_bytes(b"s3cret\n")
    access.give(path, 0o600)
    return path


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        (" a b \n", " a b "),
        ("\ufeffs3cret\r\n", "s3cret"),
        ("two\nlines\n", "two\nlines"),
    ],
)
def test_a_file_holds_the_secret_without_its_line_end(file, content, value):
    """Spaces belong to it."""
    file.write_bytes(content.encode())
    assert secret_from_file(str(file)) == value


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "can't be opened"),
        (lambda path: access.give(path, 0o640), "read by others.*(chmod 600|icacls)"),
        (lambda path: access.give(path, 0o604), "read by others"),
        (lambda path: path.write_text(""), "is empty"),
        (lambda path: path.write_text("\n"), "is empty"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "not UTF-8"),
        (lambda path: path.write_bytes(b"x" * 70_000), "larger than 64 KiB"),
        (lambda path: (path.unlink(), path.mkdir()), "not a regular file|can't be opened"),
        pytest.param(
            lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
            "not a regular file",
            marks=systems.posix_files,
        ),
        pytest.param(
            lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
            "not a regular file",
            marks=systems.posix_files,
        ),
    ],
    ids=["missing", "group", "others", "empty", "line end", "binary", "large", "folder", "fifo", "device"],
)
def test_a_file_that_is_not_safe_is_refused(file, spoil, said):
    """Opened once, checked on the descriptor, never blocking (rule 40)."""
    spoil(file)
    with pytest.raises(SettingsError, match=said):
        secret_from_file(str(file))


@systems.root
def test_a_file_of_another_user_is_refused(file):
    """Whoever owns it could change it."""
    os.chown(file, 12345, 12345)
    with pytest.raises(SettingsError, match="belongs to another user"):
        secret_from_file(str(file))


def test_an_owner_only_file_is_given_open(file):
    """For what has to be read by a library: the one descriptor that was checked, closed behind the block."""
    with owner_only(str(file)) as descriptor:
        assert os.read(descriptor, 100) == b"s3cret\n"
    with pytest.raises(OSError, match=r"descriptor|handle"):
        os.fstat(descriptor)


def test_secrets_of_one_account_may_go_to_two_places():
    """The proxy's password is released for the proxy, whatever server the account names now (rule 36)."""
    vault, proxy = MemoryVault(), {"method": "smtp", "proxy": "socks5://proxy.example:1080"}
    vault.save("acme/company/proxy", b"proxy-pw", proxy)
    secrets = {"proxy_password": Secret(vault="proxy")}

    def view(bound):
        destinations = {"proxy_password": bound}
        return AccountCredentials("acme/company/", secrets, BOUND, vault, destinations=destinations)

    assert view(proxy).secret("proxy_password") == "proxy-pw"
    with pytest.raises(SignInNeeded, match="belongs to another server"):
        view(proxy | {"proxy": "socks5://other.example:1080"}).secret("proxy_password")


def test_without_a_vault_its_references_say_how_to_get_one():
    """One pip line."""
    with pytest.raises(Unavailable, match="pip install pillarbox-vault"):
        credentials(Secret(vault="smtp")).secret("password")


def test_the_vault_gives_an_owner_their_own_and_no_other():
    """Otto's view can't reach Anna's row, whatever the settings name (rule 35)."""
    vault = MemoryVault()
    vault.save("acme/user:anna/smtp", b"annas", BOUND)
    vault.save("acme/user:otto/smtp", b"ottos", BOUND)
    assert credentials(Secret(vault="smtp"), vault).secret("password") == "ottos"
    for name in (
        "../user:anna/smtp",
        "/acme/user:anna/smtp",
        "user:anna/smtp",
        "",
        " smtp",
        "sign-in",
        "smtp\n",
        7,
    ):
        with pytest.raises(ValueError, match="must"):
            Secret(vault=name)


class Misplaced(MemoryRows):
    """Rows of a table in which somebody has written Anna's row over Otto's."""

    def load(self, name):
        return super().load(name.replace("user:otto", "user:anna"))


def test_a_row_that_was_moved_does_not_open():
    """It is bound to the name that it was sealed under, not to the one it is asked for by (rule 36)."""
    vault = MemoryVault()
    vault.rows = Misplaced()
    vault.save("acme/user:anna/smtp", b"annas", BOUND)
    assert vault.load("acme/user:anna/smtp", BOUND).secret == b"annas"
    with pytest.raises(SignInNeeded, match="can't be opened"):
        vault.load("acme/user:otto/smtp", BOUND)


def test_what_is_no_text_in_the_vault_is_a_sentence():
    """A token's row, say, that was put where a password belongs."""
    vault = MemoryVault()
    vault.save("acme/user:otto/smtp", b"\xff\xfe", BOUND)
    with pytest.raises(SettingsError, match="is not text"):
        credentials(Secret(vault="smtp"), vault).secret("password")


@pytest.mark.parametrize("changed", sorted(BOUND))
def test_a_changed_destination_gets_nothing(changed):
    """Rule 36, through the view that a transport gets."""
    vault = MemoryVault()
    vault.save("acme/user:otto/smtp", b"ottos", BOUND)
    with pytest.raises(SignInNeeded, match="Enter the password again"):
        credentials(Secret(vault="smtp"), vault, BOUND | {changed: "other"}).secret("password")


def test_no_secret_is_set():
    """A sentence, not a KeyError."""
    with pytest.raises(SignInNeeded, match="No password is set"):
        credentials(None).secret("password")


def test_a_refresh_happens_once_for_all_who_ask():
    """Eight threads, one expiry: each reloads under the lock, one refreshes."""
    vault = MemoryVault()
    refreshed = []

    def change(stored):
        if stored is not None and stored.secret == b"fresh":
            return None
        refreshed.append(threading.get_ident())
        return b"fresh", {"subject": "7"}

    views = [credentials(None, vault) for _ in range(8)]
    threads = [threading.Thread(target=view.update, args=(change,)) for view in views]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refreshed) == 1
    assert views[0].update(lambda stored: None).secret == b"fresh"


def test_a_released_secret_is_redacted(monkeypatch):
    """From any text that is told afterwards."""
    monkeypatch.setenv("ACME_PW", "hunter2secret")
    view = credentials(Secret(env="ACME_PW"))
    assert view.redact("said hunter2secret") == "said hunter2secret"
    view.secret("password")
    assert view.redact("said hunter2secret!") == "said [secret]!"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("pass  word", "550 pass word is wrong"),
        ("pass\tword", "550 pass word is wrong"),
        ("pa\u202ess\u200bword", "550 password is wrong"),
        ("hunter2secret", "x" * 500 + "hunter2secre"),
        ("hunter2secret", "x" * 505 + "hunter2"),
        ("hunter2secret", "hunter2secret and hunter2secret"),
        ("ünïcode-secret", "é" * 252 + "ünïcode-secret"),
    ],
)
def test_a_secret_is_redacted_in_what_a_quotation_makes_of_it(monkeypatch, secret, said):
    """Its spaces closed up, its controls lost, its end cut off at 512 octets."""
    monkeypatch.setenv("ACME_PW", secret)
    view = credentials(Secret(env="ACME_PW"))
    view.secret("password")
    told = view.redact(quotation(said))
    assert "[secret]" in told
    assert not any(secret[:length] in told for length in range(5, len(secret) + 1))
    assert "pass word" not in told
    assert "password" not in told


def test_a_secret_is_redacted_in_base64(monkeypatch):
    """As sign-ins carry it, and as a server may have it in its log."""
    monkeypatch.setenv("ACME_PW", "hunter2")
    view = credentials(Secret(env="ACME_PW"))
    view.secret("password")
    assert (
        view.redact("bad credentials: aHVudGVyMg== (aHVudGVyMg)") == "bad credentials: [secret]== ([secret])"
    )


def test_a_short_word_is_not_taken_out_of_every_sentence(monkeypatch):
    """Three letters are in any text."""
    monkeypatch.setenv("ACME_PW", "the")
    view = credentials(Secret(env="ACME_PW"))
    view.secret("password")
    assert view.redact("the server said") == "the server said"


def test_a_token_and_what_was_stored_are_redacted_too():
    """What a refresh gets, gives and returns."""
    vault = MemoryVault()
    vault.save("acme/user:otto/sign-in", b"old-refresh-token", BOUND)
    view = AccountCredentials("acme/user:otto/", {}, BOUND, vault, lambda *_: "access-token")
    view.update(lambda stored: (b"new-refresh-token", {}))
    assert view.token() == "access-token"
    assert view.redact("old-refresh-token new-refresh-token access-token") == "[secret] [secret] [secret]"


@systems.links
def test_a_file_that_is_swapped_is_checked_as_it_was_opened(file, tmp_path):
    """A link to a safe file is followed; one to an unsafe file is refused by what it leads to."""
    link = tmp_path / "link"
    link.symlink_to(file)
    assert secret_from_file(str(link)) == "s3cret"
    access.give(file, 0o644)
    with pytest.raises(SettingsError, match="read by others"):
        secret_from_file(str(link))


def test_many_refreshes_at_once_lose_none():
    """Eight threads, each twenty changes of what is there: 160 are counted."""
    vault = MemoryVault()

    def count(stored):
        return str(int(stored.secret if stored else 0) + 1).encode(), {}

    def work():
        view = credentials(None, vault)
        for _ in range(20):
            view.update(count)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert credentials(None, vault).update(lambda stored: None).secret == b"160"


def test_a_refresh_for_another_destination_gets_nothing():
    """Not even to look at (rule 36)."""
    vault = MemoryVault()
    vault.save("acme/user:otto/sign-in", b"token", BOUND)
    with pytest.raises(SignInNeeded):
        credentials(None, vault, BOUND | {"server": "evil.example"}).update(
            lambda stored: pytest.fail("seen")
        )


def test_an_account_that_was_never_connected_has_no_token():
    """It says so."""
    with pytest.raises(SignInNeeded, match="never connected"):
        credentials(None).token()
