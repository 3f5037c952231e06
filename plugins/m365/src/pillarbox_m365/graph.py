"""Microsoft Graph for one mailbox: each request with the account's token, in one deadline, its answer or an error of ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import attrs

from pillarbox import Credentials, SendDeferred, SettingsError, SignInNeeded
from pillarbox.exchange import Answer, Line, NoAnswer, Request, is_loopback

from .answers import error_of, has_code, lost, token_refused, value_of
from .app import CA_FILE, M365App
from .bodies import Body

PER_SECOND = 100_000
"""Octets that even a slow line carries in a second; by them a large request gets more time."""
_SHORTEST_PROOF = 12
_IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


def segment(value: str) -> str:
    """Return *value* as one segment of a path, whatever stands in it.

    Raises:
        SettingsError: It would lead elsewhere.
    """
    if value in {"", ".", ".."} or not value.isprintable():
        raise SettingsError(
            "Microsoft 365 was to be asked for something that has no name.", cure="Check mailbox."
        )
    return quote(value, safe="")


class Graph:
    """The interface, for one mailbox and one thread at a time.

    Args:
        app: The registration.
        credentials: The account's.
        owner: `me`, or `users/` and the mailbox as a segment.
        seconds: For one exchange.
        trace: Takes a line for each exchange.
    """

    def __init__(
        self,
        app: M365App,
        credentials: Credentials | None,
        owner: str,
        seconds: float,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._credentials = credentials
        self._owner = owner
        self._seconds = seconds
        self._trace = trace
        self._line = Line(app.ca_file, named=CA_FILE)
        self.date = ""
        """When the last answer was made, as Microsoft says; "" before one came."""

    @property
    def security(self) -> str:
        """How the connection is protected, or "" where it is not known."""
        return self._line.security

    def ask(
        self,
        method: str,
        path: str,
        stage: str,
        *,
        body: Body | None = None,
        query: Mapping[str, str] | None = None,
        submits: bool = False,
        seconds: float | None = None,
    ) -> Answer:
        """Return the answer to a request with a token, whatever its status but 401.

        A token that is refused is replaced once: a 401 is given before anything is done.

        Args:
            method: Of HTTP.
            path: Behind the mailbox, its segments as `segment` makes them.
            stage: What it is about, for errors.
            body: What is sent along.
            query: Its parameters.
            submits: Whether it submits: where no answer comes, nobody knows what became of it.
            seconds: For the exchange; what the account says by default.

        Raises:
            SignInNeeded: There is no token, or none that is taken.
            SendDeferred: Nothing was done, or nothing that matters.
            OutcomeUnknown: It was to submit, and no answer came.
        """
        url = f"{self._app.graph}/v1.0/{self._owner}{path}"
        if query:
            url = f"{url}?{urlencode(query, quote_via=quote)}"
        token, limit = self.token(), seconds or self._seconds
        answer = self._exchanged(method, url, stage, body, token, limit, submits=submits)
        self.date = answer.headers.get("date", "")
        if answer.status != 401:
            return answer
        other = self._another(token)
        answer = self._exchanged(method, url, stage, body, other, limit, submits=submits)
        if answer.status == 401:
            self._known().refuse(other)
            raise error_of(answer, "sign-in")
        return answer

    def get(
        self, path: str, stage: str, *, seconds: float | None = None, **query: str
    ) -> dict[str, Any] | None:
        """Return what is at *path*; None where nothing is.

        Args:
            path: Behind the mailbox.
            stage: For errors.
            seconds: As for `ask`.
            query: `$` and its parameters, named without the `$`.

        Raises:
            SendError: It can't be had.
        """
        asked = {f"${name}": value for name, value in query.items()}
        answer = self.ask("GET", path, stage, query=asked, seconds=seconds)
        if answer.status == 404 and has_code(answer, "ErrorItemNotFound"):
            return None
        if answer.status != 200:
            raise error_of(answer, stage)
        return value_of(answer)

    def put_range(self, url: str, body: Body, headers: Mapping[str, str], stage: str) -> Answer:
        """Return the answer to a part of an upload; its address is the only proof, and no token goes there.

        Raises:
            SendDeferred: The address is none that may be used, or can't be reached.
            NoAnswer: No answer came.
        """
        return self._preauthorized("PUT", url, stage, body, headers)

    def asked_range(self, url: str, stage: str) -> Answer:
        """Return what an upload has so far; as `put_range`."""
        return self._preauthorized("GET", url, stage, None, {})

    def ready(self) -> None:
        """Have a token and a connection, so that what fails next fails before anything is handed over.

        Raises:
            SignInNeeded, SendDeferred: There is none.
        """
        self.token()
        self._line.open(self._app.graph, self._seconds)

    def token(self) -> str:
        """Return the account's token.

        Raises:
            SignInNeeded, SendDeferred: There is none, or none now.
        """
        return self._known().token()

    def close(self) -> None:
        """Let the connection go."""
        self._line.close()

    def _known(self) -> Credentials:
        if self._credentials is None:
            raise SignInNeeded("This account was never connected.", stage="sign-in", cure="Connect it.")
        return self._credentials

    def _another(self, refused: str) -> str:
        known = self._known()
        known.refuse(refused)
        other = known.token()
        if other == refused:
            raise token_refused()
        return other

    def _exchanged(
        self,
        method: str,
        url: str,
        stage: str,
        body: Body | None,
        token: str,
        seconds: float,
        *,
        submits: bool,
    ) -> Answer:
        fields = {"Authorization": f"Bearer {token}", "Accept": "application/json", **_IMMUTABLE}
        failed = None
        try:
            return _without(self._exchange(method, url, body, fields, seconds), token)
        except NoAnswer as error:
            failed = lost(error, stage, submits=submits)
        except ValueError:
            failed = SendDeferred("The connection's token can't be sent.", stage="sign-in")
        raise failed

    def _preauthorized(
        self, method: str, url: str, stage: str, body: Body | None, fields: Mapping[str, str]
    ) -> Answer:
        parts = urlsplit(url)
        own = is_loopback(urlsplit(self._app.graph).hostname or "") and is_loopback(parts.hostname or "")
        if parts.scheme != "https" and not own:
            raise SendDeferred("Microsoft 365 named no address to upload to.", stage=stage)
        try:
            return _without(
                self._exchange(method, url, body, fields, self._seconds),
                url,
                parts.query,
                *_values(parts.query),
            )
        except ValueError:
            pass  # its text holds the address
        raise SendDeferred("Microsoft 365 named no address to upload to.", stage=stage)

    def _exchange(
        self, method: str, url: str, body: Body | None, fields: Mapping[str, str], seconds: float
    ) -> Answer:
        size = body.size if body else 0
        kind = {"Content-Type": body.kind} if body else {}
        pieces: Iterator[bytes] | None = body.pieces() if body else None
        request = Request(method=method, url=url, headers={**fields, **kind}, body=pieces, size=size)
        started = time.monotonic()
        status = "no answer"
        try:
            answer = self._line.exchange(request, seconds + size / PER_SECOND)
            status = str(answer.status)
        finally:
            self._tell(method, url, size, status, time.monotonic() - started)
        return answer

    def _tell(self, method: str, url: str, size: int, status: str, seconds: float) -> None:
        if self._trace is not None:  # without the query: an upload's address has its proof there
            path = urlsplit(url).path
            shown = path if path.startswith("/v1.0/") else "(upload)"
            self._trace(f"{method} {shown} {size:,} octets: {status}, {seconds:.3f} s")


def _without(answer: Answer, *proofs: str) -> Answer:
    """Return *answer* without what proved the request, which a server may repeat in its words."""
    body = answer.body
    for proof in filter(None, proofs):
        body = body.replace(proof.encode(), b"[secret]")
    return answer if body is answer.body else attrs.evolve(answer, body=body)


def _values(query: str) -> list[str]:
    """Return what stands in the *query* of an upload's address, as it stands and read; short words are no proof."""
    raw = [pair.partition("=")[2] for pair in query.split("&")]
    return [value for value in (*raw, *map(unquote, raw)) if len(value) >= _SHORTEST_PROOF]
