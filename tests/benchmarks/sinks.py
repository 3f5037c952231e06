"""The server side: an SMTP sink in C on loopback, directly or behind a delay; compiled on first use."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from tests.benchmarks.processes import ROOT, python

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-pthread")


@attrs.frozen
class Counts:
    """What a sink has seen since it started.

    Attributes:
        messages: Those it accepted.
        octets: All it read.
        refusals: Its 5xx replies; a contender that gets one does something wrong.
    """

    messages: int
    octets: int
    refusals: int


@attrs.frozen
class Sink:
    """A running sink.

    Attributes:
        port: Where clients connect, on 127.0.0.1: the sink's own port, or that of the delay in front of it.
    """

    port: int
    _direct_port: int

    def counts(self) -> Counts:
        """Ask it what it has seen."""
        with socket.create_connection(("127.0.0.1", self._direct_port), timeout=10) as asking:
            asking.sendall(b"XCOUNT\r\nQUIT\r\n")
            with asking.makefile("r", encoding="ascii") as answers:
                answer = answers.read()
        found = re.search(r"messages=(\d+) octets=(\d+) refusals=(\d+)", answer)
        assert found, answer
        return Counts(*map(int, found.groups()))


@contextlib.contextmanager
def sink(*, round_trip: float = 0.0, login: tuple[str, str] | None = None) -> Iterator[Sink]:
    """Run a sink for the length of the block.

    Args:
        round_trip: Seconds that a round trip takes; 0.0 for no delay in front.
        login: User and password it wants by AUTH PLAIN (RFC 4616), or None for no sign-in.
    """
    with contextlib.ExitStack() as stack:
        arguments = [plain_response(*login)] if login else []
        direct = stack.enter_context(_listening([str(compiled("sink")), *arguments]))
        port = direct
        if round_trip:
            one_way = str(round(round_trip / 2 * 1_000_000))
            port = stack.enter_context(_listening([str(compiled("delay")), str(direct), one_way]))
        yield Sink(port, direct)


@contextlib.contextmanager
def under_tls(server: Sink) -> Iterator[tuple[int, str]]:
    """Put TLS in front of *server*; yield the port, on 127.0.0.1, and the file of the authority to trust."""
    import trustme

    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        trusted, own = Path(folder, "ca.pem"), Path(folder, "server.pem")
        authority.cert_pem.write_to_path(str(trusted))
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(own))
        with _listening([*python("tests.benchmarks.relay"), str(server.port), str(own)]) as port:
            yield port, str(trusted)


def plain_response(user: str, password: str) -> str:
    """Return the initial response of AUTH PLAIN (RFC 4616), in base64."""
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")


def listening(module: str, *arguments: str) -> contextlib.AbstractContextManager[int]:
    """Run *module* and yield the port on 127.0.0.1 that it prints; it ends with the block."""
    return _listening([*python(module), *arguments])


@contextlib.contextmanager
def _listening(command: Sequence[str]) -> Iterator[int]:
    """Run *command* and yield the port it prints; it ends with its standard input."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as running:
        assert running.stdin
        assert running.stdout
        try:
            yield int(running.stdout.readline())
        finally:
            running.stdin.close()
            running.wait(10)


def compiled(name: str) -> Path:
    """Return the program made from `<name>.c`, compiled now unless this very source was before.

    Raises:
        FileNotFoundError: There is no C compiler.
    """
    source = HERE / f"{name}.c"
    state = hashlib.sha256(source.read_bytes() + " ".join(FLAGS).encode()).hexdigest()[:12]
    program = CACHE / f"{name}-{state}"
    if not program.exists():
        _compile(source, program)
    return program


def _compile(source: Path, program: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise FileNotFoundError("The benchmarks need a C compiler: apt-get install gcc libc6-dev")
    CACHE.mkdir(exist_ok=True)
    unfinished = program.with_suffix(f".{socket.gethostname()}.{id(program)}")
    subprocess.run([compiler, *FLAGS, "-o", str(unfinished), str(source)], check=True)
    unfinished.rename(program)
