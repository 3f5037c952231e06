"""`pillarbox methods`: what is installed, and what could be."""

from __future__ import annotations

import click

from .._errors import PillarboxError
from ._app import State
from ._output import json_option, print_json, print_table


@click.command("methods")
@json_option
@click.pass_obj
def command(state: State) -> None:
    """List the methods that are installed, and those of ours that are not.

    \b
    Example:
      pillarbox methods
    """
    from .._plugins import Plugins

    try:
        plugins = state.mailer.plugins
    except PillarboxError:  # no settings file is needed to look at what is installed
        plugins = Plugins()
    found = plugins.describe()
    if state.json:
        print_json(found)
        return
    rows = [
        (one.name, one.label or "-", f"{one.distribution} {one.version}".strip(), one.problem or "ready")
        for one in found
    ]
    print_table(("method", "label", "distribution", "here"), rows)
