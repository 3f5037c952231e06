"""pillarbox.testing: one list of names, each imported when it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pillarbox.testing


def for_type_checkers() -> set[str]:
    tree = ast.parse(Path(pillarbox.testing.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_the_public_names_are_one_list():
    """The same for people, for the import and for type checkers; each once."""
    assert len(pillarbox.testing.__all__) == len(set(pillarbox.testing.__all__))
    assert set(pillarbox.testing.__all__) == set(pillarbox.testing._HOME) == for_type_checkers()


def test_importing_the_door_imports_no_room():
    """Whoever wants a server does not get the contract."""
    code = (
        "import sys, pillarbox.testing as t\n"
        "assert 'ScriptedServer' in dir(t)\n"
        "assert not [n for n in sys.modules if n.startswith('pillarbox.') and n != 'pillarbox.testing']\n"
        "t.ScriptedServer\n"
        "assert not {'pytest', 'pillarbox.testing._contract'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_only_the_vaults_contract_needs_pytest():
    """Programs that report (`run_cases`) run where there is none."""
    code = (
        "import sys\n"
        "sys.modules['pytest'] = None\n"
        "from pillarbox.testing import Mailbox, MemoryTransport, ScriptedServer, TransportContract, run_cases\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_there_is_no_name_by_accident():
    """A misspelt one is an AttributeError."""
    with pytest.raises(AttributeError, match="TransportContact"):
        _ = pillarbox.testing.TransportContact
