"""`pillarbox new-transport`: a distribution of one's own, that works as it is written."""

from __future__ import annotations

from pathlib import Path

import click

from ._app import State
from ._output import columns, json_option, print_json, say
from ._templates import Names, write


@click.command("new-transport")
@click.argument("name")
@click.option("--label", metavar="TEXT", default="", help="What people call it; made of the name by default.")
@click.option(
    "--folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Where to write it; pillarbox-NAME in the working folder by default.",
)
@json_option
@click.pass_obj
def command(state: State, name: str, label: str, folder: Path | None) -> None:
    """Write a distribution with a transport of your own, under the method NAME.

    It has settings, a transport to an HTTP API, a fake of that API, tests, a page, CI and a changelog; it installs, keeps the
    contract and passes mypy --strict as it is written. Change it to what your provider does, a step at a time.

    \b
    Examples:
      pillarbox new-transport acme-mail --label "Acme Mail"
      pillarbox new-transport pigeon --folder ../pigeon
    """
    names = Names.of(name, label)
    target = folder or Path(names.distribution)
    written = write(names, target)
    if state.json:
        found = {"folder": str(target), "distribution": names.distribution, "files": list(map(str, written))}
        print_json(found)
        return
    say(f"Written: {target}, {len(written)} files.\n")
    steps = [
        (f"  cd {target}", ""),
        ("  python3 -m venv .venv", ""),
        ("  .venv/bin/pip install -e '.[test]'", "the transport, pillarbox, pytest, mypy, ruff"),
        ("  .venv/bin/pytest", "its tests, pillarbox's contract among them"),
        (f"  .venv/bin/pillarbox certify {names.distribution}", "the contract, as a report"),
    ]
    say("Next:")
    for line in columns(steps):
        say(line)
    say("\nThen change api.py, answers.py and fake.py to what your provider does.")
