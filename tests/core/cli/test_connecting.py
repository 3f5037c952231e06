"""`connect` and `disconnect`: what is asked, shown, waited for and told, and the codes they end with."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from pillarbox import MemoryVault, SendDeferred, Unavailable, _plugins
from pillarbox._connect import loopback
from pillarbox._plugins import Plugins
from tests.core.cli.conftest import write
from tests.core.cli.signing_in import Method, Signing, install, visit
from tests.core.signing_in import ANNA, LOOK, ORDERS, OTTO, SEND, Provider, failing

SETTINGS = """\
[company]
address = "orders@acme.example"
name = "Acme Ltd"
method = "testmail"

[apps.testmail]
client_id = "a-host"

[users.anna]
address = "anna@acme.example"
name = "Anna Berg"
method = "testmail"

[users.otto]
address = "otto@acme.example"
name = "Otto Lind"
settings = "personal"
method = "testmail"
"""
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def provider(tmp_path, tmp_path_factory, monkeypatch):
    """A provider whose distribution is installed for the length of a test, in an office whose file is written."""
    site = tmp_path_factory.mktemp("site")
    install(site)
    monkeypatch.syspath_prepend(str(site))
    _plugins.entry_points.cache_clear()
    monkeypatch.setattr(Signing, "provider", Provider())
    monkeypatch.setattr(Method, "seen", [])
    vault = MemoryVault()
    monkeypatch.setattr(Plugins, "vault", lambda self, beside, *_: vault)
    Signing.provider.vault = vault
    write(tmp_path, SETTINGS)
    yield Signing.provider
    _plugins.entry_points.cache_clear()


@pytest.fixture
def browser(provider, monkeypatch):
    """A browser in which the person agrees at once; it keeps the pages it was shown."""
    opened = []

    def browse(url):
        back = provider.page(url) if provider.allows != "nothing" else cancelled(url)
        thread = threading.Thread(target=lambda: opened.append(visit(back)), daemon=True)
        thread.start()

    monkeypatch.setattr(loopback, "browse", browse)
    return opened


def cancelled(url):
    """Return the redirect of a person who says no."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"


def test_the_company_is_connected_in_the_browser(invoke, browser):
    """The address is printed in any case, on standard error; what came of it, what is allowed, what happens next."""
    done = invoke("company", "connect")
    assert done.code == 0
    assert done.out == (
        "Connected as orders@acme.example.\n"
        "Allowed: send and confirm: it may also look whether a mail left, so it never sends one twice.\n"
        "Acme Ltd <orders@acme.example> sends through its own Testmail account.\n"
    )
    assert "    https://testmail.example/authorize?" in done.err
    assert "Waiting for the sign-in." in done.err
    assert "canary" not in done.out + done.err


def test_a_user_is_connected_and_hears_what_is_still_to_be_set(invoke, provider, browser):
    """Anna has an account of her own, and her e-mail setting is From company."""
    provider.here = ANNA
    done = invoke("user", "connect", "anna", "--grant", "send")
    assert done.code == 0
    assert "Allowed: send only: where the line breaks" in done.out
    assert done.out.endswith("To send by this account: pillarbox user set anna --settings personal\n")


def test_a_program_gets_one_document(invoke, browser):
    """As whom, with what, and the route."""
    found = invoke("company", "connect", "--json").json
    assert (found["connected"], found["address"], found["grant"]) == ("company", ORDERS, "confirm")
    assert found["scopes"] == [SEND, LOOK]
    assert found["route"]["account"]["mailbox"] == ORDERS
    assert found["problem"] is None


@pytest.mark.parametrize(
    ("given", "code", "words", "next_"),
    [
        (
            {"here": ANNA},
            "wrong-account",
            "anna@acme.example signed in, and the account is orders@acme.example.",
            "connect",
        ),
        (
            {"allows": [SEND]},
            "scope-missing",
            "did not allow all that is needed: mail.look.",
            "connect --grant send",
        ),
        ({"allows": "nothing"}, "cancelled", "The sign-in was cancelled.", "connect"),
    ],
)
def test_what_came_to_nothing_is_told_with_the_next_command(
    invoke, provider, browser, given, code, words, next_
):
    """A sentence, and 77; a program gets the reason too."""
    for name, value in given.items():
        setattr(provider, name, value)
    done = invoke("company", "connect")
    assert (done.code, done.out) == (77, "")
    assert words in done.err
    assert done.err.rstrip().endswith(f": pillarbox company {next_}")
    error = invoke("company", "connect", "--json").json["error"]
    assert (error["code"], error["exit"]) == (code, 77)


def test_no_browser_is_opened_where_none_is_wanted(invoke, provider, monkeypatch):
    """The person opens the printed address by themselves."""
    monkeypatch.setattr(loopback, "browse", lambda _: pytest.fail("opened"))
    monkeypatch.setattr(loopback.Listener, "wait", lambda self, finish, timeout: loopback.Pending())
    done = invoke("company", "connect", "--no-browser")
    assert done.code == 77
    assert "took too long" in done.err
    assert "add --device" in done.err


def test_a_code_is_shown_and_asked_for(invoke, provider):
    """On any device; a moment without a network ends nothing."""
    polls = []

    def poll(self, app, asked, kept, callback):
        polls.append(callback)
        if len(polls) == 1:
            return loopback.Pending(0.01)
        if len(polls) == 2:
            raise SendDeferred("Testmail is away.")
        return self._connected(ORDERS, (SEND, LOOK))

    provider_class = Signing
    before = provider_class.finish
    provider_class.finish = poll
    try:
        done = invoke("company", "connect", "--device")
    finally:
        provider_class.finish = before
    assert done.code == 0
    assert (
        "Open https://testmail.example/device on any device, and enter the code:\n\n    ABCD-EFGH\n"
        in done.err
    )
    assert polls == [None, None, None]


def test_a_provider_without_codes_says_what_to_use(invoke, provider, monkeypatch):
    """Google has none for mail."""
    monkeypatch.setattr(Signing, "has_codes", False)
    done = invoke("user", "connect", "otto", "--device")
    assert done.code == 78
    assert "pillarbox user connect otto --paste" in done.err
    assert provider.calls == []


def test_the_address_of_a_page_that_did_not_open_is_pasted(invoke, provider, browser, monkeypatch):
    """What is not it is asked for again, and used up by nobody."""
    told, pasted = [], []
    monkeypatch.setattr(loopback, "browse", lambda url: pasted.append(provider.page(url)))

    class Keyboard:
        lines = iter(["https://testmail.example/authorize", "http://localhost:1/?state=other&code=x"])

    def typed(prompt="", **_):
        told.append(prompt)
        return next(Keyboard.lines, None) or pasted[0]

    monkeypatch.setattr("click.prompt", typed)
    done = invoke("company", "connect", "--paste")
    assert done.code == 0, done.err
    assert pasted[0].startswith("http://localhost:1?")
    assert done.err.count("That is not it") == 2
    assert "a page does not open: that is as it should be" in done.err


def test_what_is_pasted_three_times_and_is_not_it(invoke, browser, monkeypatch):
    """Ends, and says that and no other reason."""
    monkeypatch.setattr(loopback, "browse", lambda _: None)
    done = invoke("company", "connect", "--paste", stdin="a\nb\nc\n")
    assert done.code == 77
    assert done.err.endswith(
        "What was pasted is not the address of that page. Begin again: pillarbox company connect --paste\n"
    )


def test_a_user_who_has_no_account_of_their_own(invoke, provider, tmp_path):
    """Who is From company, which is said as it is."""
    write(tmp_path, SETTINGS.replace('name = "Anna Berg"\nmethod = "testmail"', 'name = "Anna Berg"'))
    done = invoke("user", "connect", "anna")
    assert done.code == 78
    assert done.err.startswith(
        "Anna Berg has no account of their own: their method is None, and the company's"
    )


def test_an_administrators_page_is_shown(invoke, provider, monkeypatch):
    """And nobody is signed in."""
    opened = []
    monkeypatch.setattr(loopback, "browse", opened.append)
    done = invoke("company", "connect", "--admin-consent")
    assert done.out.startswith("https://testmail.example/common/consent?state=")
    assert [done.out.strip()] == opened
    assert (
        invoke("company", "connect", "--admin-consent", "--json").json["url"].startswith("https://testmail")
    )
    assert provider.calls == []


def test_two_ways_at_once_are_none(invoke, provider):
    """A mistake in the call."""
    assert invoke("company", "connect", "--device", "--paste").code == 64


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        (
            SETTINGS.replace('[apps.testmail]\nclient_id = "a-host"\n', ""),
            78,
            "No registration with Testmail",
        ),
        (SETTINGS.replace('method = "testmail"', 'method = "none"'), 78, "the company's method is None"),
        (SETTINGS.replace("client_id", "client"), 78, "apps.testmail.client"),
    ],
)
def test_what_can_not_be_connected_says_what_is_missing(invoke, provider, tmp_path, settings, code, words):
    """Before anybody is asked anything."""
    write(tmp_path, settings)
    done = invoke("company", "connect")
    assert (done.code, provider.calls) == (code, [])
    assert words in done.err


def test_without_a_vault_nobody_signs_in(invoke, provider, monkeypatch):
    """Where to get one."""
    monkeypatch.setattr(Plugins, "vault", lambda self, beside, *_: None)
    done = invoke("company", "connect")
    assert done.code == 69
    assert "pip install pillarbox-vault" in done.err


def test_a_provider_that_is_away(invoke, provider, browser):
    """Is tried later."""
    provider.says["start"] = SendDeferred("Testmail is away.")
    assert invoke("company", "connect").code == 75
    provider.says["start"] = failing()
    assert invoke("company", "connect").code == 78


def test_disconnecting_asks_and_says_what_waits(invoke, provider, browser):
    """No leaves it; yes tells the provider and destroys what is kept."""
    invoke("company", "connect")
    invoke("send", "--to", "a@customer.example", "--subject", "s", "--text", "t", "--queue")
    no = invoke("company", "disconnect", stdin="n\n")
    assert (no.code, no.out.strip()) == (1, "Nothing was changed.")
    assert "1 mail in the outbox can't leave until the account is connected again." in no.err
    assert "Disconnect Acme Ltd, which signs in as orders@acme.example?" in no.err
    yes = invoke("company", "disconnect", "--yes")
    assert (yes.code, yes.out) == (
        0,
        "Disconnected Acme Ltd; what was kept is destroyed. The provider was told.\n",
    )
    assert provider.vault.names() == []
    assert invoke("company", "disconnect").out == "Acme Ltd is not connected.\n"


def test_a_provider_that_was_not_told_is_named_as_such(invoke, provider, browser):
    """So that the person ends it there."""
    provider.here = OTTO
    invoke("user", "connect", "otto")
    provider.says["revoke"] = SendDeferred("away")
    found = invoke("user", "disconnect", "otto", "--yes", "--json").json
    assert found == {"disconnected": "user:otto", "revoked": False, "waiting": 0}


def test_mail_that_waited_goes_on(invoke, provider, browser):
    """What to do is said by status, with the command; then a worker sends it."""
    invoke("send", "--to", "a@customer.example", "--subject", "s", "--text", "t", "--queue")
    assert invoke("worker", "--drain").code == 77
    told = invoke("status")
    assert told.code == 77
    assert (
        "Needs whoever looks after orders@acme.example to connect it: pillarbox company connect." in told.out
    )
    done = invoke("company", "connect")
    assert done.out.endswith("1 mail that waited for it: a worker sends them now.\n")
    assert invoke("worker", "--drain").code == 0
    assert len(Method.seen) == 1


def test_explain_says_who_is_signed_in_and_what_that_allows(invoke, provider, browser):
    """Or how to connect; programs get what was learned."""
    before = invoke("explain")
    assert "Signs in   This account was never connected. Connect it: pillarbox company connect" in before.out
    invoke("company", "connect", "--grant", "send")
    after = " ".join(invoke("explain").out.split())
    assert "Signs in as orders@acme.example since " in after
    assert "today; send only: where the line breaks" in after
    assert "asks you; it can't look whether a mail was sent Sent by" in after
    found = invoke("explain", "--json").json["connection"]
    assert (found["address"], found["grant"], found["refused"]) == (ORDERS, "send", "")


def test_check_goes_through_the_stages_of_the_sign_in(invoke, provider, browser):
    """And ends with 77 while nobody is signed in."""
    done = invoke("check")
    assert done.code == 77
    assert "  fail  sign-in      This account was never connected." in done.out
    assert "Connect it: pillarbox company connect (sign-in-missing)" in done.out
    invoke("company", "connect")
    done = invoke("check")
    assert done.code == 0
    assert "  ok    grant        send and confirm" in done.out


def test_methods_says_what_may_be_allowed(invoke, provider):
    """Where there is a choice."""
    found = {one["name"]: one["grants"] for one in invoke("methods", "--json").json}
    assert (found["testmail"], found["smtp"]) == (["send", "confirm"], [])
    assert "send, confirm" in invoke("methods").out


def test_setting_such_a_method_says_the_next_step(invoke, provider, tmp_path):
    """The registration first, then the sign-in; nothing once that is done."""
    write(tmp_path, '[company]\naddress = "orders@acme.example"\n')
    done = invoke("company", "set", "--method", "testmail")
    assert done.code == 0
    assert "Next: Register the application there once, and set client_id in [apps.testmail].\n" in done.out
    write(tmp_path, SETTINGS)
    assert "Next: Connect it: pillarbox company connect\n" in invoke("company", "set", "--name", "Acme").out
    found = invoke("user", "set", "otto", "--name", "Otto", "--json").json
    assert found["next"] == ["Connect it: pillarbox user connect otto"]


def test_init_writes_the_registration_too(invoke, provider, tmp_path):
    """With its secret in the deployer's hands, and the sign-in as the next step."""
    (tmp_path / "pillarbox.toml").unlink()
    call = ("init", "--address", ORDERS, "--method", "testmail", "--app", "client_id=a-host")
    done = invoke(*call, "--app", "secret_env=APP_SECRET", "--app", "hosts=a.example, b.example")
    assert done.code == 0, done.err
    assert "  pillarbox company connect  sign the account in\n" in done.out
    assert done.out.count("Next:") == 1
    assert "vault init" not in done.out
    text = (tmp_path / "pillarbox.toml").read_text()
    assert text.endswith(
        "\n[apps.testmail]\n"
        'client_id = "a-host"\n'
        'secret = {env = "APP_SECRET"}\n'
        'hosts = ["a.example", "b.example"]\n'
    ), text


def test_init_says_first_what_has_to_be_done_first(invoke, provider, tmp_path, monkeypatch):
    """A registration, and the vault's key: without them nobody can sign in."""

    def keyless(sealed, associated):
        raise Unavailable("The vault has no key yet.", cure="Make one: pillarbox vault init")

    monkeypatch.setattr(provider.vault.sealer, "seal", keyless)
    (tmp_path / "pillarbox.toml").unlink()
    _, next_steps = invoke("init", "--address", ORDERS, "--method", "testmail").out.split("\nNext:\n")
    first, second, third, *_ = next_steps.splitlines()
    assert first == "  Register the application there once, and set client_id in [apps.testmail]."
    assert second.startswith("  pillarbox vault init ")
    assert third.startswith("  pillarbox company connect ")


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (("--method", "testmail", "--app", "client=x"), 78, "did you mean client_id"),
        (("--method", "testmail", "--app", "tenant=x"), 78, "is required"),
        (("--method", "testmail", "--app", "secret=hunter2", "--app", "client_id=x"), 78, "in clear"),
        (("--method", "smtp", "--app", "client_id=x"), 64, "add --method"),
        (("--app", "client_id=x"), 64, "add --method"),
    ],
)
def test_init_refuses_what_is_no_registration(invoke, provider, tmp_path, given, code, words):
    """Before anything is written."""
    (tmp_path / "pillarbox.toml").unlink()
    done = invoke("init", "--address", ORDERS, *given)
    assert (done.code, words in done.err) == (code, True), done.err
    assert "hunter2" not in done.err
    assert not (tmp_path / "pillarbox.toml").exists()


def test_a_registration_whose_connector_is_missing_stops_nobody(invoke, provider, tmp_path):
    """It is told; one that is there and wrong is refused."""
    write(tmp_path, SETTINGS + "\n[apps.elsewhere]\nanything = 1\n")
    done = invoke("explain")
    assert done.code == 0
    assert "apps.elsewhere is not checked: The connector elsewhere is not installed." in " ".join(
        done.out.split()
    )
    write(tmp_path, SETTINGS.replace("a-host", 'a-host"\nsecret = "hunter2'))
    done = invoke("explain")
    assert done.code == 78
    assert "apps.testmail.secret" in done.err
    assert "hunter2" not in done.err


@pytest.fixture
def keyed(provider, tmp_path, command, tmp_path_factory):
    """What a command in a process of its own is told: a vault with a key, and who is in front of the browser."""
    site = tmp_path_factory.mktemp("elsewhere")
    install(site)
    key = base64.b64encode(b"k" * 32).decode()
    env = {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]), "VAULT_KEY": key}
    made = command("vault", "init", "--key-env", "VAULT_KEY", **env)
    assert made.code == 0, made.err
    return env


def test_a_person_at_a_terminal_chooses_what_to_allow(keyed, terminal):
    """In plain words, with the more careful as the default; then the page's address is pasted."""
    screen = terminal("company", "connect", "--paste", "--no-browser", BROWSER="true", **keyed)
    screen.until("Allow (send, confirm) [confirm]: ")
    assert "orders@acme.example signs in at Testmail. What may pillarbox do then?" in screen.shown
    assert "  send     send only: " in screen.shown
    assert "  confirm  send and confirm: " in screen.shown
    screen.type("send")
    screen.until("Its address: ")
    assert "scope=mail.send\n" in screen.shown
    screen.type("http://localhost:1/?" + "x" * 5000)
    screen.until("That is not it")
    screen.interrupt()
    assert screen.end() == 130


def test_init_asks_for_the_registration_on_a_terminal(keyed, terminal, tmp_path):
    """After the method's own questions; the secret goes into a file."""
    (tmp_path / "pillarbox.toml").unlink()
    screen = terminal("init", **keyed)
    for prompt, answer in (
        ("The company's name", "Acme Ltd"),
        ("e-mail address: ", ORDERS),
        ("How it sends", "testmail"),
        ("Mailbox: ", ""),
        ("Base [", ""),
        ("Client id: ", "a-host"),
        ("Tenant [common]: ", "acme.example"),
        ("Set secret [y/N]: ", "y"),
        ("Secret: ", "hunter2"),
        ("confirmation: ", "hunter2"),
    ):
        screen.until(prompt)
        screen.type(answer)
    assert screen.end() == 0, screen.shown
    kept = tmp_path / "pillarbox.app-testmail-secret"
    assert kept.read_text() == "hunter2\n"
    text = (tmp_path / "pillarbox.toml").read_text()
    assert 'client_id = "a-host"\ntenant = "acme.example"\n' in text
    assert f'file = "{kept}"' in text
    assert "pillarbox company connect" in screen.shown


def test_a_sign_in_under_way_is_shown_as_such(keyed, command):
    """Its name says nothing, and it goes by itself."""
    begun = command("company", "connect", "--paste", "--no-browser", stdin="x\n", **keyed)
    assert begun.code == 130
    listed = command("vault", "list", **keyed)
    assert "(a sign-in under way)" in listed.out
    assert command("vault", "list", "--json", **keyed).json[0]["under way"] is True
    assert command("vault", "rotate", **keyed).code == 0
