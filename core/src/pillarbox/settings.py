"""For settings classes: declare a field, refer to a secret, draw a form. A public door."""

from __future__ import annotations

from ._leading import destination
from ._owner_only import create as create_owner_only
from ._schema import (
    FormField,
    Problem,
    Role,
    Secret,
    at,
    between,
    defaults,
    form,
    problems_of,
    put,
    setting,
    structure,
    take_out,
    unstructure,
)
from ._settings import EnvelopeSender, FromPolicy
from ._vault import from_file as secret_from_file
from ._vault import owner_only

__all__ = [
    "EnvelopeSender",
    "FormField",
    "FromPolicy",
    "Problem",
    "Role",
    "Secret",
    "at",
    "between",
    "create_owner_only",
    "defaults",
    "destination",
    "form",
    "owner_only",
    "problems_of",
    "put",
    "secret_from_file",
    "setting",
    "structure",
    "take_out",
    "unstructure",
]
