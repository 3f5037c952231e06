"""Reads a `$filter`: comparisons of fields, `startswith`, `contains`, and `any` over the extended properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ._errors import GraphError
from ._items import Item

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[\w@.$:+-]+(?:/[\w@.$]+)*)|(?P<sign>[(),]))", re.DOTALL
)
_ANY = re.compile(r"singleValueExtendedProperties/any$", re.IGNORECASE)
Test = Callable[[Item], bool]


def filtering(text: str) -> Test:
    """Return the test that the filter *text* stands for.

    Raises:
        GraphError: It is none, or one that mail does not take; 400.
    """
    reader = _Reader(text)
    try:
        test = reader.either()
    except RecursionError:
        raise invalid(text[:100]) from None
    if reader.rest:
        raise invalid(text)
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
            raise invalid(self._text)
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
            return lambda item: str(value_of(item, field)).lower().startswith(value)
        return lambda item: value in str(value_of(item, field)).lower()

    def _next(self) -> str:
        if not self.rest:
            raise invalid(self._text)
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
            raise invalid(self._text)


def _tokens(text: str) -> Iterator[str]:
    position, text = 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise invalid(text)
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
        raise invalid(f"{field} {operator} {value}")
    return lambda item: tests[operator](value_of(item, field))


def _same(told: object, value: object) -> bool:
    """Whether they are equal; Exchange folds the case of text."""
    return (
        told.lower() == value.lower() if isinstance(told, str) and isinstance(value, str) else told == value
    )


def value_of(item: Item, field: str) -> Any:
    """Return what *item* has at *field*: `subject`, `from/emailAddress/address` ...

    Raises:
        GraphError: There is no such field; 400.
    """
    told: Any = item.shown(immutable=False)
    for number, name in enumerate(field.split("/")):
        if number == 0 and name not in told and name not in {"from", "sender", "internetMessageId"}:
            raise invalid(field)
        told = told.get(name) if isinstance(told, dict) else None
    return told


def invalid(text: str) -> GraphError:
    return GraphError(
        400, "ErrorInvalidUrlQueryFilter", f"The query filter contains one or more invalid nodes: {text}"
    )
