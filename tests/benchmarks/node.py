"""nodemailer as a contender: its package installed on first use, its process driven like a Python one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import cases
from tests.benchmarks.jobs import Job
from tests.benchmarks.processes import Process, process
from tests.benchmarks.sinks import CACHE, HERE

CONTENDERS = ("nodemailer, ready bytes", "nodemailer", "nodemailer MailComposer")


def missing() -> str:
    """Return how to get node and npm, or "" where they are."""
    return "" if shutil.which("node") and shutil.which("npm") else "missing: apt-get install nodejs npm"


def version() -> str:
    """Return the version of nodemailer that is compared with."""
    wanted: str = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]["nodemailer"]
    return wanted


@contextlib.contextmanager
def contender(name: str, job: Job) -> Iterator[Process]:
    """Run the contender *name*, one of CONTENDERS, for the length of the block."""
    what = cases.case(job.case)
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.eml")
        ready.write_bytes(cases.ready_bytes(what))
        attachment = Path(folder, "attachment")
        attachment.write_bytes(what.attachment or b"")
        told = {
            "contender": name,
            "port": job.port,
            "ready": str(ready),
            "attachment": str(attachment) if what.attachment is not None else None,
            "filename": cases.FILENAME,
            "text": what.text,
            "html": what.html,
            "sender": cases.SENDER,
            "senderName": cases.SENDER_NAME,
            "recipient": cases.RECIPIENT,
            "subject": cases.SUBJECT,
        }
        with process(name, ["node", str(installed() / "peers.mjs")], told) as running:
            yield running


def installed() -> Path:
    """Return the folder that holds the node peers and their packages, installed now unless they were before.

    Raises:
        FileNotFoundError: There is no npm.
    """
    sources = [HERE / "package.json", HERE / "peers.mjs"]
    state = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    folder = CACHE / f"node-{state}"
    if not folder.exists():
        _install(sources, folder)
    return folder


def _install(sources: list[Path], folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("The benchmarks need node and npm: apt-get install nodejs npm")
    CACHE.mkdir(exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="node-", dir=CACHE))
    for source in sources:
        shutil.copy(source, unfinished)
    command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    subprocess.run(command, cwd=unfinished, check=True)
    try:
        unfinished.rename(folder)
    except OSError:
        shutil.rmtree(unfinished)
        if not folder.exists():
            raise  # else another process was faster
