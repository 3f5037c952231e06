"""Every check that is run on pillarbox: `nox -l` lists them, `nox` alone runs the tests."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = ["3.11", "3.12", "3.13"]
DISTRIBUTIONS = [
    "core",
    "plugins/smtp",
    "plugins/vault",
    "plugins/procrastinate",
    "plugins/m365",
    "plugins/gmail",
    "plugins/mapi",
    "plugins/web",
    "plugins/django",
]
INSTALLED = [
    "./core[cli,dns]",
    "./plugins/smtp[proxy]",
    "./plugins/vault",
    "./plugins/procrastinate",
    "./plugins/m365",
    "./plugins/gmail",
    "./plugins/mapi",
    "./plugins/web[devbox]",
    "./plugins/django",
]
PURE = "not services and not dist and not windows and not calibrate and not live and not hosts"
PROCESSES = "4"
"""For two cores: half the time a test waits, for a server, a process or a clock."""
PYPROJECT = nox.project.load_toml("pyproject.toml")


def groups(*names: str) -> list[str]:
    return nox.project.dependency_groups(PYPROJECT, *names)


def install(session: nox.Session, *more: str) -> None:
    """Install our distributions as a deployment would, and what the session needs beside them."""
    session.install(*INSTALLED, *groups("test"), *more)


def pytest(session: nox.Session, *arguments: str, processes: str = PROCESSES) -> None:
    session.run("pytest", "-q", "-n", processes, *arguments, *session.posargs)


@nox.session(python=HERE)
def demo(session: nox.Session) -> None:
    """Run the demo: a company and three users send real mail to a server on this machine."""
    session.install("./core[cli]", "./plugins/smtp")
    session.run("pillarbox", "demo", *session.posargs)


@nox.session(python=HERE)
def tests(session: nox.Session) -> None:
    """Run all tests that need nothing but Python, on this Python."""
    install(session)
    pytest(session, "-m", PURE)


@nox.session(python=PYTHONS, name="tests-all")
def tests_all(session: nox.Session) -> None:
    """Run them on every Python that is supported."""
    install(session)
    pytest(session, "-m", PURE)


@nox.session(python="3.12")
def lowest(session: nox.Session) -> None:
    """Run them with the oldest dependencies that are allowed, on the Python between the oldest and the newest.

    The long tables of faults and the pages run on the other Pythons alone: they try our own code again and again.
    """
    install(session, "--resolution", "lowest-direct") if session.venv_backend == "uv" else install(session)
    left_out = [
        f"--ignore-glob=*/{one}"
        for one in ("test_docs.py", "tests/docs/*", "test_*_faults.py", "test_*power.py")
    ]
    pytest(session, "-m", PURE, "-W", "default", *left_out)


@nox.session(python="3.13")
def together(session: nox.Session) -> None:
    """Install all of ours with the newest Django, Flask, FastAPI, Celery and SQLAlchemy; run the pages about them."""
    install(session, *groups("hosts"))
    if session.venv_backend == "uv":
        session.run("uv", "pip", "check", external=True)
    else:
        session.run("pip", "check")
    pytest(session, "-m", "hosts", "tests/test_docs.py", processes="2")


@nox.session(python=HERE)
def services(session: nox.Session) -> None:
    """Run the tests against real servers and programs (`.ci/install-servers` installs them)."""
    install(session, *groups("bench", "oauth", "browser"))
    # Each test is named as it ends (-vv, beside the -q of all). One that is over its time ends its process, with
    # every stack printed: what stands still beside a real server stands still again while it is cleaned up.
    options = ["-vv", "-o", "timeout_method=thread"]
    pytest(session, "-m", "services", *options, processes="3")  # real servers want the cores too


@nox.session(python=HERE)
def windows(session: nox.Session) -> None:
    """Run core, SMTP, the vault, and Outlook's worker before a COM server, under the genuine Windows Python in Wine.

    So does Simple MAPI before a mail program. `.ci/install-windows` installs what they run on.
    """
    session.install("./core", "./plugins/mapi", "./plugins/smtp", "./plugins/web[cli]", *groups("test"), "uv")
    # Each group has a Windows of its own, which waits more than it works.
    by_com = ["tests/windows", "tests/plugins/mapi/test_layouts.py", "tests/plugins/mapi/wine"]
    session.run("pytest", "-q", "-n", "3", "--dist", "loadgroup", *by_com)
    ours = ["./core[cli]", "./plugins/smtp[proxy]", "./plugins/vault"]
    wanted = [option for one in (*ours, *groups("test")) for option in ("--with", one)]
    others = [f"--ignore=tests/contract/test_{name}.py" for name in ("m365", "gmail")]
    all_ = ["tests/core", "tests/plugins/smtp", "tests/plugins/vault", "tests/contract", *others]
    tests = session.posargs or all_
    options = ["-q", "-n", "2", "-p", "no:cacheprovider", "-m", PURE]
    session.run("python", "-m", "tests.windows", *wanted, "--", "-m", "pytest", *options, *tests)


@nox.session(python=HERE)
def dist(session: nox.Session) -> None:
    """Build the wheels, install subsets of them into empty environments, and try those."""
    install(session, *groups("build", "types"))
    pytest(session, "-m", "dist")


@nox.session(python=HERE)
def lint(session: nox.Session) -> None:
    """Check style, import directions and the changelog fragments."""
    session.install(*INSTALLED, *groups("lint", "changelog"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("towncrier", "build", "--draft", "--version", "next", silent=True)


@nox.session(python=HERE)
def types(session: nox.Session) -> None:
    """Check types: mypy --strict over the sources and the typed examples; pyright on what is public."""
    install(session, *groups("types", "bench"))
    session.run("pyright", "tests/typing")
    session.run("mypy", *(f"{one}/src" for one in DISTRIBUTIONS), "tests/typing", "tests/benchmarks")
    checked = ["core/src", "plugins/smtp/src", "plugins/vault/src", "plugins/mapi/src"]
    session.run("mypy", "--platform", "win32", "--cache-dir", ".mypy_cache/win32", *checked)
    session.run("mypy", *map(str, sorted(set(Path("docs").glob("*.py")) - {Path("docs/conf.py")})))
    session.run("pyright", "--verifytypes", "pillarbox", "--ignoreexternal")
    session.run("pyright", "--verifytypes", "pillarbox_smtp", "--ignoreexternal")


@nox.session(python=HERE)
def docs(session: nox.Session) -> None:
    """Build the documentation into build/docs; whatever Sphinx warns of is an error."""
    install(session, *groups("docs", "changelog"))
    session.run("python", "docs/generate.py", "--check")
    session.run("python", "docs/diagrams.py", "--check")
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-n", "docs", "build/docs", *session.posargs)
    session.log("Look at it: build/docs/index.html")


@nox.session(python=HERE)
def calibrate(session: nox.Session) -> None:
    """Drive the fakes of Gmail and Graph by the clients of Google, Microsoft and others, unmodified."""
    install(session, *groups("calibrate"))
    pytest(session, "-W", "default", "tests/calibrate", processes="2")  # their warnings are theirs


@nox.session(python=HERE)
def live(session: nox.Session) -> None:
    """Ask the real services what nobody has verified, with an account of yours; see tests/live/README.md. Sends mail."""
    install(session)
    pytest(session, "-m", "live", "tests/live", processes="0")


@nox.session(python=HERE)
def kills(session: nox.Session) -> None:
    """Send 10,000 messages while hosts and workers are killed 200 times, and print what was lost, repeated and held."""
    install(session)
    session.run("python", "-m", "tests.core.outbox.killing", *session.posargs)


@nox.session(python=HERE)
def crowded(session: nox.Session) -> None:
    """Send 20,000 messages by 200 mailboxes at a server that enforces its limits; and beside one mailbox that hangs."""
    install(session)
    session.run("python", "-m", "tests.core.outbox.killing.crowded", *session.posargs)


@nox.session(python=HERE)
def bench(session: nox.Session) -> None:
    """Measure against named peers, as ratios in one interleaved run; `--docs` writes the page and the plot of it."""
    install(session, *groups("bench"))
    session.run("python", "-m", "tests.benchmarks", *session.posargs)


@nox.session(python=HERE)
def weights(session: nox.Session) -> None:
    """Print how many packages and octets the clients of Microsoft and Google bring, beside what ours need (network, uv)."""
    session.run("python", "-m", "tests.benchmarks.weights")


@nox.session(python=HERE)
def build(session: nox.Session) -> None:
    """Build every distribution into dist/."""
    session.install(*groups("build"))
    shutil.rmtree("dist", ignore_errors=True)
    for folder in DISTRIBUTIONS:
        session.run("python", "-m", "build", "--outdir", str(Path("dist").resolve()), folder)
