"""What is installed is what was asked for; a command that lacks a part says the one pip line and exits 69."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.dist, pytest.mark.xdist_group("dist"), pytest.mark.timeout(600)]

CORE = {
    "attrs",
    "cattrs",
    "idna",
    "pillarbox",
    "pluggy",
    "structlog",
    "typing_extensions",
    "typing-extensions",
}
CLI = {"click", "rich", "aiosmtpd", "atpublic", "tomlkit", "markdown-it-py", "mdurl", "pygments"}
COMPANY = """
[company]
address = "orders@acme.example"
name = "Acme Ltd"
method = "smtp"
[company.smtp]
server = "127.0.0.1"
port = 9
encryption = "none"
authenticate = false
"""


def test_core_brings_no_method_and_no_sdk(environment):
    """Pip install pillarbox: attrs, cattrs, pluggy, structlog, idna, and what they need."""
    assert environment("pillarbox").installed() <= CORE


def test_core_and_smtp_bring_no_other_method_and_no_sdk(environment):
    """Pip install pillarbox pillarbox-smtp adds that one distribution."""
    assert environment("pillarbox", "pillarbox-smtp").installed() <= CORE | {"pillarbox-smtp"}


def test_the_documented_way_brings_the_command_and_smtp(environment):
    """Pip install 'pillarbox[cli,smtp]' is all that the tutorial needs."""
    found = environment("pillarbox[cli,smtp]").installed()
    assert {"pillarbox", "pillarbox-smtp", "click", "rich"} <= found <= CORE | CLI | {"pillarbox-smtp"}


def test_without_the_extra_the_command_says_how_to_get_it(environment):
    """The command needs click; without it one line names the cure."""
    done = environment("pillarbox").pillarbox("--help")
    assert done.returncode == 69
    assert "pip install 'pillarbox[cli]'" in done.stderr


def test_what_is_not_installed_is_listed_with_its_pip_line(environment):
    """Whole, so that it can be copied."""
    listed = environment("pillarbox[cli,smtp]").pillarbox("methods").stdout
    for name in ("m365", "gmail", "mapi"):
        assert f"pip install pillarbox-{name}\n" in listed


@pytest.mark.parametrize(
    "command", [["demo"], ["explain"], ["check"], ["send", "--to", "a@b.example", "--subject", "s"]]
)
def test_without_the_method_a_command_says_how_to_get_it(environment, command):
    """A company that sends by SMTP, where SMTP is not installed."""
    env = environment("pillarbox[cli]")
    (env.folder / "pillarbox.toml").write_text(COMPANY)
    (env.folder / "pillarbox.toml").chmod(0o600)
    done = env.pillarbox(*command)
    assert done.returncode == 69, done.stdout + done.stderr
    assert "pip install pillarbox-smtp" in done.stdout + done.stderr


def test_without_tomlkit_a_change_says_how_to_get_it(environment):
    """Reading needs nothing; changing the file needs tomlkit."""
    env = environment("pillarbox", "pillarbox-smtp", "click", "rich")
    (env.folder / "pillarbox.toml").write_text(COMPANY)
    (env.folder / "pillarbox.toml").chmod(0o600)
    assert env.pillarbox("explain").returncode == 0
    done = env.pillarbox("company", "set", "--name", "Acme AG")
    assert (done.returncode, "pip install 'pillarbox[cli]'" in done.stderr) == (69, True), done.stderr
    assert (env.folder / "pillarbox.toml").read_text() == COMPANY


def test_without_its_server_the_demo_says_how_to_get_it(environment):
    """Aiosmtpd comes with the extra."""
    done = environment("pillarbox", "pillarbox-smtp", "click", "rich").pillarbox("demo")
    assert (done.returncode, "pip install 'pillarbox[cli]'" in done.stderr) == (69, True), done.stderr


@pytest.mark.parametrize("method", ["m365", "gmail", "mapi"])
def test_a_method_of_ours_that_is_not_installed_is_named_with_its_distribution(environment, method):
    """The four methods are known by name wherever core is."""
    env = environment("pillarbox[cli,smtp]")
    (env.folder / "pillarbox.toml").write_text(f'[company]\naddress = "a@b.example"\nmethod = "{method}"\n')
    (env.folder / "pillarbox.toml").chmod(0o600)
    done = env.pillarbox("explain")
    assert done.returncode == 69
    assert f"pip install pillarbox-{method}" in done.stdout + done.stderr


def test_the_demo_runs_from_the_wheels(environment):
    """What the README's first command shows works for somebody who installed from an index."""
    done = environment("pillarbox[cli,smtp]").pillarbox("demo")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_host_sends_without_the_command(environment):
    """Core and SMTP alone are a library: no click, no rich, no tomlkit, and nothing on stdout or stderr."""
    done = environment("pillarbox", "pillarbox-smtp").python(
        "from pillarbox import *\n"
        "company = Company.from_url('smtp://127.0.0.1:9', address='orders@acme.example')\n"
        "try:\n"
        "    Mailer(MemoryDirectory(company)).send(Message(to='a@b.example', subject='s', text='t'))\n"
        "except SendDeferred:\n"
        "    raise SystemExit(75)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (75, "", "")


def test_the_types_of_both_are_found(environment):
    """A wheel carries its typed marker."""
    done = environment("pillarbox", "pillarbox-smtp").python(
        "from importlib.resources import files\n"
        "assert files('pillarbox').joinpath('py.typed').is_file()\n"
        "assert files('pillarbox_smtp').joinpath('py.typed').is_file()\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_wheel_holds_its_package_and_nothing_else(wheels):
    """No tests, no stray files."""
    import zipfile

    for wheel in wheels.glob("*.whl"):
        package = wheel.name.partition("-")[0]
        names = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
        assert {name for name in names if not name.endswith(".dist-info")} == {package}


def test_the_outbox_on_postgresql_is_an_extra(environment):
    """Pip install 'pillarbox[procrastinate]' brings the plugin, the engine and the driver; nothing of it is imported to list what is there."""
    made = environment("pillarbox[procrastinate]")
    assert {
        "pillarbox-procrastinate",
        "procrastinate",
        "psycopg",
        "psycopg-binary",
        "psycopg-pool",
    } <= made.installed()
    code = (
        "import sys, pillarbox_procrastinate; print('psycopg' in sys.modules, 'procrastinate' in sys.modules)"
    )
    assert made.python(code).stdout.split() == ["False", "False"]


def test_without_the_outbox_on_postgresql_the_settings_say_how_to_get_it(environment, tmp_path):
    """A settings file that names it, where it is not installed."""
    made = environment("pillarbox[toml]")
    outbox = '[outbox]\nkind = "procrastinate"\nurl = "postgresql://h/d"\n'
    path = made.folder / "queued.toml"
    path.write_text('[company]\naddress = "orders@acme.example"\n' + outbox)
    path.chmod(0o600)
    done = made.python("from pillarbox import Mailer; Mailer.open('queued.toml')")
    assert "pip install pillarbox-procrastinate" in done.stderr


GOOGLE = {
    "certifi", "cffi", "charset-normalizer", "charset_normalizer", "cryptography", "google-auth", "pillarbox-gmail",
    "pyasn1", "pyasn1-modules", "pyasn1_modules", "pycparser", "requests", "urllib3",
}  # fmt: skip


def test_gmail_brings_what_it_stands_on_and_nothing_else(environment):
    """Pip install 'pillarbox[gmail]': google-auth, requests and what they need; no client library of Google's."""
    made = environment("pillarbox[gmail]")
    assert {"google-auth", "pillarbox-gmail", "requests"} <= made.installed() <= CORE | GOOGLE
    code = "import sys, pillarbox_gmail as g; g.GmailTransport(g.GmailSettings()); print('requests' in sys.modules)"
    assert made.python(code).stdout.split() == ["False"]


MICROSOFT = {
    "certifi", "cffi", "charset-normalizer", "charset_normalizer", "cryptography", "msal", "pillarbox-m365",
    "pycparser", "pyjwt", "requests", "urllib3",
}  # fmt: skip


def test_microsoft_365_brings_what_it_stands_on_and_nothing_else(environment):
    """Pip install 'pillarbox[m365]': MSAL and what it needs; no client library of Graph's, and none of it is imported to send."""
    made = environment("pillarbox[m365]")
    assert {"msal", "pillarbox-m365"} <= made.installed() <= CORE | MICROSOFT
    code = (
        "import sys, pillarbox_m365 as m; m.M365Transport(m.M365Settings()); import pillarbox_m365.drafts;"
        "print('msal' in sys.modules, 'requests' in sys.modules)"
    )
    assert made.python(code).stdout.split() == ["False", "False"]
