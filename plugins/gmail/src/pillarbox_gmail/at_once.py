"""Send only: the message goes in one request, or in chunks of which the last one submits."""

from __future__ import annotations

from typing import Any

from pillarbox import Journal, PillarboxError, SendDeferred

from .api import Api, path, understood, unknown
from .content import Content
from .exchange import Answer, Broken
from .meanings import refusal
from .upload import INCOMPLETE, LARGE, RFC822, Upload


class AtOnce:
    """One submission without a draft.

    Args:
        api: The account's.
        content: The message.
        journal: Of the attempt.
    """

    def __init__(self, api: Api, content: Content, journal: Journal) -> None:
        self._api = api
        self._content = content
        self._journal = journal

    def send(self) -> dict[str, Any]:
        """Return the message as Gmail has it after it was sent.

        Raises:
            PillarboxError: What the attempt ended in instead.
        """
        told = self._whole() if self._content.size <= LARGE else self._in_chunks()
        if isinstance(told, Answer):
            raise refusal(told, "content")
        return told

    def _whole(self) -> dict[str, Any] | Answer:
        where = f"/upload{path('messages', 'send')}?uploadType=media"
        self._api.prepare()  # what fails for lack of a connection fails before the hand-over
        with self._journal.handing_over():
            return self._api.submit("POST", where, body=self._content.all, headers={"Content-Type": RFC822})

    def _in_chunks(self) -> dict[str, Any] | Answer:
        upload = Upload(self._api, self._content, path("messages", "send"))
        upload.begin()
        early = upload.bring(upload.last)
        if early is not None:
            return understood(early)
        with self._journal.handing_over():
            return self._completed(upload)

    def _completed(self, upload: Upload) -> dict[str, Any] | Answer:
        """Bring the last chunk; where no answer comes, ask how far it came: an upload that is not whole is not sent."""
        try:
            answer = upload.complete()
            how = f"it answered {answer.status}"
        except Broken as error:
            answer, how = None, error.how
        if answer is None or answer.status >= 500 or answer.status == 408:
            answer = _looked(upload, how)
        if answer.status == INCOMPLETE:
            raise SendDeferred(
                f"The last piece of the message did not come to Gmail whole ({how}); nothing left.",
                stage="content",
            )
        return understood(answer)


def _looked(upload: Upload, how: str) -> Answer:
    """Return what the upload says; whatever does not say that it is incomplete, or sent, leaves it unknown."""
    try:
        answer = upload.looked()
    except (Broken, PillarboxError):
        raise unknown(how) from None
    if answer.status in {200, 201, INCOMPLETE}:
        return answer
    raise unknown(how)
