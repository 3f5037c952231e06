"""A stranger's transport: its own wheel, installed beside core's, keeps the contract and is found by its name."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Environment, run

pytestmark = [pytest.mark.dist, pytest.mark.xdist_group("dist"), pytest.mark.timeout(600)]
SOURCE = ROOT / "tests/thirdparty/pillarbox-sendmail"


@pytest.fixture(scope="module")
def stranger(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with pillarbox, the command, pytest, and the third party's wheel."""
    source = tmp_path_factory.mktemp("thirdparty") / "pillarbox-sendmail"
    shutil.copytree(SOURCE, source)
    target = tmp_path_factory.mktemp("thirdparty-wheels")
    done = run(sys.executable, "-m", "build", "--wheel", "--outdir", target, source)
    assert done.returncode == 0, done.stdout + done.stderr
    made = Environment(tmp_path_factory.mktemp("stranger"))
    made.install(wheels, "pillarbox[cli]", "pytest", "mypy", *map(str, target.glob("*.whl")))
    made.source = source
    return made


def test_it_keeps_the_contract(stranger):
    """Its own tests pass, in an environment that holds only wheels."""
    done = run(stranger.bin / "python", "-m", "pytest", "-q", "tests", cwd=stranger.source)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert " failed" not in done.stdout


def test_it_is_typed(stranger):
    """Mypy --strict accepts what its author wrote against the public names."""
    done = run(stranger.bin / "python", "-m", "mypy", "--strict", "src", cwd=stranger.source)
    assert done.returncode == 0, done.stdout


def test_it_is_a_method_like_ours(stranger):
    """It is listed, can be chosen, and its settings are options of the command."""
    assert "Local sendmail" in stranger.pillarbox("methods").stdout
    done = stranger.pillarbox(
        "init", "--address", "orders@acme.example", "--method", "sendmail", "--command", "/usr/bin/true"
    )
    assert done.returncode == 0, done.stderr
    assert 'command = "/usr/bin/true"' in (stranger.folder / "pillarbox.toml").read_text()
    sent = stranger.pillarbox("send", "--to", "ap@customer.example", "--subject", "s", "--text", "t")
    assert sent.returncode == 0, sent.stderr
    assert "Shows orders@acme.example" in sent.stdout
