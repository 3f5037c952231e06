"""The Gmail API as a transport uses it: a token for each request, an outcome for each answer, told by what it was for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from pillarbox import Credentials, OutcomeUnknown, SendDeferred, SignInNeeded

from .app import GmailApp
from .exchange import Answer, Broken, Pieces
from .meanings import refusal
from .waiting import wait_asked
from .wire import Wire

SLOWEST = 100_000.0
"""Octets a second: the slowest line that a message gets the time for."""
JSON = {"Content-Type": "application/json"}
Body = bytes | Pieces | None


def path(*segments: str, **query: str) -> str:
    """Return a path below the mailbox of who signed in; what stands in a segment can't leave it.

    Everything but letters, digits and `-_~` is percent-encoded, dots of `.` and `..` too.
    """
    whole = "/".join(quote(one, safe="").replace(".", "%2E") for one in segments)
    return f"/gmail/v1/users/me/{whole}" + (f"?{urlencode(query)}" if query else "")


class Api:
    """Requests to the Gmail API in the name of one account, for one thread at a time.

    Args:
        app: Where it is.
        credentials: Gives the tokens.
        timeout: Seconds for one exchange.
        trace: Takes a line for each request and each answer.
    """

    def __init__(
        self,
        app: GmailApp,
        credentials: Credentials,
        timeout: float,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.root = app.api
        self._credentials = credentials
        self._wire = Wire(app.ca_file, timeout, trace)
        self._token = ""
        self.date = ""
        """When the last answer was made, as Gmail says; "" before one came."""

    def begin(self) -> None:
        """Get the token that the next requests are made with.

        Raises:
            SignInNeeded, SettingsError, SendDeferred: There is none.
        """
        token = self._credentials.token()
        if not token.isascii() or not token.isprintable() or " " in token:
            raise SendDeferred("Google gave a token that can't be sent; nothing left.", stage="sign-in")
        self._token = token

    def prepare(self) -> None:
        """See that there is a connection.

        Raises:
            SendDeferred: None came about; nothing left.
        """
        self._wire.prepare(self.root)

    def close(self) -> None:
        """Let the connection go."""
        self._wire.close()

    def ask(
        self, method: str, where: str, *, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the answer to a request; one that refuses the token is made once again with another (rule 24).

        Args:
            method: Of HTTP.
            where: A path, or a URL below the API's root.
            body: What is sent.
            headers: More of them.

        Raises:
            Broken: No valid answer came.
            SendDeferred: No connection came about, or no other token now.
            SignInNeeded: The token was refused, and so was another, or there is no other.
        """
        answer = self._asked(method, where, body, headers)
        self.date = answer.headers.get("date", "")
        if answer.status != 401:
            return answer
        self._credentials.refuse(self._token)
        self.begin()
        answer = self._asked(method, where, body, headers)
        if answer.status == 401:
            self._credentials.refuse(self._token)
            raise SignInNeeded(
                "Gmail does not accept the sign-in, nor a new token of it; nothing left.",
                code="401",
                stage="sign-in",
                cure="Connect again.",
            )
        return answer

    def look(
        self, method: str, where: str, *, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """As `ask`, for a step that submits nothing and can be repeated at any time: what was done or refused comes back.

        Raises:
            SendDeferred: None came; nothing left.
            SignInNeeded: As `ask`.
        """
        try:
            answer = self.ask(method, where, body=body, headers=headers)
        except Broken as error:
            raise SendDeferred(f"Gmail was asked, and {error.how}; nothing left.", stage="draft") from None
        if answer.status == 408 or answer.status // 100 not in {2, 4}:
            raise SendDeferred(
                f"Gmail answered {answer.status}; nothing left.",
                code=str(answer.status),
                stage="draft",
                retry_after=wait_asked(answer),
            )
        return answer

    def submit(
        self, method: str, where: str, *, body: Body, headers: Mapping[str, str]
    ) -> dict[str, Any] | Answer:
        """Make the request that submits: return the message as Gmail has it, or the answer that refuses it.

        Raises:
            OutcomeUnknown: No complete, valid answer came (rule 20).
            SendDeferred: No connection came about; nothing left.
            SignInNeeded: As `ask`; nothing left.
        """
        try:
            answer = self.ask(method, where, body=body, headers=headers)
        except Broken as error:
            raise unknown(error.how) from None
        return understood(answer)

    def json(self, value: Mapping[str, Any]) -> bytes:
        """Return *value* as the body of a request."""
        return json.dumps(value).encode()

    def _asked(self, method: str, where: str, body: Body, headers: Mapping[str, str] | None) -> Answer:
        url = where if where.startswith("http") else self.root + where
        named = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        return self._wire.ask(method, url, headers=named, body=body, seconds=len(body or b"") / SLOWEST)


def understood(answer: Answer) -> dict[str, Any] | Answer:
    """Return what the answer to a submission means: the message as Gmail has it, or the answer that refuses it.

    Raises:
        OutcomeUnknown: It means neither.
    """
    if answer.status == 200:
        told = answer.told
        if told is None or not isinstance(told.get("id"), str) or not told["id"]:
            raise unknown("its answer can't be read")
        return told
    if 400 <= answer.status < 500 and answer.status != 408:
        return answer
    raise unknown(f"it answered {answer.status}", str(answer.status))


def unknown(how: str, code: str = "") -> OutcomeUnknown:
    """Return that a message was handed over and *how* nobody knows what became of it."""
    return OutcomeUnknown(
        f"The message was handed over to Gmail, and {how}; whether it was sent is not known.",
        code=code,
        stage="submission",
    )


def required(answer: Answer, stage: str) -> dict[str, Any]:
    """Return the JSON object of an *answer* that has to be 200.

    Raises:
        PillarboxError: It is a refusal: see `refusal`.
        SendDeferred: It can't be read.
    """
    if answer.status != 200:
        raise refusal(answer, stage)
    told = answer.told
    if told is None:
        raise SendDeferred("Gmail's answer can't be read; nothing left.", stage=stage)
    return told
