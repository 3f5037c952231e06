"""A stand-in for the API, on this machine: it keeps what it is sent and misbehaves as it is told.

Hold it against what the provider has published. It is no part of the transport; whoever uses that may use it in tests of
their own.
"""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from email.utils import getaddresses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import attrs


@attrs.frozen
class Kept:
    """A message that the API took: the request's key, and what it said."""

    key: str
    value: Mapping[str, Any]

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody whom it goes to, those who are hidden last."""
        fields = [one for name in ("to", "cc", "bcc") for one in _listed(self.value.get(name, ()))]
        return tuple(address for _, address in getaddresses(fields))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


class FakeApi:
    """The API on a port of its own, while the block lasts.

    Attributes:
        kept: What it took, the oldest first; a key that it knows already is answered as before.
        domains: Those that the account has verified.
        key: The API key that it knows.
        fault: How it misbehaves: one of `pillarbox.testing.FAULTS`, or "".
        says: A status, a name and a message with which it answers whatever it is asked, or None.
    """

    def __init__(self, key: str = "canary-0f3a-api-key") -> None:
        self.kept: list[Kept] = []
        self.requests: list[Mapping[str, Any]] = []
        self.domains = ["acme.example"]
        self.key = key
        self.fault = ""
        self.says: tuple[int, str, str] | None = None
        self.heard = 0
        self._over = threading.Event()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._port = 0
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._close()

    def _listen(self) -> None:
        api = self

        class Handler(_Handler):
            fake = api

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def _close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @contextlib.contextmanager
    def misbehaving(self, fault: str) -> Iterator[None]:
        """Misbehave as *fault* says, while the block runs."""
        self.fault, self.heard = fault, 0
        if fault == "unreachable":
            self._close()
        try:
            yield
        finally:
            self.fault = ""
            if fault == "unreachable":
                self._listen()

    def meets(self) -> str:
        """Return the fault that the next message meets."""
        self.heard += 1
        kind, _, rest = self.fault.partition(" message ")
        if kind != "second":
            return self.fault
        return {"refused": "content refused", "lost": "cut after"}[rest] if self.heard == 2 else ""

    def rest(self) -> None:
        """Stay silent until all is well again."""
        while self.fault and not self._over.wait(0.05):
            pass


REFUSALS: Mapping[str, tuple[int, str]] = {
    "credential refused for now": (429, "rate_limit_exceeded"),
    "sender refused": (403, "validation_error"),
    "sender refused for now": (429, "rate_limit_exceeded"),
    "recipient refused": (422, "validation_error"),
    "recipient refused for now": (429, "daily_quota_exceeded"),
    "content refused": (422, "invalid_attachment"),
    "content refused for now": (429, "rate_limit_exceeded"),
}


class _Handler(BaseHTTPRequestHandler):
    fake: FakeApi

    def do_POST(self) -> None:
        fault = self.fake.meets()
        if fault == "cut inside":
            self.rfile.read(100)
            self.close_connection = True
            return
        value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.fake.says is not None:
            self._refuse(*self.fake.says)
        elif fault == "credential refused" or not self._is_signed_in():
            self._refuse(403, "invalid_api_key")
        elif fault in REFUSALS:
            self._refuse(*REFUSALS[fault])
        else:
            self._take(value, fault)

    def _take(self, value: dict[str, Any], fault: str) -> None:
        key = self.headers.get("Idempotency-Key", "")
        self.fake.requests.append(value)
        known = [number for number, one in enumerate(self.fake.kept) if key and one.key == key]
        if known and self.fake.kept[known[0]].value != value:
            self._refuse(409, "invalid_idempotent_request")
            return
        if not known:
            self.fake.kept.append(Kept(key, value))
        number = known[0] if known else len(self.fake.kept) - 1
        if fault == "cut after":
            self.close_connection = True
        elif fault == "silent after":
            self.fake.rest()
            self.close_connection = True
        elif fault == "nonsense after":
            self.wfile.write(b"HTTP/1.1 200 Fine\r\n\r\n<p>Thank you.")
        else:
            self._say(200, {"id": f"00000000-0000-0000-0000-{number:012}"})

    def do_GET(self) -> None:
        if self.fake.says is not None:
            self._refuse(*self.fake.says)
        elif not self._is_signed_in():
            self._refuse(403, "invalid_api_key")
        elif self.path == "/domains":
            data = [{"id": one, "name": one, "status": "verified"} for one in self.fake.domains]
            self._say(200, {"object": "list", "data": data})
        else:
            self._refuse(404, "not_found")

    def _is_signed_in(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {self.fake.key}"

    def _refuse(self, status: int, name: str, message: str = "") -> None:
        said = message or f"the fake says {name}"
        self._say(status, {"statusCode": status, "name": name, "message": said})

    def _say(self, status: int, value: Mapping[str, Any]) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if status == 429:
            self.send_header("Retry-After", "2")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
