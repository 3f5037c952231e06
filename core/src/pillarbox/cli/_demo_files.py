"""What the demo writes: a settings file with a company and three users, their passwords, and an invoice as PDF."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from .._attachment import Attachment
from .._message import Message
from .._owner_only import create

CUSTOMER = "ap@customer.example"
INVOICE = "invoice-1001.pdf"
SETTINGS = """\
# The company sends by SMTP. Passwords are never in this file, only where they are found.
[company]
address = "orders@acme.example"
name = "Acme Ltd"
method = "smtp"

[company.smtp]
server = "127.0.0.1"
port = {port}
encryption = "none"          # this computer only; anywhere else: starttls or tls
username = "orders@acme.example"
password = {{ file = {orders} }}

# Anna uses the company's account (From company).
[users.anna]
address = "anna@acme.example"
name = "Anna Berg"

# Otto has a login of his own (Personal).
[users.otto]
address = "otto@acme.example"
name = "Otto Lind"
settings = "personal"
method = "smtp"

[users.otto.smtp]
server = "127.0.0.1"
port = {port}
encryption = "none"
username = "otto@acme.example"
password = {{ file = {otto} }}

# Carl chose Personal, and no method yet.
[users.carl]
address = "carl@acme.example"
name = "Carl Weber"
settings = "personal"
"""


def write(folder: Path, port: int, passwords: Mapping[str, str]) -> Path:
    """Write settings for a server at *port*, and the *passwords* by address, owner-only; return the settings' path."""
    places = {}
    for address, password in passwords.items():
        name = address.partition("@")[0]
        path = folder / f"{name}.password"
        _write_private(path, password + "\n")
        places[name] = json.dumps(path.as_posix())  # text in JSON is text in TOML
    config = folder / "pillarbox.toml"
    _write_private(config, SETTINGS.format(port=port, **places))
    return config


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(create(path), "w", encoding="utf-8") as file:
        file.write(text)


def invoice(user: str) -> Message:
    """Return the message that *user* sends."""
    return Message(
        to=[CUSTOMER],
        subject=f"Invoice 1001 from {user}",
        text="Good morning,\n\nplease find our invoice attached.\n",
        attachments=[Attachment(INVOICE, PDF, "application/pdf")],
        reference="INV-1001",
    )


def _pdf() -> bytes:
    """Return a PDF of one page (ISO 32000-1 7.5) that says Invoice 1001."""
    text = b"BT /F1 24 Tf 72 760 Td (Acme Ltd) Tj 0 -36 Td (Invoice 1001) Tj 0 -36 Td (EUR 1,250.00) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


PDF = _pdf()
