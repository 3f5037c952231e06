"""`pillarbox init`: a settings file, asked for or given."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from .._accounts import connect_command
from .._directory import prepared
from .._errors import InvalidSettings, Unavailable
from .._schema import FormField, Role, form, problems_of, put
from .._secrets import required
from .._settings import NONE, Company
from ._app import State
from ._connecting import advice
from ._fields import RecordCommand, assigned
from ._output import columns, json_option, say
from ._record import actor, change, record_options, told
from ._secrets import kept

_QUESTIONS = ("address", "name", "method", "reply_to", "assignments", "unset", "app")


@click.command("init", cls=RecordCommand)
@record_options
@click.option(
    "--reply-to", metavar="ADDRESS", help="Where answers to users' mail go, unless a message says otherwise."
)
@click.option(
    "--app",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Set a field of the registration with the provider, for methods that are connected; a secret by FIELD_env or"
    " FIELD_file. Can be given again.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Write a settings file with the company's e-mail setting. Never overwrites one.

    Without options it asks, where there is a terminal; with options it asks for passwords only. A method's own options
    are listed by --help behind --method. The file can be read and written by its owner alone.

    \b
    Examples:
      pillarbox init
      pillarbox init --address orders@acme.example --name "Acme Ltd" --method smtp \\
          --server smtp.acme.example --username orders@acme.example --password-env ACME_SMTP_PASSWORD
      pillarbox init --address orders@acme.example --method m365 --app client_id=1b0e... --app tenant=acme.example
      pillarbox init --method smtp --help
    """
    from .._toml import TomlDirectory, refuse_existing

    state: State = ctx.obj
    refuse_existing(state.config)

    apps = registrations(state, given)

    def write(company: Company) -> None:
        TomlDirectory.create(state.config, company, apps=apps)

    if sys.stdin.isatty() and not any(given[key] for key in _QUESTIONS):
        company = _asked(state, write, apps)
    else:
        company = change(ctx, None, Company(typed_by=Role.DEPLOYER), given, write, next_steps=False)
    if not state.json:
        _next_steps(state, company)


def registrations(state: State, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the registration that `--app` describes, by the connector of the method; {} where it describes none.

    Raises:
        UsageError: The method signs in with a password.
        InvalidSettings: What is given is no registration.
    """
    if not given["app"]:
        return {}
    method = str(given["method"] or NONE)
    name = sign_in_named(given["assignments"]) or (state.plugins[method].connector if method != NONE else "")
    if not name:
        raise click.UsageError("--app is about a method that is connected: add --method m365 or gmail.")
    cls = state.plugins.connector(name).app_class()
    table: dict[str, Any] = {}
    for text in given["app"]:
        put(table, *_registered(text, form(cls) if cls is not None else ()))
    problems = problems_of(cls, table, f"apps.{name}") if cls is not None else []
    if problems:
        raise InvalidSettings(map(str, problems), where=f"apps.{name}")
    return {name: table}


def sign_in_named(assignments: Sequence[str]) -> str:
    """Return the connector that an SMTP account names for its sign-in, or ""."""
    named = [
        text.partition("=")[2].strip() for text in assignments if text.startswith(("sign_in=", "sign-in="))
    ]
    return named[-1] if named else ""


def _registered(text: str, fields: Sequence[FormField]) -> tuple[str, Any]:
    """Return a field of a registration and its value; a secret is said by NAME_env or NAME_file."""
    name, value = assigned(text, fields)
    field, _, kind = name.rpartition("_")
    is_secret = any(one.name == field and one.kind == "secret" for one in fields)
    return (field, {kind: str(value)}) if is_secret and kind in {"env", "file"} else (name, value)


def _asked(state: State, write: Any, apps: dict[str, Any]) -> Company:
    """Write the company that a person describes in answers."""
    from ._asking import ask

    answers = ask(state)
    apps.update(answers.apps)
    company = Company(**answers.company_values, typed_by=Role.DEPLOYER)
    prepared(None, company, "", actor(), company, state.plugins)
    with kept(state, company, answers.typed):
        write(company)
    told(state, company, next_steps=False)
    return company


def _next_steps(state: State, company: Company) -> None:
    call = "pillarbox" if state.config == "pillarbox.toml" else f"pillarbox --config {state.config}"
    steps = [(f"  {call} check", "look whether the account works")]
    lacks = advice(state.mailer, company)
    if lacks:
        steps = [*_to_sign_in(state, call), *steps]
    if not company.methods:
        steps = [(f"  {call} company set --method smtp --help", "what SMTP needs")]
    say("\nNext:")
    for sentence in lacks:
        if connect_command(company.owner) not in sentence:  # a registration, say: before the commands below
            say(f"  {sentence}")
    for line in columns([*steps, (f"  {call} user add --help", "add who writes mail")]):
        say(line)


def _to_sign_in(state: State, call: str) -> list[tuple[str, str]]:
    """Return what signs the account in: the vault's key first, where there is none yet."""
    steps = [(f"  {call} company connect", "sign the account in")]
    try:
        required(state.mailer.vault)
    except Unavailable:
        steps = [(f"  {call} vault init", "make the key that what is kept of it is sealed with"), *steps]
    return steps
