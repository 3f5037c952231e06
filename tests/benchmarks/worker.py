"""The process of a Python contender: reads its job, then does it as often as each further line says.

    python -m tests.benchmarks.worker

Lines are JSON. First `{"contender", ...}` with the fields of a Job, answered by `{"about"}`; then `{"count"}`,
answered by `{"wall", "cpu"}`, `{"peak"}`, answered by `{"traced", "kept", "resident"}`, or `{"growth"}` with a
count, answered by `{"proportional", "resident", "sockets"}`. It ends with its standard input.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import re
import sys
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tests.benchmarks.harness import timed
from tests.benchmarks.jobs import Job, Maker, Run

CONTENDERS = {
    "pillarbox send_many": "ours:sends_many",
    "pillarbox send_many, window 16": "ours:sends_bulk",
    "pillarbox send_many, the same attachment": "ours:sends_same_attachment",
    "pillarbox send": "ours:sends",
    "pillarbox, kept TLS lines": "lines:pillarbox_lines",
    "smtplib, kept TLS lines": "lines:smtplib_lines",
    "aiosmtplib, kept TLS lines": "lines:aiosmtplib_lines",
    "pillarbox compose": "ours:composes",
    "pillarbox m365, send and confirm": "providers:graph_by_draft",
    "pillarbox m365, send only": "providers:graph_at_once",
    "pillarbox m365, send and confirm, composed before": "providers:graph_by_draft_composed",
    "pillarbox m365, send only, composed before": "providers:graph_at_once_composed",
    "pillarbox gmail, send and confirm": "providers:gmail_by_draft",
    "pillarbox gmail, send only": "providers:gmail_at_once",
    "requests.post(json=)": "providers:posts_json",
    "pillarbox explain": "ours:explains",
    "pillarbox explain, with a vault": "ours:explains_with_vault",
    "pillarbox explain, first time": "ours:explains_first",
    "pillarbox TomlDirectory": "ours:loads",
    "pillarbox outbox": "queues:outbox",
    "pillarbox outbox, worker apart": "queues:outbox_apart",
    "pillarbox outbox, bulk of 50": "queues:bulk",
    "pillarbox enqueue": "queues:one_producer",
    "pillarbox enqueue, 16 threads": "queues:many_producers",
    "pillarbox outbox.put": "queues:one_writer",
    "pillarbox outbox.put, 16 threads": "queues:many_writers",
    "huey, SQLite with fsync": "queues:huey_fsync",
    "sqlite3, a commit each": "queues:single_commits",
    "smtplib, ready bytes": "peers:smtplib_ready",
    "hand-made loop": "peers:hand_made_loop",
    "smtplib + EmailMessage": "peers:smtplib_composing",
    "aiosmtplib + EmailMessage": "peers:aiosmtplib_composing",
    "redmail": "peers:redmail_composing",
    "EmailMessage": "peers:email_message_alone",
    "Django EmailMultiAlternatives": "peers:django_alone",
    "sqlite3 point read": "peers:sqlite_reads",
    "tomllib": "peers:tomllib_parses",
}
"""Name in the table -> module of this package and function."""


def maker(name: str) -> Maker:
    """Return the contender called *name*, imported now: nobody pays for another's imports."""
    module, _, function = CONTENDERS[name].partition(":")
    return cast("Maker", getattr(importlib.import_module(f"tests.benchmarks.{module}"), function))


def main() -> None:
    """Serve one job until standard input ends."""
    told = json.loads(sys.stdin.readline())
    with maker(told.pop("contender"))(Job(**told)) as run:
        _say({"about": f"Python {sys.version.split()[0]}"})
        for line in sys.stdin:
            question = json.loads(line)
            _say(_answer(run, question))


def _answer(run: Run, question: Mapping[str, int]) -> Mapping[str, float]:
    if "growth" in question:
        return growth(run, question["growth"])
    return peak(run) if "peak" in question else _sample(run, question["count"])


def _sample(run: Run, count: int) -> dict[str, float]:
    sample = timed(run, count)
    return {"wall": sample.wall, "cpu": sample.cpu}


def peak(run: Run) -> dict[str, int]:
    """Return the octets that one run took, beyond what was there before.

    `traced` is the peak of what Python's allocators handed out and `kept` what of it was left at the end
    (tracemalloc); `resident` is the peak by which the process grew (Linux: VmHWM, set back before, once the
    allocator has given back what it kept). Each way has a run of its own, because tracing itself takes memory.
    """
    resident = _resident_peak(run)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    result = run(1)
    kept, traced = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return {"traced": traced - before, "kept": kept - before, "resident": resident}


def growth(run: Run, count: int) -> dict[str, int]:
    """Return the octets by which the process grew over *count* runs and did not give back.

    `proportional` shares pages out among the processes that hold them (PSS), `resident` counts them whole (RSS);
    `sockets` is how many more are open.
    """
    gc.collect()
    before = _held()
    run(count)
    gc.collect()
    after = _held()
    return {name: after[name] - before[name] for name in after}


def _held() -> dict[str, int]:
    return {
        "proportional": _status("Pss", "smaps_rollup"),
        "resident": _status("VmRSS"),
        "sockets": sum(_is_socket(one) for one in Path("/proc/self/fd").iterdir()),
    }


def _is_socket(descriptor: Path) -> bool:
    try:
        return str(descriptor.readlink()).startswith("socket:")
    except FileNotFoundError:  # the one that lists the folder
        return False


def _resident_peak(run: Run) -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status("VmRSS")
    run(1)
    return _status("VmHWM") - before


def _status(name: str, file: str = "status") -> int:
    text = Path("/proc/self", file).read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s*(\d+) kB$", text, re.MULTILINE)
    assert found, name
    return int(found[1]) * 1024


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
