"""Wheels of every distribution, built once, and empty environments to install subsets of them into."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = [
    "core",
    "plugins/smtp",
    "plugins/vault",
    "plugins/procrastinate",
    "plugins/m365",
    "plugins/gmail",
    "plugins/mapi",
]


def run(*command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    """Run *command* outside the checkout's Python path, and return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PILLARBOX"))}
    environment = kept | options.pop("env", {})
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        **options,
    )


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of each distribution, built from its own folder alone."""
    target = tmp_path_factory.mktemp("wheels")
    for name in DISTRIBUTIONS:
        source = tmp_path_factory.mktemp("source") / Path(name).name
        shutil.copytree(ROOT / name, source, ignore=shutil.ignore_patterns("__pycache__", "dist"))
        done = run(sys.executable, "-m", "build", "--wheel", "--outdir", target, source)
        assert done.returncode == 0, done.stdout + done.stderr
    return target


class Environment:
    """An environment that holds nothing but what was asked for."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.folder = folder
        self.source = folder

    def install(self, wheels: Path, *requirements: str) -> None:
        done = run(self.bin / "python", "-m", "pip", "install", "-q", "--find-links", wheels, *requirements)
        assert done.returncode == 0, done.stdout + done.stderr

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return run(self.bin / "python", "-W", "error", "-c", code, cwd=self.folder)

    def pillarbox(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return run(self.bin / "pillarbox", *arguments, cwd=self.folder, env=env)

    def installed(self) -> set[str]:
        done = run(self.bin / "python", "-m", "pip", "list", "--format=freeze")
        return {line.partition("==")[0].lower() for line in done.stdout.splitlines()} - {
            "pip",
            "setuptools",
            "wheel",
        }


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Callable[..., Environment]:
    """Return a function that gives the environment holding just the named requirements, made once."""
    made: dict[tuple[str, ...], Environment] = {}

    def make(*requirements: str) -> Environment:
        if requirements not in made:
            made[requirements] = Environment(tmp_path_factory.mktemp("environment"))
            made[requirements].install(wheels, *requirements)
        return made[requirements]

    return make
