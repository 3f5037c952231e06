"""A distribution as `pillarbox new-transport` writes it: installed with only wheels, it certifies, type-checks, and sends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .conftest import Environment, run

pytestmark = [pytest.mark.dist, pytest.mark.xdist_group("dist"), pytest.mark.timeout(600)]
SEND = """
import json, os, pathlib, subprocess, sys
from pillarbox_pigeon.fake import FakeApi
with FakeApi() as api:
    pathlib.Path("pillarbox.toml").write_text(f'''
[company]
address = "orders@acme.example"
method = "pigeon"
[company.pigeon]
url = "{api.url}"
key = {{ env = "PIGEON_KEY" }}
''')
    os.chmod("pillarbox.toml", 0o600)
    os.environ["PIGEON_KEY"] = api.key
    call = [str(pathlib.Path(sys.executable).with_name("pillarbox"))]
    subprocess.run([*call, "check"], check=True)
    subprocess.run([*call, "send", "--to", "ap@customer.example", "--subject", "s", "--text", "t"], check=True)
    print([one.recipients for one in api.kept])
"""


@pytest.fixture(scope="module")
def written(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, Path]:
    """An environment with pillarbox and the command, in which a distribution was written, built, and installed."""
    made = Environment(tmp_path_factory.mktemp("author"))
    made.install(wheels, "pillarbox[cli]", "pytest", "mypy")
    done = made.pillarbox("new-transport", "pigeon")
    assert done.returncode == 0, done.stderr
    source = made.folder / "pillarbox-pigeon"
    target = tmp_path_factory.mktemp("pigeon-wheels")
    done = run(sys.executable, "-m", "build", "--wheel", "--outdir", target, source)
    assert done.returncode == 0, done.stdout + done.stderr
    made.install(wheels, *map(str, target.glob("*.whl")))
    return made, source


def test_it_certifies(written):
    """By its name, without a test tool."""
    environment, _ = written
    done = environment.pillarbox("certify", "pillarbox-pigeon", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (one,) = json.loads(done.stdout)["certificates"]
    assert (one["counts"]["failed"], one["counts"]["passed"] > 60) == (0, True)


def test_it_type_checks_and_its_tests_pass(written):
    """As they were written."""
    environment, source = written
    python = environment.bin / "python"
    done = run(python, "-m", "mypy", "--strict", "src", "tests", cwd=source)
    assert done.returncode == 0, done.stdout
    done = run(python, "-m", "pytest", "-q", cwd=source)
    assert done.returncode == 0, done.stdout


def test_it_is_found_checks_and_sends(written):
    """Under the name of its method."""
    environment, _ = written
    listed = environment.pillarbox("methods")
    assert "pillarbox-pigeon 0.1.0" in listed.stdout
    done = environment.python(SEND)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[('ap@customer.example',)]" in done.stdout
