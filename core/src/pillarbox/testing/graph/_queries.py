"""The query options of a list or an item: $filter, $orderby, $select, $expand, $top, $skip, $count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._errors import GraphError
from ._items import Item

KNOWN = {"$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count"}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[\w@.$:+-]+(?:/[\w@.$]+)*)|(?P<sign>[(),]))", re.DOTALL
)
_ANY = re.compile(r"singleValueExtendedProperties/any$", re.IGNORECASE)
_MOST = 1000
_PAGE = 10
Test = Callable[[Item], bool]


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


def filtering(text: str) -> Test:
    """Return the test that the filter *text* stands for.

    Raises:
        GraphError: It is none, or one that mail does not take; 400.
    """
    reader = _Reader(text)
    test = reader.either()
    if reader.rest:
        raise _invalid(text)
    return test


def same_property(one: str, other: str) -> bool:
    """Whether two names of an extended property name the same; the case of a GUID and of the type is free."""
    return one.casefold() == other.casefold()


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.rest = list(_tokens(text))

    def either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return lambda item: any(test(item) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda item: all(test(item) for test in tests)

    def _one(self) -> Test:
        if self._take("not"):
            test = self._one()
            return lambda item: not test(item)
        if self._take("("):
            test = self.either()
            self._need(")")
            return test
        word = self._next()
        if _ANY.match(word):
            return self._any()
        if word.lower() in {"startswith", "contains"}:
            return self._function(word.lower())
        return _comparison(word, self._next().lower(), self._value())

    def _any(self) -> Test:
        """Read `(ep: ep/id eq '...' and ep/value eq '...')`."""
        self._need("(")
        name = self._next().removesuffix(":")
        self._take(":")
        told: dict[str, str] = {}
        while True:
            field = self._next()
            self._need("eq")
            told[field.removeprefix(f"{name}/")] = str(self._value())
            if not self._take("and"):
                break
        self._need(")")
        if set(told) != {"id", "value"}:
            raise _invalid(self._text)
        return lambda item: any(
            same_property(key, told["id"]) and value == told["value"]
            for key, value in item.properties.items()
        )

    def _function(self, name: str) -> Test:
        self._need("(")
        field = self._next()
        self._need(",")
        value = str(self._value()).lower()
        self._need(")")
        if name == "startswith":
            return lambda item: str(_value(item, field)).lower().startswith(value)
        return lambda item: value in str(_value(item, field)).lower()

    def _next(self) -> str:
        if not self.rest:
            raise _invalid(self._text)
        return self.rest.pop(0)

    def _value(self) -> object:
        told = self._next()
        if told.startswith("'"):
            return told[1:-1].replace("''", "'")
        return {"true": True, "false": False, "null": None}.get(told, told)

    def _take(self, word: str) -> bool:
        if self.rest and self.rest[0].lower() == word:
            self.rest.pop(0)
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise _invalid(self._text)


def _tokens(text: str) -> Iterator[str]:
    position, text = 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _invalid(text)
        position = found.end()
        yield found["text"] or found["word"] or found["sign"]


def _comparison(field: str, operator: str, value: object) -> Test:
    tests: dict[str, Callable[[Any], bool]] = {
        "eq": lambda told: _same(told, value),
        "ne": lambda told: not _same(told, value),
        "ge": lambda told: str(told) >= str(value),
        "gt": lambda told: str(told) > str(value),
        "le": lambda told: str(told) <= str(value),
        "lt": lambda told: str(told) < str(value),
    }
    if operator not in tests:
        raise _invalid(f"{field} {operator} {value}")
    return lambda item: tests[operator](_value(item, field))


def _same(told: object, value: object) -> bool:
    """Whether they are equal; Exchange folds the case of text."""
    return (
        told.lower() == value.lower() if isinstance(told, str) and isinstance(value, str) else told == value
    )


def _value(item: Item, field: str) -> Any:
    """Return what *item* has at *field*: `subject`, `from/emailAddress/address` ...

    Raises:
        GraphError: There is no such field; 400.
    """
    told: Any = item.shown(immutable=False)
    for number, name in enumerate(field.split("/")):
        if number == 0 and name not in told and name not in {"from", "sender", "internetMessageId"}:
            raise _invalid(field)
        told = told.get(name) if isinstance(told, dict) else None
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
        key=lambda pair: (str(_value(pair[1], field)), pair[0]), reverse=direction.strip().lower() == "desc"
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
        raise _invalid(options)
    return lambda tag: any(same_property(tag, name.replace("''", "'")) for name in names)


def _tags(item: Item) -> list[dict[str, str]]:
    return [{"id": name, "value": value} for name, value in item.properties.items()]


def _invalid(text: str) -> GraphError:
    return GraphError(
        400, "ErrorInvalidUrlQueryFilter", f"The query filter contains one or more invalid nodes: {text}"
    )
