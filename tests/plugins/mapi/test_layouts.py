"""The structures of Simple MAPI lie in memory as mingw's own mapi.h has them: its compiler checks each size and place."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator

import pytest

from pillarbox_mapi.simple_codes import MEANINGS
from pillarbox_mapi.simple_structures import RECEIPT_REQUESTED, FileDesc, Message, RecipDesc

pytestmark = pytest.mark.windows

COMPILER = ("x86_64-w64-mingw32-gcc", "-x", "c", "-fsyntax-only", "-")
STRUCTURES = {"MapiFileDesc": FileDesc, "MapiRecipDesc": RecipDesc, "MapiMessage": Message}
CODES = {
    "MAPI_E_USER_ABORT": 1,
    "MAPI_E_FAILURE": 2,
    "MAPI_E_LOGON_FAILURE": 3,
    "MAPI_E_ACCESS_DENIED": 6,
    "MAPI_E_UNKNOWN_RECIPIENT": 14,
    "MAPI_E_TEXT_TOO_LARGE": 18,
    "MAPI_E_AMBIGUOUS_RECIPIENT": 21,
    "MAPI_E_NETWORK_FAILURE": 23,
    "MAPI_E_NOT_SUPPORTED": 26,
}


def asserted(name: str, structure: type[ctypes.Structure]) -> Iterator[str]:
    """Yield what C says of the structure, line by line."""
    yield f'_Static_assert(sizeof({name}) == {ctypes.sizeof(structure)}, "{name}");'
    for field, *_ in structure._fields_:
        place = getattr(structure, field).offset
        yield f'_Static_assert(offsetof({name}, {field}) == {place}, "{name}.{field}");'


def compiled(*lines: str, options: tuple[str, ...] = ()) -> str:
    """Return what the compiler complains of; a missing compiler fails (`.ci/install-windows` installs it)."""
    source = "\n".join(["#include <stddef.h>", "#include <windows.h>", "#include <mapi.h>", *lines])
    return subprocess.run(
        (*COMPILER, *options), input=source, capture_output=True, text=True, check=False
    ).stderr


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_lies_as_the_header_has_it(name):
    assert compiled(*asserted(name, STRUCTURES[name])) == ""


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_lies_as_the_header_has_it_for_32_bits(name):
    """A pointer has four octets there, and ctypes gives it them in such a Python; here it is counted as a number."""
    narrow = [(field, in_32_bits(kind)) for field, kind in STRUCTURES[name]._fields_]
    structure = type(name, (ctypes.Structure,), {"_fields_": narrow})
    assert compiled(*asserted(name, structure), options=("-m32",)) == ""


def in_32_bits(kind):
    return ctypes.c_uint32 if ctypes.sizeof(kind) == 8 else kind


def test_a_field_of_another_width_is_noticed():
    """The compiler does judge: here is a structure that is wrong."""

    class Wrong(ctypes.Structure):
        _fields_ = (("ulReserved", ctypes.c_uint64), ("ulRecipClass", ctypes.c_uint32))

    assert "MapiRecipDesc.ulRecipClass" in compiled(*asserted("MapiRecipDesc", Wrong))


def test_the_codes_and_flags_are_those_of_the_header():
    assert set(CODES.values()) < set(MEANINGS)
    numbers = {**CODES, "MAPI_RECEIPT_REQUESTED": RECEIPT_REQUESTED}
    assert compiled(*(f'_Static_assert({name} == {code}, "{name}");' for name, code in numbers.items())) == ""
