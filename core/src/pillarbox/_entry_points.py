"""What is installed: entry points, read once a process; each is imported on first use, which is timed."""

from __future__ import annotations

import contextlib
import functools
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from ._errors import PillarboxError, Unavailable, quotation

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@functools.cache
def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """Return the installed entry points of *group*, read once a process (it imports importlib.metadata)."""
    from importlib import metadata

    try:
        return tuple(metadata.entry_points(group=group))
    except Exception:  # noqa: BLE001  (one unreadable file of any distribution spoils the list of all)
        return tuple(_readable(group))


def _readable(group: str) -> Iterator[EntryPoint]:
    """Give the entry points of those distributions that can be read."""
    from importlib import metadata

    from . import _log

    seen: set[str] = set()
    for dist in metadata.distributions():
        try:
            points = tuple(dist.entry_points.select(group=group))
            name = normal(dist.name)
        except Exception as error:  # noqa: BLE001  (a broken distribution harms nobody)
            _log.event("warning", "pillarbox.distribution_broken", error=type(error).__name__)
            continue
        if name not in seen:  # the first on the path is the one that is imported
            yield from points
        seen.add(name)


def normal(name: str) -> str:
    """Return the one spelling of a distribution's *name* (the packaging guide's normalisation)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distribution_of(point: EntryPoint) -> str:
    """Return the name of the distribution that brings *point*, or ""."""
    return (point.dist.name or "") if point.dist else ""


@attrs.frozen
class Load:
    """One import of a plugin.

    Attributes:
        group, name: The entry point's.
        distribution: Who brings it.
        seconds: How long the import took, with all that it imports itself.
        problem: The class of what it raised, or "".
    """

    group: str
    name: str
    distribution: str
    seconds: float
    problem: str = ""


LOADS: list[Load] = []
"""The imports of this process, in order; a plugin is imported once."""


def load(point: EntryPoint) -> Any:
    """Return what *point* names, imported.

    Raises:
        Unavailable: It is made for another pillarbox; nothing was imported.
        Exception: Whatever it raises; see `using`.
    """
    _refuse_another(point)
    started, problem = time.perf_counter(), ""
    try:
        return point.load()
    except BaseException as error:
        problem = type(error).__name__
        raise
    finally:
        seconds = time.perf_counter() - started
        LOADS.append(Load(point.group, point.name, distribution_of(point), round(seconds, 6), problem))


@contextlib.contextmanager
def using(point: EntryPoint) -> Iterator[None]:
    """Let what *point* names be imported, and made, in the block.

    Raises:
        Unavailable: It can't be, and how.
        PillarboxError: What it raises itself.
    """
    try:
        yield
    except PillarboxError:
        raise
    except (Exception, SystemExit) as error:
        dist = distribution_of(point) or point.value
        raise Unavailable(
            f"{dist} can't be loaded: {type(error).__name__}: {quotation(str(error))[:200]}.",
            cure=f"Reinstall or remove {dist}.",
        ) from error


# Which pillarbox a plugin is made for

_OURS = re.compile(r"pillarbox\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?", re.IGNORECASE)
_CLAUSE = re.compile(r"\s*(<|>=)\s*(\d+(?:\.\d+)*)\s*")


def made_for(point: EntryPoint) -> str:
    """Return the versions of pillarbox that the distribution of *point* says it is made for: `<0.2,>=0.1`; "" for any."""
    for line in (point.dist.requires or ()) if point.dist else ():
        found = _OURS.fullmatch(line)
        if found is not None and not found[2]:
            return found[1].replace(" ", "")
    return ""


def _refuse_another(point: EntryPoint) -> None:
    from importlib import metadata

    wanted = made_for(point)
    try:
        ours = metadata.version("pillarbox")
    except metadata.PackageNotFoundError:  # frozen without its metadata: whoever froze it chose
        return
    if wanted and not fits(ours, wanted):
        dist = distribution_of(point)
        raise Unavailable(
            f"{dist} is made for pillarbox {wanted}; this is {ours}.",
            cure=f"Bring the two together: pip install -U {dist} pillarbox",
        )


def fits(version: str, wanted: str) -> bool:
    """Whether *version* is among the *wanted*: the bounds `>=` and `<` of a requirement; other clauses are pip's to judge."""
    ours = _numbers(version)
    for clause in wanted.split(","):
        bound = _CLAUSE.fullmatch(clause)
        if bound is None:
            continue
        limit = _numbers(bound[2])
        width = max(len(ours), len(limit))
        left, right = (one + (0,) * (width - len(one)) for one in (ours, limit))
        if (left < right) if bound[1] == ">=" else (left >= right):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """Return the release of *version*; what stands behind it (rc1, .dev3) is not looked at."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
