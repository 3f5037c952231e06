"""Answers what is asked at an upload session's own address, which needs no token and takes none."""

from __future__ import annotations

import hmac

from .._http.values import Call, Reply
from ._errors import GraphError
from ._office import Office
from ._routes import Route
from ._uploads import Upload


def answer(office: Office, call: Call, route: Route) -> Reply:
    """Take a range, tell how far the upload is, or give it up.

    Raises:
        GraphError: The address is not good, a token came with it, or the range is not the next.
    """
    upload = _upload(office, call, route)
    if route.action == "give up":
        del office.uploads[upload.id]
        return Reply(204)
    if route.action == "progress":
        return Reply.json(upload.progress())
    if not upload.take(call.headers.get("content-range", ""), call.body):
        return Reply.json(upload.progress())
    del office.uploads[upload.id]
    if upload.item not in office.mailboxes[route.owner].items:
        raise GraphError(404, "ErrorItemNotFound")
    file = upload.file()
    upload.item.files.append(file)
    upload.item.mime = None
    session = call.target.partition("/AttachmentSessions(")[0]
    return Reply(201, b"", {"Location": f"{office.url()}{session}/Attachments('{file.id}')"})


def _upload(office: Office, call: Call, route: Route) -> Upload:
    if "authorization" in call.headers:
        raise GraphError(
            401, "InvalidAuthenticationToken", "The address of an upload takes no Authorization header."
        )
    upload = office.uploads.get(route.file)
    if upload is not None and upload.ends <= office.clock():
        office.uploads.pop(upload.id)
        upload = None
    if upload is None or not hmac.compare_digest(upload.secret, call.asked.get("authtoken", "")):
        raise GraphError(404, "ErrorItemNotFound", "The upload session is over, or never was.")
    return upload
