"""The query options of a list or an item: $filter, $orderby, $select, $expand, $top, $skip, $count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._errors import GraphError
from ._filters import filtering, invalid, same_property, value_of
from ._items import Item

KNOWN = {"$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count"}
_MOST = 1000
_PAGE = 10


def require_known(asked: Mapping[str, str]) -> None:
    """Do nothing if all options of *asked* are known.

    Raises:
        GraphError: One is not; 400.
    """
    for name in asked:
        if name.startswith("$") and name not in KNOWN:
            raise GraphError(400, "BadRequest", f"The query parameter '{name}' is not supported.")


def wanted(items: list[Item], asked: Mapping[str, str]) -> list[Item]:
    """Return those of *items* that *asked* filters, in its order, all pages."""
    test = filtering(asked["$filter"]) if "$filter" in asked else None
    _require_efficient(asked)
    kept = [item for item in items if test is None or test(item)]
    return _ordered(kept, asked.get("$orderby", "receivedDateTime desc"))


def page(asked: Mapping[str, str]) -> tuple[int, int]:
    """Return how many are skipped and how many are shown.

    Raises:
        GraphError: One is no number, or too large; 400.
    """
    skip, top = asked.get("$skip", "0"), asked.get("$top", str(_PAGE))
    if not (skip.isdecimal() and top.isdecimal() and 0 < int(top) <= _MOST):
        raise GraphError(400, "BadRequest", f"$top must be from 1 to {_MOST} and $skip a number.")
    return int(skip), int(top)


def selected(shown: dict[str, Any], asked: Mapping[str, str]) -> dict[str, Any]:
    """Return of *shown* what *asked* selects; the id and the annotations stay."""
    if "$select" not in asked:
        return shown
    names = {name.strip().lower() for name in asked["$select"].split(",")} | {"id"}
    return {name: one for name, one in shown.items() if name.lower() in names or name.startswith("@")}


def expanded(item: Item, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the files and tags of *item* that *asked* expands."""
    told: dict[str, Any] = {}
    for name, options in _expansions(asked.get("$expand", "")):
        if name == "attachments":
            told[name] = [file.shown() for file in item.files]
        elif name == "singlevalueextendedproperties":
            if found := [tag for tag in _tags(item) if _tag_test(options)(tag["id"])]:
                told["singleValueExtendedProperties"] = found
        else:
            raise GraphError(400, "BadRequest", f"Could not find a property named '{name}' to expand.")
    return told


def _require_efficient(asked: Mapping[str, str]) -> None:
    """Do nothing if what orders the list also filters it, where there is a filter.

    Raises:
        GraphError: It does not; 400.
    """
    if "$filter" in asked and "$orderby" in asked:
        for part in asked["$orderby"].split(","):
            if part.split()[0].lower() not in asked["$filter"].lower():
                raise GraphError(
                    400,
                    "InefficientFilter",
                    "The restriction or sort order is too complex for this operation.",
                )


def _ordered(items: list[Item], by: str) -> list[Item]:
    field, _, direction = by.split(",", maxsplit=1)[0].strip().partition(" ")
    numbered = list(enumerate(items))
    numbered.sort(
        key=lambda pair: (str(value_of(pair[1], field)), pair[0]), reverse=direction.strip().lower() == "desc"
    )
    return [item for _, item in numbered]


def _expansions(text: str) -> Iterator[tuple[str, str]]:
    """Give each expanded name in lower case, with the options in its parentheses."""
    for found in re.finditer(r"\s*([\w]+)\s*(?:\(((?:[^()']|'[^']*')*)\))?\s*(?:,|$)", text):
        yield found[1].lower(), found[2] or ""


def _tag_test(options: str) -> Callable[[str], bool]:
    """Return the test that `$filter=id eq '...'`, with `or` between several, makes of the name of a tag.

    Raises:
        GraphError: There is no such filter; Graph gives no tags without one; 400.
    """
    names = re.findall(r"\bid\s+eq\s+'((?:[^']|'')*)'", options)
    if not names:
        raise invalid(options)
    return lambda tag: any(same_property(tag, name.replace("''", "'")) for name in names)


def _tags(item: Item) -> list[dict[str, str]]:
    return [{"id": name, "value": value} for name, value in item.properties.items()]
