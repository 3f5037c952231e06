"""A process that bears hosts and workers, ready at once and killed at will.

    python -m tests.core.outbox.killing.nursery FOLDER PORT MAILBOXES PAUSE SEVERAL

The dead are not waited for while it lives, so that no number names another process meanwhile.
For each line `worker` or `host FIRST LAST` on its standard input it forks one and prints its number. A host enqueues the
invoices that it has not yet been told are kept, and writes down each when `enqueue` has returned.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.core.outbox.killing.office import Office


def told(folder: Path) -> dict[int, str]:
    """Return the key of each invoice for which `enqueue` has returned."""
    file = folder / "told"
    lines = file.read_text("ascii").splitlines() if file.exists() else []
    return {int(number): key for number, key in (line.split() for line in lines)}


def host(office: Office, first: int, last: int) -> None:
    """Enqueue what is not known to be kept."""
    log = os.open(office.folder / "told", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    known = told(office.folder)
    with office.mailer() as mailer:
        for number in range(first, last):
            if number not in known:
                key = office.enqueue(mailer, number)
                os.write(log, f"{number} {key}\n".encode())


def worker(office: Office) -> None:
    """Work until killed."""
    with office.mailer() as mailer:
        mailer.worker().run()


def bear(office: Office, words: list[str]) -> int:
    """Fork a process that does what *words* say, and return its number."""
    number = os.fork()
    if number:
        return number
    try:
        worker(office) if words[0] == "worker" else host(office, int(words[1]), int(words[2]))
    finally:
        os._exit(0)


def main() -> None:
    folder, port, mailboxes, pause, several = sys.argv[1:]
    office = Office(Path(folder), int(port), int(mailboxes), float(pause), several == "True")
    import pillarbox_smtp.transport  # noqa: F401  (imported once, for all)

    borne = []
    for line in sys.stdin:
        borne.append(bear(office, line.split()))
        print(borne[-1], flush=True)
    for number in borne:  # whoever ran it has ended: nobody is left behind
        os.kill(number, signal.SIGKILL)


if __name__ == "__main__":
    main()
