"""A connector with the registration that `[apps]` has for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .._connectors import App, Connector
from .._errors import InvalidSettings, SettingsError
from .._plugins import Plugins
from .._schema import structure
from .._vault import Credentials


@attrs.frozen
class Registered:
    """A connector and its registration.

    Attributes:
        name: What the entry point is called.
        connector: The plugin's.
        app: The registration.
    """

    name: str
    connector: Connector
    app: App

    def token(self, credentials: Credentials, purpose: str, host: str) -> str:
        """Return a token for *purpose*, which will be shown to *host*.

        A person's settings may name the host, and whoever has the token has the mailbox: so the connector says where
        its tokens go.

        Raises:
            SignInNeeded, SendDeferred: As `Connector.token`.
            SettingsError: It may not be shown to *host*.
        """
        known = self.connector.hosts(self.app, purpose)
        if host and known is not None and host.lower().rstrip(".") not in known:
            raise SettingsError(
                f"A sign-in by {self.connector.label or self.name} is shown to {' and '.join(known)} alone, not to {host}.",
                cure=f"Set that server; or have the deployer add this one to hosts in [apps.{self.name}].",
            )
        return self.connector.token(self.app, credentials, purpose)


def registered(name: str, plugins: Plugins, apps: Mapping[str, Any]) -> Registered:
    """Return the connector *name* with its registration in *apps*.

    Raises:
        Unavailable: It is not installed.
        InvalidSettings: The registration is missing, or can't be used.
    """
    connector = plugins.connector(name)
    cls, table = connector.app_class(), apps.get(name, {})
    if cls is None:
        return Registered(name, connector, App(table))
    try:
        return Registered(name, connector, App(structure(cls, table, f"apps.{name}")))
    except InvalidSettings as error:
        if not table:
            raise _unregistered(name, connector) from None
        raise error from None


def _unregistered(name: str, connector: Connector) -> SettingsError:
    return SettingsError(
        f"No registration with {connector.label or name} is set, so nobody can connect.",
        cure=f"Register the application once and fill in [apps.{name}]: see the guide for connecting.",
    )
