"""A connector as a distribution would bring one, its provider in memory, and a mailer of one company that uses both."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import attrs

from pillarbox import (
    Actor,
    Capabilities,
    Company,
    Connected,
    Connection,
    Connector,
    Finding,
    Grant,
    Held,
    Level,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Pending,
    Plugins,
    Prompt,
    Receipt,
    Refused,
    RefusedReason,
    Role,
    Secret,
    SenderPolicy,
    SendRejected,
    SettingsError,
    SignInNeeded,
    Transport,
    User,
)
from pillarbox.settings import setting

ORDERS, ANNA, OTTO = "orders@acme.example", "anna@acme.example", "otto@acme.example"
ADMIN = Actor("root", Role.ADMINISTRATOR)
AS_OTTO = Actor("otto", Role.OWNER)
SEND, LOOK = "mail.send", "mail.look"
OURS = "https://erp.acme.example/back"
MARK = "canary"
"""Stands in each secret: the state's, the code's, what is kept, the tokens'."""


class Provider:
    """Signs people in, gives out tokens, and takes them back.

    Attributes:
        people: Address -> the provider's own name of the person.
        here: Who is in front of the browser.
        allows: The scopes that this person ticks; all that are asked for by default.
        lifetime: Seconds for which a token is good.
        says: What the next calls end in, by the call's name, in the place of an answer.
        codes: The codes that were given out and not used yet, with what they stand for.
        dead: The refresh tokens that are worth nothing any more.
        calls: What was asked, in order.
    """

    def __init__(self):
        self.people = {ORDERS: "1", ANNA: "2", OTTO: "3"}
        self.here = ORDERS
        self.allows = None
        self.lifetime = 3600.0
        self.says = {}
        self.codes = {}
        self.dead = set()
        self.calls = []
        self.lock = threading.Lock()

    def heard(self, call):
        with self.lock:
            self.calls.append(call)
            number = len(self.calls)
        if call in self.says:
            raise self.says[call]
        return number

    def page(self, url):
        """Return the redirect that follows when the person at the page *url* agrees."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"{MARK}-code-{self.heard('page')}"
        scopes = asked["scope"].split() if self.allows is None else self.allows
        self.codes[code] = (self.here, scopes)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def tokens(self, call, seconds=None):
        number = self.heard(call)
        end = time.time() + (self.lifetime if seconds is None else seconds)
        return {"refresh": f"{MARK}-refresh-{number}", "token": f"{MARK}-token-{number}", "end": end}

    @property
    def refreshed(self):
        return self.calls.count("refresh")

    @property
    def revoked(self):
        return self.calls.count("revoke")


@attrs.frozen(kw_only=True)
class TestmailApp:
    """What the deployer says of the registration."""

    __test__ = False
    client_id: str = setting(help="The name under which the application is registered.", binds=True)
    tenant: str = setting("common", help="The organisation.")
    secret: Secret | None = setting(None, help="The application's own secret.")
    hosts: tuple[str, ...] = setting((), help="More servers that a token may be shown to.", advanced=True)


class TestmailConnector(Connector):
    """The sign-in of the provider Testmail."""

    __test__ = False
    app: TestmailApp
    label = "Testmail"
    has_codes = True
    provider: Provider

    def start(self, app, asked):
        self.provider.heard("start")
        kept = f"{MARK}-kept-{len(self.provider.calls)}".encode()
        if app.settings.tenant == "ambient":
            return Prompt(kept=kept)
        if asked.redirect_uri is None:
            return Prompt(url="https://testmail.example/device", code="ABCD-EFGH", interval=0.01, kept=kept)
        query = {
            "redirect_uri": asked.redirect_uri,
            "state": asked.state,
            "scope": " ".join(self.wanted(app, asked)),
        }
        return Prompt(url=f"https://testmail.example/authorize?{urlencode(query)}", kept=kept)

    def finish(self, app, asked, kept, callback):
        assert kept.startswith(b"canary-kept")
        if callback is None:
            self.provider.heard("poll")
            if "waiting" in self.provider.says:
                return Pending(self.provider.says["waiting"])
            return self._connected(self.provider.here, self.wanted(app, asked))
        if callback.get("error") == "access_denied":
            return Refused(reason=RefusedReason.CANCELLED)
        if "error" in callback:
            return Refused(reason=RefusedReason.FAILED, detail=callback["error"])
        found = self.provider.codes.pop(callback.get("code", ""), None)
        return self._connected(*found) if found else Refused(reason=RefusedReason.FAILED, detail="bad code")

    def _connected(self, who, scopes):
        subject = self.provider.people[who]
        learned = Connection(issuer="https://testmail.example", subject=subject, address=who, scopes=scopes)
        return Connected(connection=learned, secret=json.dumps(self.provider.tokens("finish")).encode())

    def wanted(self, app, asked):
        return (SEND, LOOK) if asked.grant is Grant.CONFIRM else (SEND,)

    def held(self, app, secret, purpose):
        kept = json.loads(secret)
        return Held(kept["token"], kept["end"])

    def refresh(self, app, secret, purpose):
        before = json.loads(secret)["refresh"]
        if before in self.provider.dead:
            self.provider.heard("refresh")
            raise SignInNeeded("Testmail ended the grant.", stage="sign-in", cure="Connect again.")
        fresh = self.provider.tokens("refresh")
        self.provider.dead.add(before)
        return json.dumps(fresh).encode()

    def revoke(self, app, secret):
        self.provider.heard("revoke")
        self.provider.dead.add(json.loads(secret)["refresh"])
        return True

    def consent_url(self, app, redirect_uri, state):
        return f"https://testmail.example/{app.settings.tenant}/consent?{urlencode({'state': state})}"

    def hosts(self, app, purpose):
        return ("Mail.Testmail.example", *app.settings.hosts)

    def check(self, app, connection, *, mailbox=""):
        yield Finding(
            "registration", Level.OK, "registration-known", f"Testmail knows {app.settings.client_id}"
        )


@attrs.frozen(kw_only=True)
class TestmailSettings:
    """What the account says."""

    __test__ = False
    mailbox: str = setting("", help="Another mailbox than the owner's own.")
    base: str = setting("https://api.testmail.example", binds=True)


class TestmailTransport(Transport):
    """Sends with a token, and notes with which."""

    __test__ = False
    settings: TestmailSettings
    label = "Testmail"
    sender_policy = SenderPolicy.ACCOUNT
    connector = "testmail"
    seen: list

    def send(self, submission, journal):
        token = self.credentials.token()
        with journal.handing_over():
            self.seen.append(token)
            return Receipt(submission.message_id)

    @classmethod
    def capabilities(cls, connection):
        can_look = connection is not None and LOOK in connection.scopes
        return Capabilities(find=can_look, note="" if can_look else "it can't look whether a mail was sent")


class OtherTransport(TestmailTransport):
    """Signs in with nothing."""

    settings: TestmailSettings
    connector = ""

    def send(self, submission, journal):
        raise SendRejected("no")


def known(provider, **more):
    """Return what is installed: the method and its connector, bound to *provider*."""
    connector = type("Bound", (TestmailConnector,), {"provider": provider})
    transport = type("BoundTransport", (TestmailTransport,), {"seen": []})
    return Plugins(
        extra={"testmail": transport, "plain": OtherTransport}, connectors={"testmail": connector}, **more
    )


def office(provider, *, vault=None, app=None, companies=None, **more):
    """Return a mailer of a company and of Otto, who both use Testmail; Anna is From company."""
    company = Company(address=ORDERS, name="Acme Ltd", method="testmail")
    anna = User(id="anna", address=ANNA, name="Anna Berg")
    otto = User(id="otto", address=OTTO, name="Otto Lind", choice="personal", method="testmail")
    found = companies or MemoryDirectory(company, [anna, otto], plugins=known(provider))
    apps = {"testmail": {"client_id": "a-host"} if app is None else app}
    return Mailer(
        found, vault=MemoryVault() if vault is None else vault, plugins=known(provider), apps=apps, **more
    )


def signed_in(mailer, provider, user=None, *, who=None, by=ADMIN, **asked):
    """Return what comes of a whole sign-in by redirect."""
    provider.here = who or {None: ORDERS, "otto": OTTO}[user]
    prompt = mailer.connect(user, by=by, redirect_uri=OURS, **asked)
    return mailer.finish_connect(provider.page(prompt.url), by=by)


def rows(mailer):
    """Return every row of the vault."""
    return [mailer.vault.rows.load(name) for name in mailer.vault.names()]


def failing(error=SettingsError):
    """Return a registration's refusal."""
    return error("Testmail does not know this application.", cure="Look at client_id.")
