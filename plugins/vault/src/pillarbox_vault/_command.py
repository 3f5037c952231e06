"""`pillarbox vault`: make its key, keep a secret, list what is kept, change the keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pillarbox import Company, SettingsError, User
from pillarbox.cli import actor, ask_secret, json_option, print_json, print_table, say, secret_fields

from ._keys import EnvironmentKey, FileKey, KeySource
from ._vault import SealedVault, default_source

F = TypeVar("F", bound=Callable[..., Any])
_PLACES = {"env": "environment"}
"""What a person calls the places of a key that the settings call shorter."""


@click.group("vault")
def vault() -> None:
    """Keep secrets sealed beside the settings file.

    \b
    Examples:
      pillarbox vault init
      pillarbox vault set company
      pillarbox vault list
    """


def _opened(state: Any) -> SealedVault:
    found = state.vault
    if not isinstance(found, SealedVault):
        raise SettingsError("This deployment keeps its secrets in another vault.")
    return found


def key_options(function: F) -> F:
    """Give a command the three places where the wrapping key can be."""
    options = (
        click.option("--key-file", type=click.Path(dir_okay=False), metavar="PATH", help="Keep the key in a new owner-only file."),
        click.option("--key-env", metavar="NAME", help="Find the key in this environment variable, as base64."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def _source(key_file: str | None, key_env: str | None) -> KeySource | None:
    if key_file and key_env:
        raise click.UsageError("Choose --key-file or --key-env.")
    if key_file:
        return FileKey(Path(key_file).expanduser().absolute())
    return EnvironmentKey(key_env) if key_env else None


@vault.command("init")
@key_options
@json_option
@click.pass_obj
def init(state: Any, key_file: str | None, key_env: str | None) -> None:
    """Make the vault's key: kept by the operating system's keychain, unless a file or a variable is named.

    Where machines share the vault (outbox.vault_key in the settings), the settings name it.

    \b
    Examples:
      pillarbox vault init
      pillarbox vault init --key-file /etc/pillarbox/vault.key
    """
    found, source = _opened(state), _source(key_file, key_env)
    if source is not None and found.key is not None:
        raise SettingsError(
            "The settings say where the key of this vault is: outbox.vault_key.",
            cure="Leave --key-file and --key-env out.",
        )
    source = source or found.key or default_source(Path(state.config))
    found.create_key(source)
    _done(
        state,
        f"The vault has a key, kept in the {_PLACES.get(source.kind, source.kind)} ({source.where}).",
        {"key": source.kind, "where": source.where},
    )


@vault.command("set")
@click.argument("owner")
@click.option("--field", metavar="FIELD", help="Which secret of the method; its password, where it has one.")
@json_option
@click.pass_obj
def set_(state: Any, owner: str, field: str | None) -> None:
    """Keep a secret of OWNER (company, or a user's id), asked for hidden, and make the settings refer to it.

    It is bound to the server, port and encryption that the settings name now; change one, and enter it again.

    \b
    Example:
      pillarbox vault set otto
    """
    record = _record(state, owner)
    name = _chosen(record, field, secret_fields(state, record))
    if state.vault is not None:
        state.vault.sealer.seal(b"", b"")  # nobody shall type a password for a vault that can't keep it
    state.mailer.set_secret(record, name, ask_secret(name), by=actor())
    _done(state, f"Kept the {name} of {record}.", {"kept": name, "owner": record.owner})


def _chosen(record: Company | User, field: str | None, fields: list[str]) -> str:
    """Return the secret that is meant: the *field* that was named, else the password, else the only one."""
    name = field or (fields[0] if len(fields) == 1 else "password")
    if name in fields:
        return name
    if not fields:
        raise SettingsError(f"{record} has no secret to keep: the method is {record.method}.")
    said = f"has no secret called {field}" if field else "has several secrets"
    raise SettingsError(f"{record} {said}.", cure=f"Name one with --field: {', '.join(fields)}.")


def _record(state: Any, owner: str) -> Company | User:
    company, user = state.mailer.directory.look_up(None if owner == "company" else owner)
    found: Company | User = user or company
    return found


@vault.command("list")
@json_option
@click.pass_obj
def list_(state: Any) -> None:
    """List what is kept, and where each may go; never the secrets."""
    vault_ = _opened(state)
    rows = [vault_.rows.load(name) for name in vault_.names()]
    found = [
        {
            "name": row.name,
            "version": row.version,
            "bound to": dict(row.readable.get("destination", {})),
            "under way": row.is_under_way,
        }
        for row in rows
        if row is not None
    ]
    if state.json:
        print_json(found)
    elif not found:
        say("The vault keeps nothing yet.")
    else:
        print_table(("entry", "bound to"), [(_named(one), _shown(one["bound to"])) for one in found])


def _named(one: dict[str, Any]) -> str:
    """Return what an entry is called; a sign-in that nobody has finished yet goes by itself, and its name says nothing."""
    return "(a sign-in under way)" if one["under way"] else str(one["name"])


def _shown(destination: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in destination.items() if value)


@vault.command("rotate")
@key_options
@json_option
@click.pass_obj
def rotate(state: Any, key_file: str | None, key_env: str | None) -> None:
    """Seal everything with a new key; with --key-file or --key-env, wrap it by a new one in that place too.

    Interrupted, it loses nothing: do it again.
    """
    count = _opened(state).rotate(_source(key_file, key_env))
    _done(state, f"Sealed {count} secret{'' if count == 1 else 's'} anew.", {"sealed": count})


def _done(state: Any, sentence: str, facts: dict[str, Any]) -> None:
    if state.json:
        print_json(facts)
    else:
        say(sentence)
