"""VaultContract: what every vault has to keep, as tests that its author inherits."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pillarbox import Changed, SignInNeeded, Vault

DESTINATION = {"method": "smtp", "server": "smtp.acme.example", "port": "587", "encryption": "starttls"}
NAME = "acme/user:otto/smtp"
CANARY = b"canary-2f1c9e7a-secret"


class VaultContract:
    """Inherit this in a test class and write `make_vault`; pytest runs the cases.

    Rows are tried through the vault, so an author of rows inherits it too, with any sealer.
    """

    def make_vault(self, folder: Path) -> Vault:
        """Return the vault whose rows live in *folder*: the same rows each time, for a vault that outlives a process."""
        raise NotImplementedError("VaultContract needs make_vault(self, folder) -> Vault.")

    @pytest.fixture
    def vault(self, tmp_path: Path) -> Vault:
        """The vault under test, empty."""
        return self.make_vault(tmp_path)

    def test_what_was_never_saved_is_none(self, vault: Vault) -> None:
        """Nothing is there until it is saved."""
        assert vault.load(NAME, DESTINATION) is None
        assert vault.connection(NAME) is None

    def test_what_was_saved_is_loaded(self, vault: Vault) -> None:
        """Any octets come back as they were, with what the sign-in learned."""
        secret = bytes(range(256)) * 64
        version = vault.save(NAME, secret, DESTINATION, connection={"subject": "7", "scopes": ["send"]})
        found = vault.load(NAME, DESTINATION)
        assert found is not None
        assert (found.secret, found.version) == (secret, version)
        assert found.connection == vault.connection(NAME) == {"subject": "7", "scopes": ["send"]}

    def test_a_save_of_an_older_version_is_refused(self, vault: Vault) -> None:
        """An old token never overwrites a new one."""
        first = vault.save(NAME, b"one", DESTINATION)
        vault.save(NAME, b"two", DESTINATION, version=first)
        for stale in (0, first):
            with pytest.raises(Changed):
                vault.save(NAME, b"old", DESTINATION, version=stale)
        found = vault.load(NAME, DESTINATION)
        assert found is not None
        assert found.secret == b"two"

    @pytest.mark.parametrize("changed", sorted(DESTINATION))
    def test_a_secret_goes_nowhere_else(self, vault: Vault, changed: str) -> None:
        """Any change of where it may go releases nothing (rule 36)."""
        vault.save(NAME, CANARY, DESTINATION)
        with pytest.raises(SignInNeeded) as refusal:
            vault.load(NAME, DESTINATION | {changed: "other"})
        assert CANARY.decode() not in str(refusal.value)

    def test_a_missing_or_added_binding_releases_nothing(self, vault: Vault) -> None:
        """The destination is compared whole."""
        vault.save(NAME, CANARY, DESTINATION)
        for other in ({}, DESTINATION | {"api_base": "https://evil.example"}):
            with pytest.raises(SignInNeeded):
                vault.load(NAME, other)

    def test_an_altered_readable_half_releases_nothing(self, vault: Vault) -> None:
        """Whoever can write rows can't point a secret somewhere else."""
        version = vault.save(NAME, CANARY, DESTINATION)
        row = vault.rows.load(NAME)
        assert row is not None
        elsewhere = DESTINATION | {"server": "evil.example"}
        vault.rows.save(NAME, row.sealed, {**row.readable, "destination": elsewhere}, version=version)
        with pytest.raises(SignInNeeded):
            vault.load(NAME, elsewhere)

    def test_a_row_of_another_owner_releases_nothing(self, vault: Vault) -> None:
        """A row copied under another owner's name stays shut."""
        vault.save(NAME, CANARY, DESTINATION)
        row = vault.rows.load(NAME)
        assert row is not None
        vault.rows.save("acme/user:eve/smtp", row.sealed, row.readable, version=0)
        with pytest.raises(SignInNeeded):
            vault.load("acme/user:eve/smtp", DESTINATION)

    def test_tampered_octets_release_nothing(self, vault: Vault) -> None:
        """One flipped bit is noticed."""
        version = vault.save(NAME, CANARY, DESTINATION)
        row = vault.rows.load(NAME)
        assert row is not None
        flipped = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
        vault.rows.save(NAME, flipped, row.readable, version=version)
        with pytest.raises(SignInNeeded):
            vault.load(NAME, DESTINATION)

    def test_what_is_deleted_is_gone(self, vault: Vault) -> None:
        """Deleting twice is no error, and the name can be used again."""
        vault.save(NAME, b"one", DESTINATION)
        vault.delete(NAME)
        vault.delete(NAME)
        assert vault.load(NAME, DESTINATION) is None
        assert vault.save(NAME, b"two", DESTINATION) > 0

    def test_names_are_sorted_and_taken_literally(self, vault: Vault) -> None:
        """A prefix is no pattern: %, _ and * mean themselves."""
        for name in ("a_/2", "a_/1", "ab/1", "a%/1", "jörg/1"):
            vault.save(name, b"x", DESTINATION)
        assert vault.names("a_/") == ["a_/1", "a_/2"]
        assert vault.names("a%") == ["a%/1"]
        assert vault.names() == sorted(["a_/2", "a_/1", "ab/1", "a%/1", "jörg/1"])

    def test_a_lock_is_held_by_one_thread_alone(self, vault: Vault) -> None:
        """Refreshes of one sign-in happen one after another; those of another don't wait."""
        inside = threading.Event()
        order: list[str] = []

        def second() -> None:
            with vault.lock(NAME):
                order.append("second")

        with vault.lock(NAME), vault.lock("acme/company/smtp"):
            thread = threading.Thread(target=second)
            thread.start()
            inside.wait(0.2)
            order.append("first")
        thread.join(10)
        assert order == ["first", "second"]

    def test_changes_under_the_lock_are_never_lost(self, vault: Vault) -> None:
        """Eight threads that load, change and save under the lock make eight changes each."""

        def work() -> None:
            for _ in range(8):
                with vault.lock(NAME):
                    found = vault.load(NAME, DESTINATION)
                    count, version = (int(found.secret), found.version) if found else (0, 0)
                    vault.save(NAME, str(count + 1).encode(), DESTINATION, version=version)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        found = vault.load(NAME, DESTINATION)
        assert found is not None
        assert found.secret == b"64"

    def test_no_secret_lies_in_the_folder(self, vault: Vault, tmp_path: Path) -> None:
        """Whoever copies the files, a backup or a log of writes included, reads nothing."""
        version = vault.save(NAME, CANARY, DESTINATION)
        vault.save(NAME, CANARY + b"2", DESTINATION, version=version)
        for file in (one for one in tmp_path.rglob("*") if one.is_file()):
            assert CANARY not in file.read_bytes(), file.name
        assert CANARY.decode() not in repr(vault.load(NAME, DESTINATION))
