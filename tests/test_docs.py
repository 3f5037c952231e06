"""The documentation is run: every Python block, and every console block with what it is said to print."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from pillarbox import Mailer

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, *languages: str) -> list[tuple[str, str, str]]:
    """Return (language, the rest of the fence's line, text) of the page's blocks in *languages*, in order."""
    found = FENCE.findall(page.read_text("utf-8"))
    return [(language, rest.strip(), text) for language, rest, text in found if language in languages]


def with_blocks(*languages: str) -> list:
    """Return the pages with such blocks; those that need a framework of a host's run in a session of their own."""
    found = []
    for page in PAGES:
        if blocks(page, *languages):
            marks = (
                [pytest.mark.hosts] if "<!-- runs in: nox -s together -->" in page.read_text("utf-8") else []
            )
            found.append(pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks))
    return found


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
        for opened in list(self.names.values()):
            if isinstance(opened, (Mailer, sqlite3.Connection)):
                opened.close()
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
    """Whether *printed* is *expected*, where `...` in it stands for anything; spaces are folded and times are equal."""
    parts = [re.escape(" ".join(part.split())) for part in timeless(expected).split("...")]
    pattern = r"\s*" + r".*".join(parts).replace(r"\ ", r"\s+") + r"\s*"
    return re.fullmatch(pattern, " ".join(timeless(printed).split()), re.DOTALL) is not None


def timeless(printed: str) -> str:
    """Return *printed* without the milliseconds at the end of a line, and with one time for every `(0.3 s)`."""
    return re.sub(r"\(\d+\.\d s\)", "(0.1 s)", re.sub(r" +\d+ ms$", "", printed, flags=re.MULTILINE))


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


SHIPPED = sorted([ROOT / "core/README.md", *ROOT.glob("plugins/*/README.md")])
"""What is shown on a page of its distribution, where no other file of the repository is."""
OTHERS = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("tests/*/README.md"))]


def prose(page: Path) -> str:
    """Return the text of a page without its blocks and its code."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^()\s]+)\)", prose(page))


def anchors(page: Path) -> set[str]:
    """Return the names of the headings of a page, as GitHub and MyST make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#{1,3} (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or (target.suffix == ".md" and anchor in anchors(target)))


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: str(page.relative_to(ROOT)))
def test_internal_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists and, behind `#`, a heading in it."""
    inside = [link for link in links(page) if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not leads_somewhere(page, link)] == []


@pytest.mark.parametrize("page", SHIPPED, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_that_is_shipped_alone_links_to_no_file_beside_it(page: Path) -> None:
    """The README of a distribution is read where the repository is not."""
    assert [link for link in links(page) if not link.startswith("https://")] == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    """A file that is missing, a heading that is missing; not what stands in code."""
    (tmp_path / "other.md").write_text("# One `two`, three\n", "utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#one-two-three) [b](gone.md)\n[c](other.md#gone) [d](#gone) `[e](code)`\n", "utf-8"
    )
    assert [link for link in links(page) if not leads_somewhere(page, link)] == [
        "gone.md",
        "other.md#gone",
        "#gone",
    ]


RUN = {"python", "console", "toml"}
READ = {"text", "{toctree}", "{include}", "{eval-rst}", "{py:function}"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_block_says_what_it_is(page: Path) -> None:
    """A block is run, is text to read, or is one of the README's commands, which `.ci/run` runs."""
    opened = re.findall(
        r"^ *```([^\s`]*)[^\n]*\n.*?^ *```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    known = RUN | READ | ({"sh"} if page.name == "README.md" else set())
    assert [language for language in opened if language not in known] == []


@pytest.mark.parametrize("page", with_blocks("toml"))
def test_what_is_shown_as_toml_is_toml(page: Path) -> None:
    """Also where it is only shown."""
    for _, _, text in blocks(page, "toml"):
        assert tomllib.loads(text)


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
