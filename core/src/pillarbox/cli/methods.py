"""`pillarbox methods`: what is installed, and what could be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ._app import State
from ._output import json_option, print_json, print_table

if TYPE_CHECKING:
    from .._plugins import MethodInfo


@click.command("methods")
@json_option
@click.pass_obj
def command(state: State) -> None:
    """List the methods that are installed, and those of ours that are not. Needs no settings file.

    A distribution that is made for another pillarbox than this one is not used, and is told of. Grants are what a person may allow when they connect an account: send, or confirm, which also lets it be looked up
    whether a mail was sent.

    \b
    Examples:
      pillarbox methods
      pillarbox methods --json
    """
    found = state.plugins.describe()
    if state.json:
        print_json(found)
        return
    rows = [
        (
            one.name,
            one.label or "-",
            f"{one.distribution} {one.version}".strip(),
            one.made_for or "-",
            ", ".join(one.grants) or "-",
            _here(one),
        )
        for one in found
    ]
    print_table(("method", "label", "distribution", "for pillarbox", "grants", "here"), rows)


def _here(method: MethodInfo) -> str:
    """Return whether *method* can be used; short enough that a pip line stays whole on a terminal."""
    return method.problem.removeprefix("Not installed: ") or "ready"
