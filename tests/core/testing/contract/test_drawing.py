"""A method is drawn and told of in an interpreter where nothing can be reached, and its imports are counted."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from pillarbox.testing._contract import _drawing

PLUGIN = """
import attrs
from pillarbox import Limits, Transport
{top}
@attrs.frozen
class Settings:
    name: str = "x"
class Mine(Transport):
    settings: Settings
    def send(self, submission, journal): ...
    @classmethod
    def limits(cls, settings):
        {limits}
        return Limits()
"""


def drawn(folder: Path, name: str = "Mine", top: str = "", limits: str = "", module: str = "a_plugin"):
    """Draw a plugin of this text, as `TransportContract` has it done."""
    (folder / "a_plugin.py").write_text(PLUGIN.format(top=top, limits=limits))
    command = [sys.executable, "-P", _drawing.__file__, module, name]
    return subprocess.run(
        command, input=pickle.dumps(None), capture_output=True, timeout=60, env={"PYTHONPATH": paths(folder)}
    )


def paths(folder: Path) -> str:
    return os.pathsep.join([str(folder), *filter(None, sys.path)])


def test_what_was_imported_is_told(tmp_path):
    """By the plugin, and by what its class methods call."""
    done = drawn(tmp_path, top="import http.client", limits="import wave")
    assert done.returncode == 0, done.stderr
    assert {"http.client", "wave", "a_plugin"} <= set(json.loads(done.stdout))


def test_drawing_imports_nothing_heavy_by_itself(tmp_path):
    """So that what is found is the plugin's."""
    done = drawn(tmp_path)
    assert done.returncode == 0, done.stderr
    assert not {"ssl", "http.client", "asyncio", "pytest", "email.message"} & set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "reach",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import socket; socket.getaddrinfo('localhost', 25)",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
    ],
)
@pytest.mark.parametrize("where", ["top", "limits"])
def test_nothing_can_be_reached(tmp_path, reach, where):
    """No address, no name, no other program: neither on import nor from a class method."""
    done = drawn(tmp_path, **{where: reach})
    assert done.returncode == 1
    assert b"nothing may be reached" in done.stderr


def test_a_module_that_is_not_there_is_told_apart(tmp_path):
    """It is not the plugin's fault."""
    for module in ("no_such_plugin", "no_such.plugin"):
        assert drawn(tmp_path, module=module).returncode == _drawing.NOT_HERE
