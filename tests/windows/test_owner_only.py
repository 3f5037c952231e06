"""What Windows keeps from others is kept from them by the system below too: a witness that knows nothing of access lists."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.windows.wine import opened

pytestmark = pytest.mark.windows

MAKE = """
import os, sys
from pillarbox._owner_only import create
os.close(create(sys.argv[1]))
open(sys.argv[2], "w").close()
"""
READ = """
import sys
from pillarbox.settings import secret_from_file
print(secret_from_file(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def windows():
    with opened("./core") as running:
        yield running


def named(path: Path) -> str:
    """Return the name that *path* has in Windows."""
    return "Z:" + str(path).replace("/", "\\")


def test_other_users_of_the_machine_have_no_access(windows, tmp_path):
    """Where they have it to what is made in the ordinary way."""
    ours, ordinary = tmp_path / "ours", tmp_path / "ordinary"
    assert windows.run("-c", MAKE, named(ours), named(ordinary), deadline=60) == 0
    assert [path.stat().st_mode & 0o007 for path in (ours, ordinary)] == [0, 0o4]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away: run it as root")
@pytest.mark.parametrize(
    ("user", "mode", "said"),
    [
        (0, 0o600, b"s3cret"),
        (0, 0o604, b"can be read by others. Run: icacls"),
        (12345, 0o600, b"belongs to another user"),
    ],
)
def test_a_secret_is_read_from_a_file_of_ours_alone(windows, tmp_path, capfdbinary, user, mode, said):
    """By the owner and the mode that Linux has for it."""
    path = tmp_path / "secret"
    path.write_bytes(b"s3cret\n")
    path.chmod(mode)
    os.chown(path, user, user)
    windows.run("-c", READ, named(path), deadline=60)
    assert said in capfdbinary.readouterr().out
