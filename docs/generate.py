"""Write docs/reference/ from the code: `python docs/generate.py`; `--check` says whether it is current."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from docs import author_pages, code_pages, facts, outcome_pages, settings_pages

REFERENCE = Path(__file__).resolve().parent / "reference"
HEAD = "<!-- Written by docs/generate.py; change the code instead. -->\n\n"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_pages.settings,
    "methods.md": author_pages.methods,
    "contract.md": author_pages.contract,
    "environment.md": settings_pages.environment,
    "command.md": code_pages.command,
    "exit-codes.md": outcome_pages.exit_codes,
    "errors.md": outcome_pages.errors,
    "findings.md": outcome_pages.findings,
    "events.md": outcome_pages.events,
    "states.md": outcome_pages.states,
    "address-book.md": code_pages.address_book,
    "hooks.md": code_pages.hooks,
    "names.md": code_pages.names,
    "python/index.md": code_pages.doors,
} | {f"python/{door}.md": code_pages.python(door) for door in facts.DOORS}


def main() -> int:
    checking = "--check" in sys.argv
    stale = [*filter(is_stale, PAGES), *left_over()]
    if not checking:
        for name in stale:
            write(name)
    print(
        "current" if not stale else f"{'stale' if checking else 'written'}: {', '.join(stale)}"
    )
    return 1 if stale and checking else 0


def text_of(name: str) -> str:
    return f"{HEAD}{PAGES[name]().rstrip()}\n"


def is_stale(name: str) -> bool:
    path = REFERENCE / name
    return not path.exists() or path.read_text("utf-8") != text_of(name)


def left_over() -> list[str]:
    """Return the pages that were written once and that nothing writes now."""
    found = (
        (path.relative_to(REFERENCE).as_posix(), path)
        for path in sorted(REFERENCE.rglob("*.md"))
    )
    return [
        name
        for name, path in found
        if name not in PAGES and path.read_text("utf-8").startswith(HEAD)
    ]


def write(name: str) -> None:
    path = REFERENCE / name
    if name not in PAGES:
        path.unlink()
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text(text_of(name), "utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
