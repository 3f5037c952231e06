"""The command `pillarbox`, and what a plugin's own commands may use. A public door."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._app import State
    from ._output import json_option, print_json, print_table, say
    from ._record import actor
    from ._secrets import ask_secret, secret_fields


def main() -> None:
    """Run the command and exit with its code; without the extra, say how to get it and exit 69."""
    try:
        from ._app import run
    except ModuleNotFoundError as missing:
        if missing.name not in {"click", "rich"}:
            raise
        sys.stderr.write(
            "The pillarbox command needs click and rich. Install them with: pip install 'pillarbox[cli]'\n"
        )
        sys.exit(69)
    _have_streams()
    _print_anything()
    sys.exit(run(sys.argv[1:]))


def _have_streams() -> None:
    """Put nothing in the place of a stream that whoever started us has closed (`>&-`): a mail is sent without it too."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  (for the life of the process)


def _print_anything() -> None:
    """Let what a pipe's encoding lacks (a file's on Windows is seldom UTF-8) be shown as ?, instead of ending in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


_HOMES = {
    "actor": "_record",
    "ask_secret": "_secrets",
    "json_option": "_output",
    "print_json": "_output",
    "print_table": "_output",
    "say": "_output",
    "secret_fields": "_secrets",
    "State": "_app",
}

__all__ = [
    "State",
    "actor",
    "ask_secret",
    "json_option",
    "main",
    "print_json",
    "print_table",
    "say",
    "secret_fields",
]


def __getattr__(name: str) -> Any:
    """Give the names that a plugin's command may use, and `command`, the click group, imported on first use."""
    if name == "command":
        from ._app import root

        return root
    if name not in _HOMES:
        raise AttributeError(f"module 'pillarbox.cli' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"pillarbox.cli.{_HOMES[name]}"), name)
