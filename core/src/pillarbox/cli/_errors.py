"""How what went wrong is told: a sentence with its cure on standard error, or one JSON document; and the exit code."""

from __future__ import annotations

import re
import sys
from typing import Any

import click

from .._errors import InvalidSettings, PillarboxError, SendError, Unavailable
from ._output import NotPrinted, clean, columns, print_json, say_aside, show_refusals

USAGE = 64
INTERRUPTED = 130
_EXTRA = frozenset({"click", "rich", "tomlkit", "aiosmtpd"})
"""What the extra `cli` brings, by its modules."""
_WAY = re.compile(r"(.{1,60}?): +((?:pillarbox|pip|chmod|icacls) .+)")


class NoInput(PillarboxError):
    """A file, or standard input, can't be read (sysexits' EX_NOINPUT)."""

    exit_code = 66


class StorageFailed(PillarboxError):
    """What is kept can't be read or written (sysexits' EX_IOERR)."""

    exit_code = 74


def broken_storage(error: Exception) -> StorageFailed | None:
    """Return what to say where *error* is a database's; None for any other, which is a fault."""
    sqlite = sys.modules.get("sqlite3")  # imported with the first file of ours that is opened
    if sqlite is None or not isinstance(error, sqlite.Error):
        return None
    return StorageFailed(
        f"What is kept beside the settings can't be read or written: {clean(str(error))}.",
        cure="Look whether the disk is full; else restore the file from a backup, or move it away.",
    )


def tell(error: PillarboxError, *, as_json: bool, kind: str = "", code: int | None = None) -> int:
    """Say what went wrong and return the exit code.

    To people it is said on standard error, so that standard output holds results only. With `--json` it is the
    one document on standard output, `{"error": {...}}`: a program reads one stream, whatever happened.
    """
    code = error.exit_code if code is None else code
    if as_json:
        try:
            print_json({"error": facts(error, kind, code)})
        except NotPrinted:
            say_aside(in_words(error))
        return code
    say_aside(in_words(error))
    if isinstance(error, SendError):
        show_refusals(error.recipients)
    return code


def facts(error: PillarboxError, kind: str = "", code: int | None = None) -> dict[str, Any]:
    """Return *error* as a program gets it; `code` and `stage` are "" where no carrier was reached."""
    found: dict[str, Any] = {"kind": kind or type(error).__name__, "detail": error.detail, "cure": error.cure}
    found |= {"code": "", "stage": "", "exit": error.exit_code if code is None else code}
    for name in ("code", "stage", "problems", "recipients", "retry_after", "owner", "method"):
        if hasattr(error, name):
            found[name] = getattr(error, name)
    return found


def in_words(error: PillarboxError) -> str:
    """Return *error* for people: the fact, then the cure; where there are several, one below the other."""
    if isinstance(error, InvalidSettings):
        return "\n".join(map(clean, [*str(error).splitlines(), *([error.cure] if error.cure else [])]))
    cures = ways(error.cure)
    return "\n".join([clean(error.detail), *columns(cures)]) if cures else clean(str(error))


def ways(cure: str) -> list[tuple[str, str]]:
    """Return the commands that *cure* offers, each with what it is for; [] where they are not several."""
    found = [_WAY.fullmatch(way) for way in re.split(r",? (?=or )", cure)]
    pairs = [(f"  {way[1]}:", way[2]) for way in found if way]
    return pairs if 1 < len(pairs) == len(found) else []


def tell_usage(error: click.ClickException, *, as_json: bool) -> int:
    """Say what is wrong with the call itself, and return 64."""
    if as_json:
        return tell(PillarboxError(error.format_message()), as_json=True, kind="UsageError", code=USAGE)
    error.show()
    return USAGE


def missing_part(error: ModuleNotFoundError) -> Unavailable | None:
    """Return the cure where *error* is about a module of the extra `cli`; None for any other, which is a fault."""
    name = (error.name or "").partition(".")[0]
    if name not in _EXTRA:
        return None
    return Unavailable(f"This command needs {name}.", cure="Install it with: pip install 'pillarbox[cli]'")
