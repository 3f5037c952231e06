"""A company with its pages: real settings, a real outbox, a real SMTP server on loopback that knows passwords."""

from __future__ import annotations

import contextlib
import re
import socket

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from starlette.testclient import TestClient

from pillarbox import Company, Mailer, MemoryDirectory, MemoryVault, Message, Plugins, Role, User
from pillarbox.outbox import SqliteOutbox
from pillarbox.testing import MemoryConnector
from pillarbox.testing._connector import ConnectedTransport
from pillarbox_smtp import SmtpTransport
from pillarbox_web import Person, app

ORDERS, ANNA, OTTO = "orders@acme.example", "anna@acme.example", "otto@acme.example"
PETRA = Person(user="petra", role=Role.ADMINISTRATOR)
PEOPLE = {
    "petra": PETRA,
    "anna": Person(user="anna"),
    "otto": Person(user="otto"),
    "nobody": None,
    "petra-de": attrs.evolve(PETRA, language="de"),
}
SECRET = "hunter2-never-shown"


class MailServer:
    """Takes mail of whoever signs in with a password it knows."""

    def __init__(self) -> None:
        self.passwords = {ORDERS: SECRET, ANNA: SECRET}
        self.taken: list[Envelope] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._controller = Controller(
            self,
            "127.0.0.1",
            port,
            server_hostname="localhost",
            authenticator=self.knows,
            auth_require_tls=False,
        )
        self.port = port

    def knows(self, server, session, envelope, mechanism, data) -> AuthResult:
        ok = self.passwords.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=ok, handled=False)

    async def handle_DATA(self, server, session: Session, envelope: Envelope) -> str:  # noqa: N802  (its name)
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        self.taken.append(envelope)
        return "250 OK taken"

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


@attrs.define
class World:
    """A host with the pages mounted at /mail."""

    mailer: Mailer
    server: MailServer
    site: object

    def browser(self, who: str, **more) -> Browser:
        return Browser(
            TestClient(self.site, base_url="https://erp.acme.example", follow_redirects=False), who, **more
        )

    def smtp(self, **more) -> dict[str, str]:
        """What somebody types for SMTP."""
        return {
            "method": "smtp",
            "smtp.server": "127.0.0.1",
            "smtp.encryption": "none",
            "smtp.port": str(self.server.port),
            "smtp.authenticate": "yes",
            **more,
        }

    def queue(self, user=None, **more):
        return self.mailer.enqueue(
            Message(to=["ap@customer.example"], subject="Invoice 1001", text="Hi", **more), user=user
        )

    @property
    def directory(self) -> MemoryDirectory:
        found = self.mailer.directory
        assert isinstance(found, MemoryDirectory)
        return found


class Browser:
    """One person's browser: it keeps cookies, and sends only forms that a page has shown."""

    def __init__(self, client: TestClient, who: str, **headers: str) -> None:
        self.client, self.headers = client, {"x-who": who, **headers}

    def get(self, path: str, **more):
        return self.client.get(f"/mail{path}", headers=self.headers, **more)

    def token(self, page: str) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get(page).text)
        return found[1] if found else ""

    def post(self, path: str, data=None, *, page: str = "", **headers: str):
        """Send the form of *page*, by default the one at *path*."""
        form = {"token": self.token(page or path), **(data or {})}
        return self.client.post(f"/mail{path}", data=form, headers={**self.headers, **headers})

    def save(self, path: str, data, **more):
        """Fill the settings' form in as it is shown, with *data* typed over it, and send it."""
        shown = fields_of(self.get(path).text)
        return self.post(path, {**shown, **data}, **more)


def fields_of(page: str) -> dict[str, str]:
    """Return what the settings' form of *page* would send: its first form of class settings."""
    body = page.split('class="settings"', 1)[1].split("</form>", 1)[0]
    found = {}
    for tag in re.findall(r"<input[^>]*>", body):
        named = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if "name" in named and (named.get("type") not in {"radio", "checkbox"} or " checked" in tag):
            found[named["name"]] = named.get("value", "").replace("&#34;", '"').replace("&amp;", "&")
    for name, inside in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        found[name] = chosen[1] if chosen else ""
    return found


def plugins() -> Plugins:
    return Plugins(
        extra={"smtp": SmtpTransport, "connected": ConnectedTransport}, connectors={"memory": MemoryConnector}
    )


@contextlib.contextmanager
def world(folder, **more):
    """Yield a company that sends nothing yet, Anna and Otto From company, and their pages."""
    company = Company(address=ORDERS, name="Acme Ltd")
    users = [User(id="anna", address=ANNA, name="Anna Berg"), User(id="otto", address=OTTO, name="Otto Lind")]
    outbox = SqliteOutbox(folder / "outbox.sqlite3")
    mailer = Mailer(
        MemoryDirectory(company, users, plugins=plugins()),
        vault=MemoryVault(),
        outbox=outbox,
        private_networks=("127.0.0.0/8",),
        **more,
    )
    from starlette.applications import Starlette
    from starlette.routing import Mount

    pages = app(mailer, lambda request: PEOPLE[request.headers["x-who"]], secret=b"0123456789abcdef")
    with MailServer() as server, mailer:
        yield World(mailer, server, Starlette(routes=[Mount("/mail", pages)]))
