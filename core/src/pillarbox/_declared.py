"""The settings class that a plugin's class declares by an annotation."""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any

import attrs


@functools.lru_cache(maxsize=256)
def settings_class(cls: type, name: str, root: type) -> type | None:
    """Return the attrs class that the annotation of *name* names in *cls* or a base of it below *root*; else None.

    Only that name is evaluated: other annotations may be of names imported under TYPE_CHECKING alone.
    """
    for base in cls.__mro__:
        annotation = inspect.get_annotations(base).get(name)
        if annotation is not None and base is not root:
            found = _evaluated(annotation, base)
            return found if isinstance(found, type) and attrs.has(found) else None
    return None


def _evaluated(annotation: Any, base: type) -> Any:
    if not isinstance(annotation, str):
        return annotation
    names = dict(vars(sys.modules[base.__module__]))
    try:
        return eval(annotation, names, dict(vars(base)))  # noqa: S307  (the text of the author's own annotation)
    except NameError:
        return None  # imported for type checkers alone
