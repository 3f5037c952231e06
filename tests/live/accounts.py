"""Who is asked: the account of a settings file, at the real service; or one at a fake."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from pillarbox import Account, App, Mailer
from pillarbox.testing.gmail import FakeGmail
from pillarbox.testing.graph import FakeGraph, Manners
from pillarbox_gmail import GmailApp, GmailSettings, GmailTransport
from pillarbox_m365 import M365App, M365Settings, M365Transport
from tests.live.asking import Connected
from tests.live.gmail import EVERYTHING
from tests.live.m365 import CONFIRM
from tests.plugins.gmail.givens import Connected as Granted
from tests.plugins.m365.givens import Holder

CONFIG: Final = "PILLARBOX_LIVE_CONFIG"
TO: Final = "PILLARBOX_LIVE_TO"
USER: Final = "PILLARBOX_LIVE_USER"
PATIENCE: Final = 300.0
ORDERS: Final = "orders@acme.example"
CUSTOMER: Final = "ap@customer.example"


def missing() -> list[str]:
    """Return which of the variables that a live test needs are not set."""
    return [name for name in (CONFIG, TO) if not os.environ.get(name)]


@contextlib.contextmanager
def real(method: str) -> Iterator[Connected]:
    """Give the account of the settings file in the environment; the test fails where it can't be had."""
    if unset := missing():
        pytest.fail(f"A live test needs {' and '.join(unset)} in the environment; see tests/live/README.md.")
    with Mailer.open(Path(os.environ[CONFIG])) as mailer:
        _, account = mailer._to_connect(os.environ.get(USER) or None, None)
        if account.method != method:
            pytest.skip(f"The account sends by {account.method}, not by {method}.")
        app = mailer._registered(method).app
        yield Connected(
            make=mailer.plugins[method],
            account=account,
            app=app,
            credentials=mailer._credentials(account),
            api=app.settings.graph if method == "m365" else app.settings.api,
            to=os.environ[TO],
            patience=PATIENCE,
        )


@contextlib.contextmanager
def at_graph(manners: Manners | None = None, scopes: tuple[str, ...] = CONFIRM) -> Iterator[Connected]:
    """Give an account at a fake Graph."""
    with FakeGraph(manners) as graph:
        graph.add_mailbox(ORDERS)
        yield Connected(
            make=M365Transport,
            account=Account(owner="company", method="m365", mailbox=ORDERS, settings=M365Settings()),
            app=App(M365App(client_id="app", tenant="acme.example", graph=graph.url)),
            credentials=Holder(graph.token(ORDERS, *scopes), scopes=scopes),
            api=graph.url,
            to=CUSTOMER,
            patience=5.0,
        )


@contextlib.contextmanager
def at_gmail(scopes: tuple[str, ...] = EVERYTHING, **given: Any) -> Iterator[Connected]:
    """Give an account at a fake Gmail."""
    with FakeGmail(per_minute=None, **given) as gmail:
        gmail.add_mailbox(ORDERS)
        yield Connected(
            make=GmailTransport,
            account=Account(owner="company", method="gmail", mailbox=ORDERS, settings=GmailSettings()),
            app=App(GmailApp(client_id="app", api=gmail.url)),
            credentials=Granted(gmail, *scopes, address=ORDERS),
            api=gmail.url,
            to=CUSTOMER,
            patience=5.0,
        )
