"""`pillarbox demo`: a company and three users send real mail to a server on this computer."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from .._attachment import Attachment
from .._errors import PillarboxError, Unavailable
from .._message import Message
from ._app import State
from ._output import json_option, label, plain, print_json, say

USERS = ("anna", "otto", "carl")
CUSTOMER = "ap@customer.example"
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
password = {{ file = "{folder}/orders.password" }}

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
password = {{ file = "{folder}/otto.password" }}

# Carl chose Personal, and no method yet.
[users.carl]
address = "carl@acme.example"
name = "Carl Weber"
settings = "personal"
"""


@click.command("demo")
@click.option(
    "--keep", is_flag=True, help="Leave the server and the settings up, to play with, until Ctrl-C."
)
@json_option
@click.pass_obj
def command(state: State, keep: bool) -> int:
    """Start a mail server on this computer, set up a company and three users, and send a message for each.

    Nothing leaves this computer. Exits with 0 only if what arrived is what had to arrive.

    \b
    Examples:
      pillarbox demo
      pillarbox demo --keep
    """
    server_class = _server_class()
    with _folder(keep=keep) as folder, server_class() as server:
        config = _write(folder, server)
        story = Story(config, server, quiet=state.json)
        story.tell()
        if state.json:
            print_json(story.facts())
        if keep and not state.json:
            _keep(config, server)
    return 0 if not story.differences else 1


def _server_class() -> Any:
    try:
        from ._demo_server import DemoServer
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "aiosmtpd":
            raise
        raise Unavailable(
            "The demo needs aiosmtpd.", cure="Install it with: pip install 'pillarbox[cli]'"
        ) from None
    from .._plugins import Plugins

    _ = Plugins()["smtp"]
    return DemoServer


@contextlib.contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        yield Path(tempfile.mkdtemp(prefix="pillarbox-demo-"))
        return
    with tempfile.TemporaryDirectory(prefix="pillarbox-demo-") as name:
        yield Path(name)


def _write(folder: Path, server: Any) -> Path:
    """Write the settings file and its passwords, owner-only, and return the file's path."""
    for name, password in server.passwords.items():
        _write_private(folder / f"{name.partition('@')[0]}.password", password + "\n")
    config = folder / "pillarbox.toml"
    _write_private(config, SETTINGS.format(port=server.port, folder=folder.as_posix()))
    return config


def _write_private(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text, "utf-8")


class Story:
    """What the demo does and says.

    Attributes:
        differences: What was not as it had to be; sentences.
    """

    def __init__(self, config: Path, server: Any, *, quiet: bool) -> None:
        from .._mailer import Mailer

        self.mailer = Mailer.open(config)
        self.server = server
        self.quiet = quiet
        self.results: list[dict[str, Any]] = []
        self.differences: list[str] = []

    def tell(self) -> None:
        """Send for each user, then show what arrived."""
        self._say(f"A mail server is up on this computer, at 127.0.0.1:{self.server.port}.")
        self._say("Acme Ltd sends by SMTP as orders@acme.example, and has three users.")
        for user in USERS:
            self._one(user)
        self.mailer.close()
        self._arrived()
        self._compare()
        for difference in self.differences:
            self._say(label(f"Not as it should be: {difference}", "red"))
        if not self.differences:
            self._say(
                "\nTwo left from the right account with the right address, and one was refused, with the cure."
            )

    def _one(self, user: str) -> None:
        self._say(f"\n{label(user, 'cyan')}")
        result: dict[str, Any] = {"user": user}
        self.results.append(result)
        try:
            route = self.mailer.explain(user)
            result["route"] = route
            self._explain(route)
            receipt = self.mailer.send(invoice(user), user=user)
        except PillarboxError as error:
            result["error"] = error
            self._say(f"  Refused. {error.detail}")
            self._say("    " + error.cure.replace(", or ", "\n    or "))
        else:
            result["receipt"] = receipt
            self._say(f"  {label('Accepted', 'green')} by 127.0.0.1 as {receipt.reference}.")

    def _explain(self, route: Any) -> None:
        for number, reason in enumerate(route.reasons, 1):
            self._say(f"  {number}  {reason.text}")

    def _arrived(self) -> None:
        self._say(f"\nWhat arrived for {CUSTOMER}")
        for mail in self.server.mails:
            self._say(f"  From {mail.shown}")
            self._say(f"       signed in as {mail.signed_in_as}, envelope sender {mail.envelope_sender}")
            self._say(f"       {mail.subject}, with {mail.attachment} ({mail.attachment_size:,} bytes)")

    def _compare(self) -> None:
        """Hold what arrived against what the rules say."""
        wanted = [
            ("Anna Berg <anna@acme.example>", "anna@acme.example", "orders@acme.example"),
            ("Otto Lind <otto@acme.example>", "otto@acme.example", "otto@acme.example"),
        ]
        found = [(mail.shown, mail.envelope_sender, mail.signed_in_as) for mail in self.server.mails]
        if found != wanted:
            self.differences.append(f"what arrived is {found}, and had to be {wanted}")
        sizes = {mail.attachment_size for mail in self.server.mails} - {len(PDF)}
        if sizes:
            self.differences.append(f"an attachment arrived with {sizes} bytes in the place of {len(PDF)}")
        if type(self.results[-1].get("error")).__name__ != "NoMethod":
            self.differences.append("Carl, whose method is None, was not refused for it")

    def _say(self, text: str) -> None:
        if not self.quiet:
            say(text)

    def facts(self) -> dict[str, Any]:
        """Return the whole story as plain values."""
        from .explain import as_json

        results = [
            {
                "user": one["user"],
                "route": as_json(one["route"]) if "route" in one else None,
                "receipt": plain(one.get("receipt")),
                "error": {
                    "kind": type(one["error"]).__name__,
                    "detail": one["error"].detail,
                    "cure": one["error"].cure,
                }
                if "error" in one
                else None,
            }
            for one in self.results
        ]
        return {"results": results, "arrived": plain(self.server.mails), "differences": self.differences}


def invoice(user: str) -> Message:
    """Return the message that *user* sends."""
    return Message(
        to=[CUSTOMER],
        subject=f"Invoice 1001 from {user}",
        text="Good morning,\n\nplease find our invoice attached.\n",
        attachments=[Attachment("invoice-1001.pdf", PDF, "application/pdf")],
        reference="INV-1001",
    )


def _pdf() -> bytes:
    """Return a PDF of one page that says Invoice 1001."""
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


def _keep(config: Path, server: Any) -> None:
    say(f"\nThe server stays up, and the settings in {config}. In another terminal:\n")
    say(f"  export PILLARBOX_CONFIG={config}")
    say("  pillarbox explain anna")
    say("  pillarbox check otto")
    say(
        f"  pillarbox user set carl --method smtp --server 127.0.0.1 --port {server.port} --encryption none \\"
    )
    say(f"      --username carl@acme.example --password-file {config.parent}/carl.password")
    say("  pillarbox send --user carl --to ap@customer.example --subject Hello --text 'Good morning'\n")
    say("What arrives is shown here. Ctrl-C ends it.")
    shown = len(server.mails)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for mail in server.mails[shown:]:
                say(f"  {mail.subject}: from {mail.shown}, signed in as {mail.signed_in_as}")
            shown = len(server.mails)
            time.sleep(0.2)
