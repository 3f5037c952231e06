"""Asks the Outlook of this computer, and prints a table: `py -m tests.live.outlook --to YOU`."""

from __future__ import annotations

import argparse
import io
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs

from pillarbox_mapi.com import ComError, Dispatch, activate, apartment
from pillarbox_mapi.machine import facts, this_machine
from tests.live.outlook.fake import at_fake
from tests.live.outlook.questions import QUESTIONS
from tests.live.outlook.study import SECONDS, Study
from tests.live.questions import Answered, NotTold, asked, table

DONE, FAILED, USAGE = 0, 1, 64
_WARNING = """This sends three mails to {to}, through {account}, and leaves no draft behind.
One has a blind copy to an address that nobody has: a notice of that comes back.
It starts Outlook where it does not run, and never ends it. Nothing in Sent Items is deleted."""


def main(arguments: Sequence[str] | None = None, *, to_outlook: Callable[[], Dispatch] = activate) -> int:
    """Ask and print the table; return 0, or 1 where Outlook could not be asked at all."""
    given = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console of an old code page
    print(_WARNING.format(to=given.to, account=given.account or "Outlook's own account"))
    if not given.yes and input("Go on? [y/N] ").strip().lower() != "y":
        return USAGE
    with apartment():
        try:
            return _reported(given, to_outlook)
        except (ComError, NotTold) as error:
            print(f"Outlook can't be asked: {error}", file=sys.stderr)
            return FAILED


def _reported(given: argparse.Namespace, to_outlook: Callable[[], Dispatch]) -> int:
    person = None if given.nobody else _person
    study = Study(to_outlook, given.to, account=given.account, person=person, patience=given.patience)
    started = time.monotonic()
    about = {
        "computer": _computer(),
        "outlook": _outlook(study),
        "attached_after": round(time.monotonic() - started, 1),
    }
    live = list(asked(QUESTIONS, study, (ComError,)))
    fake = list(asked(QUESTIONS, at_fake(), (ComError,)))
    for name, value in {
        **about["computer"],
        **about["outlook"],
        "attached after": f"{about['attached_after']} s",
    }.items():
        print(f"  {name:16} {value}")
    print(f"\n{table(live, fake)}")
    if given.json:
        Path(given.json).write_text(_json(about, live, fake), encoding="utf-8")
        print(f"\nWritten to {given.json}.")
    return DONE


def _computer() -> dict[str, Any]:
    """Return what the plugin sees of this computer, without paths of a person's."""
    seen = facts(this_machine())
    return {
        "windows": platform.version(),
        "python": f"{platform.python_version()} {platform.architecture()[0]}",
        "session": seen["session"],
        "class": "registered" if seen["clsid"] else "missing",
        "executable": "there" if seen["is_there"] else "missing",
        "new outlook": "switched on" if seen["new_outlook"] else "not seen to be on",
    }


def _outlook(study: Study) -> dict[str, Any]:
    """Return what the plugin is told of the Outlook, without an address."""
    kinds = Counter(one.kind for one in study.accounts())
    return {
        "version": study.facts["version"],
        "accounts": ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())),
        "offline": study.facts["offline"],
        "trusted": study.facts["trusted"],
    }


def _json(about: dict[str, Any], live: Sequence[Answered], fake: Sequence[Answered]) -> str:
    rows = [{**attrs.asdict(one), "fake": other.answer} for one, other in zip(live, fake, strict=True)]
    return json.dumps({**about, "answers": rows}, indent=2, ensure_ascii=False)


def _person(what: str) -> None:
    input(f"{what} Then press Enter. ")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="py -m tests.live.outlook", description=__doc__)
    made.add_argument("--to", required=True, metavar="ADDRESS", help="Who gets the mails: yourself, best.")
    made.add_argument("--account", default="", metavar="ADDRESS", help="The account in Outlook that sends.")
    made.add_argument("--json", metavar="FILE", help="Write the answers there as well.")
    made.add_argument("--yes", action="store_true", help="Do not ask before the first mail.")
    made.add_argument("--nobody", action="store_true", help="Nobody is there to open a dialog.")
    made.add_argument(
        "--patience", type=float, default=SECONDS, metavar="SECONDS", help="For a mail to be sent."
    )
    return made


if __name__ == "__main__":
    sys.exit(main())
