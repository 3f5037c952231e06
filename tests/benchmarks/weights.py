"""What the clients of Microsoft and Google weigh: packages and octets of each in an environment of its own.

    python -m tests.benchmarks.weights          # or: nox -s weights; needs the network, and uv

It asks the package index for the newest of each, so the figures change with their releases.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

OURS = {
    "what pillarbox-m365 needs beside core": ("msal",),
    "what pillarbox-gmail needs beside core": ("google-auth", "requests"),
    "both": ("msal", "google-auth", "requests"),
}
RIVALS = {
    "msgraph-sdk": ("msgraph-sdk",),
    "O365": ("O365",),
    "google-api-python-client": ("google-api-python-client",),
    "google-auth-oauthlib": ("google-auth-oauthlib",),
}
MIB = 1024 * 1024


def main() -> None:
    """Install each, and print a line for it."""
    for name, packages in (OURS | RIVALS).items():
        count, octets = weight(packages)
        print(f"{name:40} {count:3} packages {octets / MIB:5.0f} MiB", flush=True)


def weight(packages: Sequence[str]) -> tuple[int, int]:
    """Return how many distributions *packages* are with all that they need, and their octets on disk, uncompiled."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--target", folder]
        subprocess.run([*command, *packages], check=True)
        files = [file for file in target.rglob("*") if file.is_file() and not file.is_symlink()]
        return len(list(target.glob("*.dist-info"))), sum(file.stat().st_size for file in files)


if __name__ == "__main__":
    main()
