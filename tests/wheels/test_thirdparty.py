"""A stranger's transport: its own wheel, installed beside core's, keeps the contract and is found by its name."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Environment, run

pytestmark = [pytest.mark.dist, pytest.mark.xdist_group("dist"), pytest.mark.timeout(600)]
SOURCES = ROOT / "tests/thirdparty"


def installed(wheels: Path, factory: pytest.TempPathFactory, name: str, *more: str) -> Environment:
    """Return an environment with pillarbox, the command, pytest, and the third party's wheel."""
    source = factory.mktemp("thirdparty") / name
    shutil.copytree(SOURCES / name, source, ignore=shutil.ignore_patterns("__pycache__"))
    target = factory.mktemp("thirdparty-wheels")
    done = run(sys.executable, "-m", "build", "--wheel", "--outdir", target, source)
    assert done.returncode == 0, done.stdout + done.stderr
    made = Environment(factory.mktemp("stranger"))
    made.install(wheels, "pillarbox[cli]", "pytest", "mypy", *more, *map(str, target.glob("*.whl")))
    made.source = source
    return made


@pytest.fixture(scope="module")
def stranger(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The one that calls sendmail."""
    return installed(wheels, tmp_path_factory, "pillarbox-sendmail")


@pytest.fixture(scope="module")
def by_api(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The one to an HTTP API."""
    return installed(wheels, tmp_path_factory, "pillarbox-resend", "jsonschema")


def test_one_to_an_api_keeps_the_contract_and_is_certified(by_api):
    """Its own tests pass, its requests are what its provider has published, and it is certified by its name."""
    done = run(by_api.bin / "python", "-m", "pytest", "-q", "tests", cwd=by_api.source)
    assert done.returncode == 0, done.stdout
    certified = by_api.pillarbox("certify", "pillarbox-resend", "--json")
    assert certified.returncode == 0, certified.stdout + certified.stderr
    (one,) = json.loads(certified.stdout)["certificates"]
    assert (one["counts"]["failed"], one["counts"]["passed"] > 80) == (0, True)


def test_one_to_an_api_is_typed_and_takes_its_options(by_api):
    """Mypy --strict accepts it; its settings are options of the command, its key may be the machine's own."""
    done = run(by_api.bin / "python", "-m", "mypy", "--strict", "src", cwd=by_api.source)
    assert done.returncode == 0, done.stdout
    done = by_api.pillarbox("init", "--address", "orders@acme.example", "--method", "resend")
    assert done.returncode == 0, done.stderr
    explained = by_api.pillarbox("explain")
    assert "this machine's own key (RESEND_API_KEY)" in explained.stdout, explained.stdout + explained.stderr


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
