"""Secrets at the command line: typed hidden, or one line from a pipe; never an argument, never shown."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

from .._errors import SettingsError, Unavailable
from .._owner_only import create
from .._schema import form
from .._secrets import required
from .._settings import NONE, Company, User
from .._vault import LARGEST_SECRET_FILE
from ._app import State
from ._fields import FieldOption, flag_of

NO_VAULT = (
    "Install a vault with: pip install pillarbox-vault. Or keep it yourself, and say where: {flag}-env NAME, or"
    " {flag}-file PATH (which is made for you, owner-only)."
)


@attrs.frozen
class Typed:
    """A secret that has to be kept once the settings are known to be good.

    Attributes:
        field: The settings field that refers to it.
        value: The secret.
        path: The file to make for it, or None for the vault.
    """

    field: str
    value: str = attrs.field(repr=False)
    path: Path | None = None


def reference(option: FieldOption, value: Any, method: str) -> dict[str, str]:
    """Return what the settings say of a secret: where it is, never what."""
    if option.reference == "file":
        return {"file": str(secret_path(value))}
    if option.reference == "env":
        return {"env": str(value)}
    # One that goes elsewhere has an entry of its own: an entry is bound to one place.
    field = option.field
    return {"vault": f"{method}{flag_of(field.name)[1:]}" if field.goes_to else method}


def secret_path(text: str) -> Path:
    """Return the path of a secret's file, absolute: the settings are read from any folder."""
    return Path(text).expanduser().absolute()


def ask_for(state: State, given: Sequence[tuple[FieldOption, Any]]) -> list[Typed]:
    """Ask for the secrets that the options *given* want kept; a file that exists is only referred to.

    Raises:
        Unavailable: One goes into the vault, and there is none, or it has no key.
    """
    wanted = [(option, value) for option, value in given if option.reference in {"vault", "file"}]
    for option, _ in wanted:
        if option.reference == "vault":
            _require_vault(state, option)
    return [
        Typed(option.field.name, ask_secret(option.field.label), path)
        for option, path in ((option, _path(option, value)) for option, value in wanted)
        if path is None or not os.path.lexists(path)
    ]


def _path(option: FieldOption, value: Any) -> Path | None:
    return secret_path(value) if option.reference == "file" else None


def _require_vault(state: State, option: FieldOption) -> None:
    """Nobody shall type a password for a vault that can't keep it."""
    if state.vault is None:
        raise Unavailable("There is no vault to keep it in.", cure=NO_VAULT.format(flag=option.opts[0]))
    required(state.vault)


@contextlib.contextmanager
def kept(state: State, record: Company | User, typed: Sequence[Typed]) -> Iterator[None]:
    """Write the new files, run the block, which saves the settings, then seal what goes into the vault.

    What the block raises undoes the files.
    """
    made = []
    try:
        for one in typed:
            if one.path is not None:
                _write(one.path, one.value)
                made.append(one.path)
        yield
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    for one in typed:
        if one.path is None:
            state.mailer.keep_secret(record, one.field, one.value)


def _write(path: Path, value: str) -> None:
    try:
        descriptor = create(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(value + "\n")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(f"{path} can't be written: {(error.strerror or type(error).__name__).lower()}.")


def ask_secret(what: str) -> str:
    """Return a secret that is typed hidden, twice; or one line of standard input where that is no terminal.

    Raises:
        UsageError: There is none.
    """
    title = what.replace("_", " ").capitalize()
    if sys.stdin.isatty():
        typed = click.prompt(title, hide_input=True, confirmation_prompt=True, err=True)
    else:
        typed = _piped_line(title)
    if not typed:
        raise click.UsageError(f"{title}: none was given.")
    return str(typed)


def _piped_line(title: str) -> str:
    line = sys.stdin.buffer.readline(LARGEST_SECRET_FILE + 1)
    if len(line) > LARGEST_SECRET_FILE:
        raise click.UsageError(f"{title}: more than {LARGEST_SECRET_FILE // 1024} KiB in one line.")
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.UsageError(f"{title}: not UTF-8 text.") from None


def secret_fields(state: State, record: Company | User) -> list[str]:
    """Return the names of the secrets that *record*'s method has."""
    cls = state.plugins[record.method].settings_class() if record.method != NONE else None
    return [field.name for field in form(cls) if field.kind == "secret"] if cls else []
