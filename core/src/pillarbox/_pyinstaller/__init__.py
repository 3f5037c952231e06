"""What PyInstaller asks of us, so that an application that uses pillarbox can be bundled without an option of its own.

It finds this folder by the entry point `hook-dirs` (pyinstaller.org, "Providing PyInstaller hooks with your package").
"""

from __future__ import annotations

from pathlib import Path


def hook_folders() -> list[str]:
    """Return the folder in which our hook lies."""
    return [str(Path(__file__).parent)]
