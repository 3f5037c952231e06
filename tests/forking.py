"""A forked child that always ends.

One that went on where its work raised would be a second test process on the first one's pipes: neither hears
what is meant for it, and the run stands still.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable

_POLL_S = 0.005


def child(work: Callable[[], object]) -> int:
    """Fork a process that does *work* and ends, with 0, or with 1 where it raised; return its number."""
    with warnings.catch_warnings():
        # From 3.12 on, forking beside threads is warned of: it is what these tests try.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001  (the child has no other way to tell)
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(pid: int, seconds: float = 60.0) -> int:
    """Return what the child *pid* ended with, negative for a signal; one that takes longer is killed."""
    give_up = time.monotonic() + seconds
    while not (found := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() > give_up:
            os.kill(pid, signal.SIGKILL)
            found = os.waitpid(pid, 0)
            break
        time.sleep(_POLL_S)
    return os.waitstatus_to_exitcode(found[1])
