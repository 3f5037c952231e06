"""Reads composed bytes back, by the parsers of two other projects: the standard library and npm mailparser."""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
import threading
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import attrs

from pillarbox import Address

HERE = Path(__file__).parent / "mailparser"
CACHE = HERE / ".cache"


@attrs.frozen
class File:
    """An attachment as a reader sees it."""

    filename: str | None
    kind: str
    disposition: str | None
    cid: str | None
    content: bytes


@attrs.frozen(kw_only=True)
class Seen:
    """A message as a reader sees it; line breaks of texts as LF, without those at the end."""

    sender: list[tuple[str, str]]
    to: list[tuple[str, str]]
    cc: list[tuple[str, str]]
    bcc: list[tuple[str, str]]
    reply_to: list[tuple[str, str]]
    subject: str
    message_id: str | None
    in_reply_to: str | None
    references: list[str]
    text: str | None
    html: str | None
    files: list[File]
    headers: dict[str, str] = attrs.field(factory=dict)
    """Decoded; mailparser leaves those it does not know as they are, so they are not taken from it."""


def by_stdlib(octets: bytes) -> Seen:
    """Return what `email.parser` with `policy.default` makes of *octets*, which must have no defect for it."""
    email = message_from_bytes(octets, policy=policy.default)
    assert isinstance(email, EmailMessage)
    parts = [part for part in email.walk() if not part.is_multipart() or _is_message(part)]
    assert not [defect for part in parts for defect in part.defects]
    return Seen(
        sender=_mailboxes(octets, "From"),
        to=_mailboxes(octets, "To"),
        cc=_mailboxes(octets, "Cc"),
        bcc=_mailboxes(octets, "Bcc"),
        reply_to=_mailboxes(octets, "Reply-To"),
        subject=str(email["Subject"] or ""),
        message_id=email["Message-ID"],
        in_reply_to=email["In-Reply-To"],
        references=(email["References"] or "").split(),
        text=_text(email, "text/plain"),
        html=_text(email, "text/html"),
        files=[_file(part) for part in parts if part.get_content_disposition()],
        headers={name.lower(): str(value) for name, value in email.items()},
    )


def _is_message(part: EmailMessage) -> bool:
    return part.get_content_maintype() == "message"


def _mailboxes(octets: bytes, name: str) -> list[tuple[str, str]]:
    """Return the mailboxes of the field *name*, by the older parser.

    `policy.default` puts a space between adjacent encoded words of a display name (cpython gh-128110), makes one
    space of several, and leaves UTF-8 in an addr-spec undecoded.
    """
    fields = dict(message_from_bytes(octets, policy=policy.compat32).raw_items())
    field = re.sub(r"\r?\n", "", fields.get(name, ""))
    found = [one for one in getaddresses([field]) if one[1]]
    return [(str(make_header(decode_header(shown))), _decoded(address)) for shown, address in found]


def _decoded(address: str) -> str:
    return address.encode("ascii", "surrogateescape").decode("utf-8")


def _text(email: EmailMessage, kind: str) -> str | None:
    for part in email.walk():
        if part.get_content_type() == kind and not part.get_content_disposition():
            octets = part.get_payload(decode=True)
            assert isinstance(octets, bytes)
            return shown(octets.decode("utf-8"))
    return None


def shown(text: str) -> str:
    """Return *text* with its line breaks as LF, and none at its end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def _file(part: EmailMessage) -> File:
    cid = part["Content-ID"]
    return File(
        part["Content-Disposition"].params.get("filename"),  # get_filename() strips spaces
        part.get_content_type(),
        part.get_content_disposition(),
        str(cid).strip("<>") if cid else None,
        _octets(part),
    )


def _octets(part: EmailMessage) -> bytes:
    inner = part.get_payload(0) if _is_message(part) else None
    octets = inner.as_bytes() if isinstance(inner, Message) else part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets


def by_mailparser(octets: bytes) -> Seen:
    """Return what npm mailparser makes of *octets*."""
    mail = _node().ask(octets)
    return Seen(
        sender=_pairs(mail["from"]),
        to=_pairs(mail["to"]),
        cc=_pairs(mail["cc"]),
        bcc=_pairs(mail["bcc"]),
        reply_to=_pairs(mail["reply_to"]),
        subject=mail["subject"],
        message_id=mail["message_id"],
        in_reply_to=mail["in_reply_to"],
        references=mail["references"],
        text=None if mail["text"] is None else shown(mail["text"]),
        html=None if mail["html"] is None else shown(mail["html"]),
        files=[
            File(
                one["filename"], one["kind"], one["disposition"], one["cid"], base64.b64decode(one["content"])
            )
            for one in mail["attachments"]
        ],
    )


def _pairs(found: list[list[str]]) -> list[tuple[str, str]]:
    """Return *found* with the domains as they are on the wire; mailparser shows them decoded."""
    return [(name, Address(address).wire) for name, address in found]


class _Node:
    """One node process that parses for all the tests of this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            ["node", "parse.mjs"], cwd=_installed(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        atexit.register(self._end)

    def ask(self, octets: bytes) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._process.stdin.write(base64.b64encode(octets) + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"node ended with {self._process.wait(timeout=10)}; its words are above.")
        found: dict[str, Any] = json.loads(answer)
        return found

    def _end(self) -> None:
        self._process.communicate(timeout=10)


@functools.cache
def _node() -> _Node:
    return _Node()


def _installed() -> Path:
    """Return the folder that holds the script and its package, installed now unless it was before.

    Raises:
        FileNotFoundError: There is no npm.
    """
    sources = [HERE / "package.json", HERE / "parse.mjs"]
    state = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    folder = CACHE / state
    if not folder.exists():
        _install(sources, folder)
    return folder


def _install(sources: list[Path], folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("These tests read mail by npm mailparser too: apt-get install nodejs npm")
    CACHE.mkdir(exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=CACHE))
    for source in sources:
        shutil.copy(source, unfinished)
    command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    subprocess.run(command, cwd=unfinished, check=True, timeout=100)
    try:
        unfinished.rename(folder)
    except OSError:  # another test process was first
        shutil.rmtree(unfinished)
