"""The host's side of the worker process: started when it is needed, one deadline for each request, killed at it."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

from . import lines
from .problems import Problem
from .spool import Spool

OWN = (sys.executable, "-P", "-m", "pillarbox_mapi.worker")
"""The worker command where the settings name none."""
FOR_ANSWER = 0.9
"""How much of a deadline the worker has, so that it can still say that it was refused until the end."""
GRACE = 2.0
"""Seconds that a worker has to end when its stdin has ended."""


class WorkerFault(Exception):
    """The worker gave no answer.

    Attributes:
        how: `silent` until the deadline; `ended`; `nonsense`; `absent`: it could not be started.
    """

    def __init__(self, how: str, said: str = "") -> None:
        super().__init__(f"{how} {said}".rstrip())
        self.how, self.said = how, said


class Host:
    """Asks a worker, and starts it again after each fault. It has the spool, which is removed in `close`.

    Args:
        command: What starts the worker; () for this Python.
        trace: Takes a line for each request and answer, without what stands in them.
    """

    def __init__(self, command: Sequence[str] = (), *, trace: Callable[[str], None] | None = None) -> None:
        self._command = tuple(command) or OWN
        self._trace = trace
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[dict[str, Any] | str] = queue.Queue()
        self._spool: Spool | None = None
        self._number = 0
        self._lives_in = os.getpid()

    def _leave_to_parent(self) -> None:
        """Forget, in a process that was forked, the worker and the spool: they are the parent's."""
        if self._lives_in != os.getpid():
            self._lives_in = os.getpid()
            self._process = self._spool = None

    @property
    def spool(self) -> Spool:
        """The folder in which the worker runs."""
        self._leave_to_parent()
        if self._spool is None:
            self._spool = Spool()
        return self._spool

    def ask(self, op: str, seconds: float, **fields: Any) -> dict[str, Any]:
        """Return the worker's answer; it has so many *seconds*, a start included.

        Raises:
            Problem: The worker says why it could not.
            WorkerFault: No valid answer came; the worker was killed.
        """
        self._leave_to_parent()
        until = time.monotonic() + seconds
        self._number += 1
        request = {"id": self._number, "op": op, "seconds": seconds * FOR_ANSWER, **fields}
        try:
            self._put(request)
            answer = self._got(until)
        except WorkerFault as fault:
            self._say(f"{op}: {fault}")
            self._kill()
            raise
        self._say(f"{op}: {answer.get('problem', {}).get('name', 'done')}")
        return _read(answer)

    def close(self) -> None:
        """End the worker, kindly at first, and remove the spool."""
        self._leave_to_parent()
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
        self._kill()
        spool, self._spool = self._spool, None
        if spool is not None:
            spool.remove()

    def _put(self, request: dict[str, Any]) -> None:
        line = lines.written(request)
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except OSError:
            raise WorkerFault("ended", "before it was asked") from None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._kill()
        if self._process is None:
            self._process = _started(self._command, str(self.spool.root))
            self._answers = queue.Queue(maxsize=4)
            listener = threading.Thread(
                target=_listen, args=(self._process.stdout, self._answers), name="pillarbox-mapi", daemon=True
            )
            listener.start()
        return self._process

    def _got(self, until: float) -> dict[str, Any]:
        try:
            answer = self._answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise WorkerFault("silent") from None
        if isinstance(answer, str):
            raise WorkerFault("ended" if not answer else "nonsense", answer)
        if answer.get("id") != self._number or not isinstance(answer.get("problem", {}), dict):
            raise WorkerFault("nonsense", "an answer to something else")
        return answer

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _end(process)
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()

    def _say(self, line: str) -> None:
        if self._trace is not None:
            self._trace(f"worker {line}")


def _started(command: Sequence[str], folder: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603  (the deployer's command, rule 35)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise WorkerFault("absent", error.strerror or type(error).__name__) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the worker, and on POSIX whatever its command has started: they share a session of their own."""
    with contextlib.suppress(OSError):
        if sys.platform != "win32":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _listen(source: IO[bytes], answers: queue.Queue[dict[str, Any] | str]) -> None:
    """Put each answer into *answers*; then what came that is none, or "" for the end. Nobody asked for more than fit.

    The stream is closed here: a COM server that the worker started may have inherited it, and holds it open.
    """
    with contextlib.suppress(queue.Full), source:
        try:
            while (answer := lines.read(source)) is not None:
                answers.put_nowait(answer)
            answers.put_nowait("")
        except lines.Nonsense as nonsense:
            answers.put_nowait(str(nonsense))
        except (OSError, ValueError):
            answers.put_nowait("")


def _read(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what the worker answered.

    Raises:
        Problem: It says why it could not.
        WorkerFault: It says neither.
    """
    try:
        if "problem" in answer:
            problem = Problem.from_json(answer["problem"])
        else:
            return dict(answer["answer"])
    except (KeyError, TypeError, ValueError):
        raise WorkerFault("nonsense", "an answer without one") from None
    raise problem
