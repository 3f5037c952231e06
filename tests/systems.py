"""What tests need of the system they run on; each reason says where to run them where it lacks that."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from pathlib import Path

import pytest

WINDOWS = sys.platform == "win32"
WINE = WINDOWS and hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


NO_TERMINALS = "Python opens no terminal under Windows: run it on Linux, and look at one by hand there"


def _makes_links() -> bool:
    """Wine says that it did."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "link")
        try:
            link.symlink_to(folder, target_is_directory=True)
        except OSError:
            return False
        return link.is_symlink()


changes = pytest.mark.skipif(
    WINDOWS, reason="Python tells no time of the last change of status under Windows: run it on Linux"
)
forks = pytest.mark.skipif(WINDOWS, reason="Windows has no fork: run it on Linux")
links = pytest.mark.skipif(
    WINDOWS and not _makes_links(),
    reason="Wine makes no links, and Windows only for administrators: run it on Linux",
)
posix_files = pytest.mark.skipif(WINDOWS, reason="Windows has no such files: run it on Linux")
wakes = pytest.mark.skipif(
    WINE, reason="Wine does not wake who waits for a line that is shut here: run it on Linux or Windows"
)
resets = pytest.mark.skipif(WINE, reason="Wine ends in order what Windows resets: run it on Linux or Windows")
root = pytest.mark.skipif(
    WINDOWS or os.geteuid() != 0, reason="only root can give a file away: run it as root on Linux"
)
