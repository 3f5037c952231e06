"""The page and the plot of the documentation, written from the stored results alone: `python -m tests.benchmarks.page`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from tests.benchmarks import report, table
from tests.benchmarks.plot import plot
from tests.benchmarks.report import Report

RESULTS = Path(__file__).parent / "results.json"
DOCS = Path(__file__).parents[2] / "docs" / "explanation"
PAGE, PLOT = DOCS / "performance.md", DOCS / "performance.svg"
COLUMNS = ("what", "pillarbox", "beside it", "median (min-max)", "bound", "")


@attrs.frozen
class Section:
    """What the page says of a benchmark.

    Attributes:
        title: Of the section.
        said: What is measured, and what a figure means.
        drawn: What its panel of the plot shows; "" for none.
    """

    title: str
    said: str
    drawn: str = ""


SECTIONS = {
    "noise": Section(
        "What the machine does to a ratio",
        "The same contender twice, in two processes: a ratio that is 1 by nature. Its spread is the noise of all others.",
    ),
    "kept-connection": Section(
        "Messages a second",
        "One connection, 20 ms a round trip, 4 KB a message: how many times as fast as the peer. pillarbox composes each"
        " message; *ready bytes* were composed before. Over a real line the round trips decide: lock step takes four a"
        " message, `Mailer.send` two, and `Mailer.send_many` one, for it writes the commands of the next message behind"
        " the end of the last (RFC 2920).",
        "20 ms a round trip, one connection: times as fast as",
    ),
    "bulk": Section(
        "Messages a second in bulk",
        "The same with `chunking_window = 16`: up to sixteen messages on the way at once (RFC 3030), to servers that"
        " offer it. When the line breaks, so many may be in doubt; it is off unless a deployer sets it.",
        "The same with a window of sixteen messages: times as fast as",
    ),
    "accepted": Section(
        "CPU from message to accepted",
        "No delay; the user and system time of the client's process for building, composing and sending one message:"
        " which share of the peer's it takes. smtp-source and the hand-made loop compose nothing.",
        "CPU from message to accepted: share of the peer's",
    ),
    "attachment-again": Section(
        "One attachment for many",
        "The same, where every message carries the same `Attachment` object: it is encoded for the first two, and from"
        " then on sent as it is.",
        "CPU where all carry the same attachment: share of the peer's",
    ),
    "composition": Section(
        "Composition",
        "From the host's values to the octets that go on the wire, by CPU: how many times as fast as the peer.",
        "Composition, CPU: times as fast as",
    ),
    "memory": Section(
        "Memory of one large message",
        "The peak for one attachment of 5 MB, as a multiple of it, the attachment itself included.",
    ),
    "providers": Section(
        "A large file by Microsoft 365 and Gmail",
        "No delay; the user and system time of the client's process from the host's values to the provider's receipt, as a"
        " share of what `requests.post(json=)` takes to bring the same file in base64 to the same server, with no header,"
        " no outcome and no second look. Gmail takes the message as it is composed. Microsoft 365 takes fields: the message"
        " is taken apart again, and from 3 MB on its file is decoded for an upload session, which alone costs two fifths of"
        " the post.",
    ),
    "provider-memory": Section(
        "Memory of a large file by Microsoft 365 and Gmail",
        "The peak as a multiple of the composed message, the host's own file included; the message itself is 1.",
    ),
    "kept-lines": Section(
        "Memory of kept connections",
        "Each mailbox has its own connection, under TLS on this machine, kept after a message: what the client's"
        " process grew by for each, its share of pages (PSS). Ours counts all that a mailer keeps for an account.",
    ),
    "start-up": Section(
        "Start",
        "CPU of a whole process over that of an interpreter that runs `pass`.",
    ),
    "resolution": Section(
        "Whose account carries it",
        "`Mailer.explain` for users in random order, each time looking whether another process changed the settings."
        " SQLite's point read is as fresh, and resolves nothing. Absolute figures: a slower machine has lower ones.",
    ),
    "loading": Section(
        "Many users in one file",
        "CPU from the parsed TOML to checked records, which is the time to the first answer less what `tomllib` takes"
        " for the same text. Absolute figures too.",
    ),
    "queueing": Section(
        "From the outbox to accepted",
        "Messages a second from enqueue to accepted, each step on the disk, 4 KB a message, one producer, no delay: how"
        " many times as fast as the peer. Their guarantees differ: huey deletes a task before it runs, and Postfix"
        " sends through two programs of its own.",
        "From enqueue to accepted: times as fast as",
    ),
    "producers": Section(
        "Many producers",
        "Messages a second that are on the disk when `enqueue` returns: how many times as fast as the one beside it."
        " Threads that enqueue at once share a commit.",
    ),
    "long-history": Section(
        "A long history",
        "CPU of claiming an entry and giving it back, where a million others have ended: as a multiple of that in an"
        " empty outbox.",
    ),
    "restart": Section(
        "After a restart",
        "Seconds from starting `pillarbox worker` to its first attempt, where a hundred thousand wait.",
    ),
}
OPENING = """\
# Performance

Speed is measured against what a program would use otherwise, as a ratio, in turns on one machine; absolute figures are
the machine's. Each table below was printed by the command that stands above it, and this page was written from what
`nox -s bench -- --docs` stored in `tests/benchmarks/results.json`; `tests/benchmarks/README.md` says how it is measured
and what is not comparable. A figure is the median of the rounds, with the lowest and the highest in brackets.
*met?* and *missed?* say that some rounds were on the other side of the bound.

What a provider allows decides more than any of this: a mailbox of Microsoft 365 takes 30 messages a minute by SMTP. What
is won is the time that one invoice takes, the CPU of a server that writes for many, and memory.
"""


def page(reports: Mapping[str, Report]) -> str:
    """Return the page in Markdown."""
    drawn = "![The ratios of the tables below as bars: the spread of the rounds as a line, the bound as a mark.](performance.svg)"
    parts = [OPENING, f"{_machine(reports)}\n", f"{drawn}\n"]
    parts += ["\n".join(_section(one)) for one in reports.values()]
    return "<!-- Written by nox -s bench -- --docs; run that instead. -->\n\n" + "\n".join(parts)


def _machine(reports: Mapping[str, Report]) -> str:
    last = max(reports.values(), key=lambda one: one.conditions.day).machine
    packages = ", ".join(f"{name} {version}" for name, version in last.packages.items())
    return f"Python {last.python} on {last.cores} cores; {packages}."


def _section(one: Report) -> Iterator[str]:
    section, conditions = SECTIONS[one.benchmark], one.conditions
    yield f"## {section.title}\n\n{section.said}\n"
    yield f"```console shown\n$ nox -s bench -- --only {one.benchmark}\n```\n"
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    yield from (f"| {' | '.join(cell.replace('|', '/') for cell in table.cells(row))} |" for row in one.rows)
    noise = conditions.noise(one.machine.cores)
    yield f"\n{conditions.day}, {conditions.seconds:.0f} s{f'; noisy: {noise}' if noise else ''}.\n"


def drawing(reports: Mapping[str, Report]) -> str:
    """Return the plot as SVG."""
    shown = [(SECTIONS[name].drawn, one.rows) for name, one in reports.items() if SECTIONS[name].drawn]
    return plot(shown)


def keep(reports: Mapping[str, Report]) -> None:
    """Store *reports*, and write the page and the plot from them."""
    RESULTS.write_text(report.to_json(reports.values()), encoding="utf-8")
    write(reports)


def write(reports: Mapping[str, Report]) -> None:
    """Write the page and the plot of *reports*."""
    PAGE.write_text(page(reports), encoding="utf-8")
    PLOT.write_text(drawing(reports), encoding="utf-8")


if __name__ == "__main__":
    write(report.from_json(RESULTS.read_text("utf-8")))
