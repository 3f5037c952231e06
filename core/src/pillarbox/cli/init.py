"""`pillarbox init`: a settings file, asked for or given."""

from __future__ import annotations

import sys
from typing import Any

import click

from .._directory import prepared
from .._schema import Role
from .._settings import Company
from ._app import State
from ._fields import RecordCommand
from ._output import columns, json_option, say
from ._record import actor, change, record_options, told
from ._secrets import kept

_QUESTIONS = ("address", "name", "method", "reply_to", "assignments", "unset")


@click.command("init", cls=RecordCommand)
@record_options
@click.option(
    "--reply-to", metavar="ADDRESS", help="Where answers to users' mail go, unless a message says otherwise."
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
      pillarbox init --method smtp --help
    """
    from .._toml import TomlDirectory, refuse_existing

    state: State = ctx.obj
    refuse_existing(state.config)

    def write(company: Company) -> None:
        TomlDirectory.create(state.config, company)

    if sys.stdin.isatty() and not any(given[key] for key in _QUESTIONS):
        company = _asked(state, write)
    else:
        company = change(ctx, None, Company(typed_by=Role.DEPLOYER), given, write)
    if not state.json:
        _next_steps(state, company)


def _asked(state: State, write: Any) -> Company:
    """Write the company that a person describes in answers."""
    from ._asking import ask

    answers = ask(state)
    company = Company(**answers.company_values, typed_by=Role.DEPLOYER)
    prepared(None, company, "", actor(), company, state.plugins)
    with kept(state, company, answers.typed):
        write(company)
    told(state, company)
    return company


def _next_steps(state: State, company: Company) -> None:
    call = "pillarbox" if state.config == "pillarbox.toml" else f"pillarbox --config {state.config}"
    steps = [(f"  {call} check", "look whether the account works")]
    if not company.methods:
        steps = [(f"  {call} company set --method smtp --help", "what SMTP needs")]
    say("\nNext:")
    for line in columns([*steps, (f"  {call} user add --help", "add who writes mail")]):
        say(line)
