"""The registration: what may stand in `[apps.m365]`."""

from __future__ import annotations

from typing import Any

import pytest

from pillarbox import InvalidSettings, Role
from pillarbox.settings import destination, form, structure
from pillarbox_m365 import M365App

GIVEN = {"client_id": "11111111-0000-4000-8000-000000000001", "tenant": "acme.example"}


def app(**more: Any) -> M365App:
    return structure(M365App, {**GIVEN, **more}, "apps.m365")


def test_two_things_have_to_be_set() -> None:
    """The rest is Microsoft's own cloud."""
    made = app()
    assert made.authority == "https://login.microsoftonline.com"
    assert made.graph == "https://graph.microsoft.com"
    assert made.hosts == ("smtp.office365.com", "outlook.office365.com")
    assert not made.is_confidential


@pytest.mark.parametrize("missing", GIVEN)
def test_either_missing_is_told(missing: str) -> None:
    """By its name."""
    with pytest.raises(InvalidSettings, match=f"{missing} +is required"):
        structure(M365App, {name: value for name, value in GIVEN.items() if name != missing}, "apps.m365")


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.example",
        "http://127.0.0.1.example",
        "ftp://graph.example",
        "graph.microsoft.com",
        "https://user@graph.example",
        "https://graph.example?x",
        "https://graph.example#x",
        "https://graph.example:port",
        "https://graph.example\r\nX: y",
        "https://",
    ],
)
def test_addresses_are_https_and_nothing_else(url: str) -> None:
    """In clear only to this machine itself; no user name, no query."""
    for field in ("graph", "authority"):
        with pytest.raises(InvalidSettings):
            app(**{field: url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://localhost:1", "http://[::1]:1"])
def test_this_machine_may_be_asked_in_clear(url: str) -> None:
    """That is what tests do; a slash at the end goes."""
    assert app(graph=url).graph == url.rstrip("/")


@pytest.mark.parametrize("tenant", ["", "a/b", "../x", "a b", "a?b"])
def test_a_tenant_is_one_name(tenant: str) -> None:
    """It is put into an address."""
    with pytest.raises(InvalidSettings, match="tenant"):
        app(tenant=tenant)


def test_the_tenants_of_everybody() -> None:
    """They are known by their names."""
    assert [
        app(tenant=one).is_shared for one in ("common", "Organizations", "consumers", "acme.example")
    ] == [
        True,
        True,
        True,
        False,
    ]


def test_a_secret_and_a_certificate_are_one_too_many() -> None:
    """One of them proves who the application is."""
    with pytest.raises(InvalidSettings, match="certificate"):
        app(client_secret={"env": "A"}, certificate={"file": "/b"})


def test_a_secret_in_clear_is_refused() -> None:
    """As everywhere."""
    with pytest.raises(InvalidSettings, match="in clear"):
        app(client_secret="canary")


def test_all_of_it_is_the_deployers() -> None:
    """A sign-in is bound to all that says where a token goes and comes from."""
    assert {field.set_by for field in form(M365App)} == {Role.DEPLOYER}
    assert set(destination(app())) == {"client_id", "tenant", "authority", "graph", "ca_file"}
