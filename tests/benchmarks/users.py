"""The directory of many users that resolution and loading are measured on: as a settings file and as rows."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

COMPANY = """\
[company]
address = "orders@acme.example"
name = "Acme Ltd"
method = "smtp"
[company.smtp]
server = "smtp.acme.example"
encryption = "starttls"
authenticate = true
username = "orders@acme.example"
password = { env = "ACME_SMTP_PASSWORD" }
"""
FROM_COMPANY = """\
[users.{user}]
address = "{user}@acme.example"
name = "User {user}"
"""
PERSONAL = (
    FROM_COMPANY
    + """\
settings = "personal"
method = "smtp"
[users.{user}.smtp]
server = "mail.acme.example"
username = "{user}@acme.example"
password = {{ env = "SMTP_PASSWORD" }}
"""
)


def names(count: int) -> list[str]:
    """Return the ids of *count* users."""
    return [f"u{number:06}" for number in range(count)]


def settings_file(count: int, personal: int) -> str:
    """Return a settings file of *count* users, each *personal*-th with an SMTP account of their own."""
    return "\n".join([COMPANY, *_tables(count, personal)])


def _tables(count: int, personal: int) -> Iterator[str]:
    for number, user in enumerate(names(count)):
        yield (FROM_COMPANY if number % personal else PERSONAL).format(user=user)


def callers(users: int) -> Iterator[str]:
    """Return users for ever, in an order that no cache has an easy time with, the same each time."""
    return itertools.cycle(random.Random(7).choices(names(users), k=2 * users))
