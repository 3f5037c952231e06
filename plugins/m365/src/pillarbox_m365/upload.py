"""A large file of a draft, in ranges: one that fails is sent again from where Graph says that it got to."""

from __future__ import annotations

from typing import Any

from pillarbox import PillarboxError, SendDeferred
from pillarbox.exchange import Answer, NoAnswer

from . import bodies
from .answers import error_of, value_of, words_of
from .fields import described
from .graph import Graph
from .parts import Leaf

RANGE = 12 * 320 * 1024
"""Octets of a range, 3.75 MiB; Graph takes 4 MB at most."""
TRIES = 3
"""How often the same range may fail before the file is left for another attempt."""
_STAGE = "attachment"


def send(graph: Graph, path: str, leaf: Leaf) -> None:
    """Add *leaf* to the attachments at *path*.

    Raises:
        PillarboxError: It could not be added; the draft is not complete.
    """
    size = leaf.size
    url = _begun(graph, path, leaf, size)
    position, failed = 0, 0
    while position < size:
        end = min(position + RANGE, size)
        answer = _put(graph, url, leaf, position, end)
        if answer is not None and answer.status == 201:
            return
        reached = _next(answer) if answer is not None and answer.status == 200 else None
        if reached is None:
            failed += 1
            _refuse_to_go_on(answer, failed)
            reached = _asked(graph, url)
            if reached is None and _is_there(graph, path, leaf, size):
                return  # its last range came, and the answer to it got lost
        else:
            failed = 0
        position = position if reached is None else reached
    raise SendDeferred("Microsoft 365 does not say that the file has come.", stage=_STAGE)


def _begun(graph: Graph, path: str, leaf: Leaf, size: int) -> str:
    item: dict[str, Any] = {"attachmentType": "file", "size": size, **described(leaf)}
    body = bodies.of_json({"AttachmentItem": item})
    answer = graph.ask("POST", f"{path}/createUploadSession", _STAGE, body=body)
    url = value_of(answer).get("uploadUrl")
    if answer.status != 201 or not isinstance(url, str):
        raise error_of(answer, _STAGE)
    return url


def _put(graph: Graph, url: str, leaf: Leaf, start: int, end: int) -> Answer | None:
    """Return the answer to a range, or None where there was none."""
    fields = {"Content-Range": f"bytes {start}-{end - 1}/{leaf.size}"}
    body = bodies.of_octets(lambda: leaf.between(start, end), end - start)
    try:
        return graph.put_range(url, body, fields, _STAGE)
    except NoAnswer:
        return None


def _refuse_to_go_on(answer: Answer | None, failed: int) -> None:
    """Raise where another try now makes no sense."""
    if answer is not None and answer.status in {400, 413, 429}:
        raise error_of(answer, _STAGE)
    if failed >= TRIES:
        said = "nothing" if answer is None else words_of(answer)
        raise SendDeferred(
            f"Microsoft 365 answered {said} to a part of a file, {failed} times; nothing was sent.",
            stage=_STAGE,
        )


def _next(answer: Answer) -> int | None:
    """Return where the next range begins, by an answer; None where it does not say."""
    ranges = value_of(answer).get("nextExpectedRanges") or value_of(answer).get("NextExpectedRanges")
    first = str(ranges[0]).partition("-")[0] if isinstance(ranges, list) and ranges else ""
    return int(first) if first.isascii() and first.isdigit() and len(first) < 13 else None


def _asked(graph: Graph, url: str) -> int | None:
    """Return where the next range begins, asked of the session itself; None where it does not say."""
    try:
        answer = graph.asked_range(url, _STAGE)
    except (NoAnswer, PillarboxError):
        return None
    return _next(answer) if answer.status == 200 else None


def _is_there(graph: Graph, path: str, leaf: Leaf, size: int) -> bool:
    found = graph.get(path, _STAGE, select="name,size") or {}
    return any(one.get("name") == leaf.name and one.get("size", 0) >= size for one in found.get("value", []))
