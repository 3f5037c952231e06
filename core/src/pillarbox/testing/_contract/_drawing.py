"""Run as a program, in an interpreter of its own: what can be told of a method before any network and any SDK.

    python _drawing.py MODULE NAME < pickled settings

It prints the names of the modules that were imported, as JSON, and exits with `NOT_HERE` where MODULE can't be found.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import pickle
import sys

NOT_HERE = 3
FORBIDDEN = frozenset(
    {
        "http.client.connect",
        "os.exec",
        "os.posix_spawn",
        "os.system",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "subprocess.Popen",
        "urllib.Request",
    }
)
"""Audit events (PEP 578) by which a process reaches beyond itself."""


def main(module: str, name: str) -> None:
    """Draw the form of the transport *name* in *module*, and tell of its account, where nothing can be reached."""
    if not _is_here(module):
        sys.exit(NOT_HERE)
    sys.addaudithook(_forbid)
    transport = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    from pillarbox.settings import form

    form(transport.settings_class())
    transport.capabilities(None)
    settings = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  (written by the contract itself)
    for tell in (transport.limits, transport.describe, transport.warnings, transport.identity):
        tell(settings)
    sys.stdout.write(json.dumps(sorted(sys.modules)))


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _forbid(event: str, _: object) -> None:
    if event in FORBIDDEN:
        raise RuntimeError(f"{event}: nothing may be reached to draw a form or to tell of an account")


if __name__ == "__main__":
    main(*sys.argv[1:3])
