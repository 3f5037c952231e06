"""Access lists: whom they let in, and the list that a file gets."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest

from pillarbox import _owner_only as owner_only
from tests import access

pytestmark = pytest.mark.skipif(
    sys.platform != "win32", reason="only Windows has access lists: run it with nox -s windows"
)


def test_a_file_of_a_librarys_is_closed_to_others(tmp_path):
    """SQLite makes what stands beside a database by what the folder gives."""
    path = tmp_path / "x"
    path.write_text("x", "utf-8")
    access.give(path, 0o606)
    owner_only.close_to_others(path)
    assert access.mode(path) == 0o600


@pytest.mark.parametrize(
    ("entries", "readers"),
    [
        ("D:P", set()),
        ("D:(A;;FR;;;BU)(A;ID;FA;;;AU)", {"S-1-5-32-545", "S-1-5-11"}),
        ("D:(A;;FW;;;WD)(A;;0x100000;;;WD)", set()),
        ("D:(A;;GA;;;WD)", {"S-1-1-0"}),
        ("D:(A;OICIIO;FA;;;WD)", set()),
        ("D:(D;;FR;;;WD)(A;;FR;;;WD)", {"S-1-1-0"}),
    ],
)
def test_whom_a_list_lets_read(entries, readers):
    """An empty list nobody, no list everybody. What is for files in a folder is not for the folder; what is denied is no comfort."""
    from pillarbox import _windows_access as lists

    assert lists._let_in(ctypes.c_void_p(), lists._READ) == {"S-1-1-0"}
    with lists._descriptor(entries) as descriptor:
        assert lists._let_in(access.list_in(descriptor), lists._READ) == readers


def test_the_cure_names_whom_to_drop(tmp_path):
    """By numbers, since the names differ from language to language."""
    (tmp_path / "x").write_text("x", "utf-8")
    access.give(tmp_path / "x", 0o604)
    told = owner_only.cure(tmp_path / "x", "600")
    assert told.startswith(f'Run: icacls "{tmp_path / "x"}" /inheritance:r /grant:r *S-1-5-')
    assert told.endswith(":F /remove:g *S-1-1-0")


@pytest.mark.parametrize(
    ("path", "kind"), [(r"\\server\share\acme.vault.sqlite3", "smb3"), (r"C:\acme.vault.sqlite3", "")]
)
def test_a_share_is_told_from_a_disk(path, kind):
    """Locks can't be relied on there, so a vault is refused."""
    assert owner_only.file_system(Path(path)) == kind
