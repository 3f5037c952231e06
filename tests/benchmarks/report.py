"""One run of one benchmark with all that is to be known of it, and the file where the last ones are stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import cattrs

from tests.benchmarks.conditions import Conditions, Machine
from tests.benchmarks.harness import Row


@attrs.frozen
class Report:
    """What one benchmark found.

    Attributes:
        benchmark: Its name, as `--only` takes it.
        effort: How much was run: `full` or `quick`.
    """

    benchmark: str
    effort: str
    machine: Machine
    conditions: Conditions
    rows: tuple[Row, ...]


def to_json(reports: Iterable[Report]) -> str:
    """Return *reports* as JSON; each row says its verdict too."""
    return json.dumps([_plain(report) for report in reports], indent=1) + "\n"


def _plain(report: Report) -> dict[str, Any]:
    plain: dict[str, Any] = attrs.asdict(report)
    for row, told in zip(report.rows, plain["rows"], strict=True):
        told["verdict"] = row.verdict
    return plain


def from_json(text: str) -> dict[str, Report]:
    """Return the reports that *text* holds, by their benchmarks."""
    reports = cattrs.structure(json.loads(text), list[Report])
    return {report.benchmark: report for report in reports}


def merged(path: Path, new: Iterable[Report], order: Iterable[str]) -> Mapping[str, Report]:
    """Return the reports of the file at *path*, if there is one, with *new* ones in the place of the old, in *order*."""
    kept = from_json(path.read_text("utf-8")) if path.exists() else {}
    kept |= {report.benchmark: report for report in new}
    return {name: kept[name] for name in order if name in kept}
