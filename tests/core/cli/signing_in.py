"""A method and a connector as an installed distribution brings them, for commands in a process of their own as well."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import ClassVar

from tests.core.signing_in import Provider, TestmailConnector, TestmailTransport

POINTS = """[pillarbox.transports]
testmail = tests.core.cli.signing_in:Method

[pillarbox.connectors]
testmail = tests.core.cli.signing_in:Signing
"""


class Method(TestmailTransport):
    """Sends nothing that anybody keeps."""

    __test__ = False
    seen: ClassVar[list] = []


class Signing(TestmailConnector):
    """Signs in whom the test says; a process of its own is told by `TESTMAIL`, in JSON."""

    __test__ = False
    provider = Provider()

    def __init__(self):
        told = json.loads(os.environ.get("TESTMAIL", "{}"))
        for name, value in told.items():
            setattr(self.provider, name, value)


def install(folder: Path) -> None:
    """Write what makes it an installed distribution, to be put on the path."""
    info = folder / "testmail-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: testmail\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)


def visit(url: str) -> str:
    """Follow a redirect to this computer, as a browser does, and return the page."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()
