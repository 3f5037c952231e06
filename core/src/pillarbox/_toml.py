"""TomlDirectory: the settings in one file that people edit too. Read by tomllib, changed by tomlkit, replaced whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from . import _log
from ._directory import (
    Change,
    Directory,
    Record,
    change_of,
    page,
    prepared,
    renaming,
    unknown_user,
    user_exists,
)
from ._errors import Changed, SettingsError
from ._locks import ThreadLock
from ._plugins import Plugins
from ._records import refuse_unless_administrator
from ._schema import Role
from ._settings import Account, Actor, Company, User
from ._toml_edit import Edit, new_text, required_tomlkit
from ._toml_file import alone, make_beside, refuse_existing, replace, stamp_of, text_of
from ._toml_reading import Deployment, Snapshot, parsed, snapshot_of

__all__ = ["Deployment", "TomlDirectory", "refuse_existing"]


class TomlDirectory(Directory):
    """One company and its users in one TOML file.

    The file is read again when it has changed. A change is written into the text as it stands, so that comments
    survive; under a lock, to a new file that takes the old one's place. `<stem>.history.jsonl` keeps who changed what.

    Args:
        path: The file.
        plugins: What is installed; by default as `[deployment]` allows.

    Raises:
        InvalidSettings: On first use: a sentence for each problem in the file.
        SettingsError: It is missing, too large, or can be written by others.
    """

    def __init__(self, path: str | Path, *, plugins: Plugins | None = None) -> None:
        self.path: Path = Path(path)
        self._plugins = plugins
        self._guard = ThreadLock()
        self._read: Snapshot | None = None

    @classmethod
    def create(
        cls,
        path: str | Path,
        company: Company,
        *,
        plugins: Plugins | None = None,
        apps: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> TomlDirectory:
        """Write a new file that holds *company* and the registrations *apps*, owner-only, and return its directory.

        Whoever calls this is the deployer.

        Raises:
            SettingsError: There is a file already, or it can't be written.
        """
        made = cls(path, plugins=plugins)
        text = new_text(attrs.evolve(company, typed_by=Role.DEPLOYER), apps)
        with alone(made.path):
            refuse_existing(path)
            replace(made.path, text)
        return made

    @property
    def _snapshot(self) -> Snapshot:
        stamp = stamp_of(self.path)
        read = self._read
        if read is None or read.stamp != stamp or read.is_young:
            with self._guard:
                read = self._read
                if read is None or read.stamp != stamp or read.is_young:
                    read = self._read = self._load(read)
        return read

    def _load(self, before: Snapshot | None) -> Snapshot:
        """Return what the file says now: the same objects as *before* while its text is the same."""
        text, stamp, is_young = text_of(self.path)
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if before is not None and before.digest == digest:
            return attrs.evolve(before, stamp=stamp, is_young=is_young)
        read = snapshot_of(parsed(text, self.path), self.path, self._plugins)
        return attrs.evolve(read, stamp=stamp, digest=digest, is_young=is_young)

    @property
    def plugins(self) -> Plugins:
        """What is installed and allowed here."""
        return self._snapshot.plugins

    @property
    def deployment(self) -> Deployment:
        """The deployer's settings."""
        return self._snapshot.deployment

    @property
    def apps(self) -> Mapping[str, Any]:
        """The registrations of connectors, by name, as plain values."""
        return self._snapshot.apps

    @property
    def outbox(self) -> Mapping[str, Any] | None:
        """The table `[outbox]`, or None where there is none."""
        return self._snapshot.outbox

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful in the file and stops nobody."""
        return self._snapshot.warnings

    def look_up(self, user: str | None, company: str | None = None) -> tuple[Company, User | None]:
        """See `Directory`."""
        now = self._snapshot
        if company is not None and company != now.company.id:
            raise SettingsError(f"There is no company {company[:100]!r} in {self.path.name}.")
        if user is None:
            return now.company, None
        found = now.users.get(user)
        if found is None:
            raise unknown_user(user, now.users)
        return now.company, found

    def users(self, after: str = "", limit: int = 100, search: str = "") -> list[User]:
        """See `Directory`."""
        return page(self._snapshot.users, after, limit, search)

    def account(self, owner: str, company: str | None = None) -> Account | None:
        """See `Directory`."""
        _ = self._snapshot  # a file that can't be read says nothing of the account
        return super().account(owner, company)

    def save(self, record: Record, *, version: str, by: Actor) -> str:
        """See `Directory`."""
        with self._changing() as edit:
            now = edit.now
            before = now.company if isinstance(record, Company) else now.users.get(record.id)
            kept = prepared(before, record, version, by, now.company, now.plugins)
            edit.write(kept)
            edit.changes.append(change_of(before, kept, by))
        return kept.version

    def remove(self, user: str, *, by: Actor) -> None:
        """See `Directory`."""
        refuse_unless_administrator(user, by)
        with self._changing() as edit:
            edit.changes.append(change_of(edit.known(user), None, by))
            edit.drop(user)

    def rename(self, user: str, new: str, *, by: Actor) -> None:
        """See `Directory`."""
        refuse_unless_administrator(user, by)
        with self._changing() as edit:
            found = edit.known(user)
            if new in edit.now.users:
                raise user_exists(new)
            renamed = attrs.evolve(found, id=new)
            edit.drop(user)
            edit.write(renamed)
            edit.changes += renaming(found, renamed, by)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Edit]:
        """Give the file to be changed, alone, and put what became of it in its place.

        Raises:
            Changed: Somebody else, an editor perhaps, wrote the file meanwhile.
            InvalidSettings, SettingsError: What would become of it can't be used, or can't be written.
        """
        _ = required_tomlkit()
        with alone(self.path):
            text, stamp, _ = text_of(self.path)
            edit = Edit.of(text, self._snapshot, self.path)
            self._refuse_moved(edit.now.stamp, stamp)
            yield edit
            changed = edit.text()
            snapshot_of(edit.wanted, self.path, self._plugins)
            self._refuse_moved(stamp_of(self.path), stamp)
            replace(self.path, changed)
            self._remember(edit.changes)

    def _refuse_moved(self, found: tuple[int, ...], stamp: tuple[int, ...]) -> None:
        if found != stamp:
            raise Changed(
                f"{self.path.name} was written by somebody else meanwhile.",
                cure="Look at the settings again, then repeat the change.",
            )

    def _remember(self, changes: list[Change]) -> None:
        """Add *changes* to the history; where that fails, the change itself stands and a warning is logged."""
        lines = "".join(json.dumps(attrs.asdict(change), ensure_ascii=False) + "\n" for change in changes)
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        try:
            make_beside(self.path, self._history_path)
            descriptor = os.open(self._history_path, flags)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(lines)
        except OSError as error:
            _log.event("warning", "pillarbox.history_failed", error=error.strerror)

    @property
    def _history_path(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.history.jsonl")

    def history(self, owner: str) -> list[Change]:
        """See `Directory`. A line that was cut by a crash is left out."""
        if not self._history_path.exists():
            return []
        with self._history_path.open(encoding="utf-8", errors="replace") as lines:
            changes = [change for line in lines for change in _changes_in(line)]
        return [change for change in changes if change.owner == owner]


def _changes_in(line: str) -> list[Change]:
    try:
        return [Change(**json.loads(line))]
    except (ValueError, TypeError):
        return []
