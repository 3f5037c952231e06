"""The documentation is run: every Python block, and every console block with what it is said to print."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, *languages: str) -> list[tuple[str, str, str]]:
    """Return (language, the rest of the fence's line, text) of the page's blocks in *languages*, in order."""
    found = FENCE.findall(page.read_text("utf-8"))
    return [(language, rest.strip(), text) for language, rest, text in found if language in languages]


def with_blocks(*languages: str) -> list:
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if blocks(page, *languages)]


@pytest.mark.parametrize("page", with_blocks("python", "console", "toml"))
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run in order, in an empty folder; what they print is what the page shows."""
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o700)
    with Session(tmp_path) as session:
        if "<!-- needs: the tutorial's company -->" in page.read_text("utf-8"):
            session.read_tutorial()
        for language, rest, text in blocks(page, "python", "console", "toml"):
            session.run(language, rest, text)


class Session:
    """One reading of a page: its files, its Python names, its second terminal.

    A block's fence may say more: `file=NAME` writes it, `terminal=2` leaves it running, `shown` is not run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.names: dict = {"__name__": "__docs__", "pdf_bytes": b"%PDF-1.4\n%%EOF\n"}
        self.running: list[subprocess.Popen] = []

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if "mailer" in self.names:
            self.names["mailer"].close()
        for process in self.running:
            process.terminate()
            process.wait(10)

    def read_tutorial(self) -> None:
        """Bring about what the tutorial leaves: a company, Anna, Otto, and a server that is up."""
        for language, rest, text in blocks(ROOT / "docs/tutorial/first-mail.md", "console"):
            self.run(language, rest, text)

    def run(self, language: str, rest: str, text: str) -> None:
        text = text.replace("8025", str(self.port))
        options = dict(part.partition("=")[::2] for part in rest.split())
        if "shown" in options:
            return
        if "file" in options:
            self.write(options["file"], text)
        elif language == "console":
            self.console(text, in_background="terminal" in options)
        elif language == "python":
            exec(compile(text, "<docs>", "exec", dont_inherit=True), self.names)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)

    def console(self, text: str, *, in_background: bool) -> None:
        for command, expected in commands(text):
            if in_background:
                self.running.append(
                    subprocess.Popen(shlex.split(command), cwd=self.folder, env=environment())
                )
                wait_for(self.port)
            else:
                printed = run_shell(command, self.folder)
                assert matches(expected, printed), unlike(command, expected, printed)


def commands(text: str) -> list[tuple[str, str]]:
    """Return each command of a console block, and what is printed below it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    split = [re.match(r"((?:[^\n]*\\\n)*[^\n]*)\n?(.*)", part, re.DOTALL) for part in parts]
    return [(found[1], found[2]) for found in split if found]


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PILLARBOX")}
    return {**kept, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}


def run_shell(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


def matches(expected: str, printed: str) -> bool:
    """Whether *printed* is *expected*, where `...` in it stands for anything and spaces are folded."""
    parts = [re.escape(" ".join(part.split())) for part in expected.split("...")]
    pattern = r"\s*" + r".*".join(parts).replace(r"\ ", r"\s+") + r"\s*"
    return re.fullmatch(pattern, " ".join(printed.split()), re.DOTALL) is not None


def unlike(command: str, expected: str, printed: str) -> str:
    return f"$ {command}\n" + "\n".join(difflib.ndiff(expected.splitlines(), printed.splitlines()))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int) -> None:
    give_up = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < give_up, f"nothing listens on {port}"
            time.sleep(0.05)
        else:
            return


def test_internal_links_lead_somewhere() -> None:
    """Every relative link of a page names a file that exists."""
    broken = []
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken, broken


def test_the_reference_says_what_the_code_says() -> None:
    """The pages that docs/generate.py writes are current."""
    if tuple(map(int, version("click").split(".")[:2])) < (8, 3):
        pytest.skip("the page of the command shows a newer click's layout; run it with the newest")
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/generate.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}Run: python docs/generate.py"
