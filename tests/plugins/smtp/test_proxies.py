"""The setting of a proxy: what names one, and what is refused in a sentence."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pillarbox import InvalidSettings, Secret
from pillarbox.settings import destination, structure
from pillarbox_smtp import Encryption, SmtpSettings, SmtpTransport
from pillarbox_smtp.proxies import Proxy
from tests.plugins.smtp.givens import settings, signing_in

PROXY = "socks5://proxy.example:1080"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("socks5://proxy.example:1080", "socks5://proxy.example:1080"),
        ("SOCKS5://Proxy.Example:1080/", "socks5://proxy.example:1080"),
        ("http://192.0.2.1:3128", "http://192.0.2.1:3128"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
    ],
)
def test_what_names_a_proxy(url: str, shown: str) -> None:
    """A kind, a host and a port."""
    assert str(Proxy.read(url)) == shown


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "socks5://anna:canary@proxy.example:1080",
            "can't hold a user name or a password; use proxy_username",
        ),
        ("http://anna@proxy.example:3128", "can't hold a user name or a password"),
        ("http://:canary@proxy.example:3128", "can't hold a user name or a password"),
        ("socks5://proxy.example", "must name a host and a port"),
        ("socks5://:1080", "must name a host and a port"),
        ("socks5://proxy.example:0", "must name a host and a port"),
        ("socks5://proxy.example:99999", "must be a proxy's address"),
        ("socks5://[::1:1080", "must be a proxy's address"),
        ("socks4://proxy.example:1080", "must begin with socks5:// or http://"),
        ("https://proxy.example:3128", "must begin with socks5:// or http://"),
        ("socks5h://proxy.example:1080", "must begin with socks5:// or http://"),
        ("proxy.example:1080", "must"),
        ("http://proxy.example:3128/path", "must end behind the port"),
        ("http://proxy.example:3128?a=b", "must end behind the port"),
        ("http://pröxy.example:3128", "must name a host and a port"),
        ("http://proxy example:3128", "must name a host and a port"),
    ],
)
def test_what_names_none(url: str, said: str) -> None:
    """What is wrong is said in a sentence, which never repeats the password."""
    with pytest.raises(InvalidSettings) as caught:
        structure(
            SmtpSettings, {"server": "mail.example", "authenticate": False, "proxy": url}, "company.smtp"
        )
    assert said in str(caught.value)
    assert "canary" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"proxy_username": "anna"}, "proxy_username: needs a proxy"),
        ({"proxy_password": Secret(env="PW")}, "proxy_password: needs a proxy"),
        ({"proxy": PROXY, "proxy_username": "anna"}, "proxy_password: is required beside proxy_username"),
        (
            {"proxy": PROXY, "proxy_password": Secret(env="PW")},
            "proxy_username: is required beside proxy_password",
        ),
    ],
)
def test_halves_of_a_sign_in(given: dict[str, Any], said: str) -> None:
    """A user name and a password, both or none, and for a proxy."""
    with pytest.raises((ValueError, InvalidSettings), match=said):
        settings(**given)


def test_what_the_secrets_are_bound_to() -> None:
    """The proxy sees a password of the server's never, so another proxy is no other destination; its own it does see."""
    given = signing_in(proxy=PROXY, proxy_username="anna", proxy_password=Secret(vault="proxy"))
    assert "proxy" not in destination(given, "password")
    assert destination(given, "proxy_password") == {"proxy": PROXY, "proxy_username": "anna"}


def test_localhost_behind_a_proxy_is_another_machine() -> None:
    """So it is warned of, like any other, that mail goes there in clear."""
    behind = settings(server="localhost", encryption=Encryption.NONE, proxy=PROXY)
    assert not behind.is_loopback
    assert "in clear" in SmtpTransport.warnings(behind)[0]


def test_it_is_told() -> None:
    """Explain says through what the mail goes."""
    via = SmtpTransport.describe(settings(server="mail.example", proxy=PROXY)).via
    assert via == f"mail.example:25, in clear, through {PROXY}"


def test_without_the_library() -> None:
    """The pip line, not an ImportError."""
    code = (
        "import sys; sys.modules['python_socks'] = None\n"
        "from pillarbox import Unavailable\n"
        "from pillarbox_smtp import SmtpSettings, SmtpTransport\n"
        f"settings = SmtpSettings(server='mail.example', authenticate=False, proxy='{PROXY}')\n"
        "print(*[f'{one.stage} {one.level.value} {one.seen} {one.cure} {one.exit_code}' for one in"
        " SmtpTransport(settings).check()], sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines()[1] == (
        "proxy fail The account's proxy needs python-socks, which is not installed."
        " Install it with: pip install 'pillarbox-smtp[proxy]' 69"
    )


def test_without_a_proxy_the_library_is_not_imported() -> None:
    """Who needs none need not have it."""
    code = (
        "import sys, pillarbox_smtp.line, pillarbox_smtp.check\n"
        "print([name for name in sys.modules if name.startswith('python_socks')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
