"""The walk of one message in one process: put, then sent by a worker, once.

    python -m tests.core.outbox.killing.walk

Under the shim. Each line on its standard input is JSON: `folder`, `port`, `number`, `fatal`, `log`. It forks a process that
walks, and answers with what that ended with and how many calls it took. The walker makes a file `returned` in its folder
when `enqueue` has returned.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.core.outbox.killing.office import Office


def walk(office: Office, number: int) -> None:
    """Put invoice *number*, and let a worker send it."""
    with office.mailer() as mailer:
        office.enqueue(mailer, number)
        (office.folder / "returned").write_bytes(b"yes")
        mailer.worker().run(drain=True)


def walked(told: dict[str, Any]) -> int:
    """Walk as *told* in a process of its own; return what it ended with."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code, shim = 1, ctypes.CDLL(None)
    try:
        log = told["log"].encode() if told["log"] else None
        shim.shim_begin(told["folder"].encode(), ctypes.c_long(told["fatal"]), log)
        walk(Office(Path(told["folder"]), told["port"], mailboxes=1, pause=0.0), told["number"])
        Path(f"{told['folder']}.count").write_text(str(shim.shim_count()), "ascii")
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    import pillarbox._outbox.worker  # noqa: F401
    import pillarbox_smtp.transport  # noqa: F401  (imported once, for all)

    for line in sys.stdin:
        print(walked(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
