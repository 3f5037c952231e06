"""What `settings.PILLARBOX` says, and the mailer of this process."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from pillarbox import Mailer

DEFAULTS: dict[str, Any] = {
    "file": None,
    "mailer": None,
    "models": False,
    "vault_key": None,
    "outbox": None,
    "queue": False,
    "database": "default",
    "foreign_from": "refuse",
    "user_field": "username",
}
"""The keys of `PILLARBOX`, with what each is where it is left out."""


def option(name: str) -> Any:
    """Return what `PILLARBOX` says under *name*.

    Raises:
        ImproperlyConfigured: It holds a key that is none, or a `foreign_from` that is none.
    """
    given = getattr(settings, "PILLARBOX", {})
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise ImproperlyConfigured(f"PILLARBOX has no key {unknown[0]!r}; it has {', '.join(DEFAULTS)}.")
    if given.get("foreign_from", "refuse") not in {"refuse", "ignore"}:
        raise ImproperlyConfigured("PILLARBOX['foreign_from'] is 'refuse' or 'ignore'.")
    return given.get(name, DEFAULTS[name])


def database() -> str:
    """Return the alias of the database that the tables are in."""
    return str(option("database"))


@functools.cache
def get_mailer() -> Mailer:
    """Return the mailer of this process: of `PILLARBOX["file"]`, of the models, or what the function `PILLARBOX["mailer"]` returns.

    Raises:
        ImproperlyConfigured: None of them is there, or more than one.
    """
    from pillarbox import Mailer

    file, maker = option("file"), option("mailer")
    if [file is not None, maker is not None, bool(option("models"))].count(True) != 1:
        raise ImproperlyConfigured(
            'Set PILLARBOX = {"file": "pillarbox.toml"}, {"models": True}, or {"mailer": "dotted.path.of.a.function"}.'
        )
    if option("models"):
        return _by_models()
    if file is not None:
        return Mailer.open(file)
    mailer: Mailer = import_string(maker)()
    return mailer


def _by_models() -> Mailer:
    """Return a mailer over the models: settings and sealed secrets in the database, the key of the vault elsewhere."""
    from pathlib import Path

    from pillarbox import Mailer, Secret
    from pillarbox.outbox import SqliteOutbox

    from .directory import DjangoDirectory
    from .rows import DjangoRows

    directory, key, outbox = DjangoDirectory(), option("vault_key"), option("outbox")
    vault = None
    if key is not None:
        vault = directory.plugins.vault(Path("pillarbox-django"), (DjangoRows(), Secret(**key)))
    return Mailer(directory, vault=vault, outbox=None if outbox is None else SqliteOutbox(outbox))


def forget_mailer(*, setting: str = "PILLARBOX", **_: Any) -> None:
    """Make the mailer anew on its next use: the settings of a test have changed."""
    if setting == "PILLARBOX" and get_mailer.cache_info().currsize:
        get_mailer().close()
        get_mailer.cache_clear()
