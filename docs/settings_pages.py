"""The pages of what a deployment sets: the settings file and the environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pillarbox
from docs import facts
from docs.tables import code, section, table
from pillarbox import _settings, _toml_reading
from pillarbox.outbox import OutboxSettings
from pillarbox.settings import FormField, form


def settings() -> str:
    methods = "\n".join(method(*one) for one in facts.transports().items())
    return f"""# Settings

The settings file is TOML: `[company]`, `[users.<id>]`, and below each a table for each method that was ever set up
(`[company.smtp]`, `[users.otto.smtp]`). `[deployment]`, `[apps.<name>]` and `[outbox]` are the deployer's. An unknown key
is refused, with a guess at what was meant.

*Set by* is the least who may: the owner of the record (a user of their own, an administrator of the company's), an
administrator, or only the deployer, who can write the file itself.

## `[company]`

{keys_of(pillarbox.Company, _settings.COMPANY_KEYS)}
## `[users.<id>]`

{keys_of(pillarbox.User, _settings.USER_KEYS)}
`typed_by` is written by pillarbox where somebody other than the deployer changed a record: hosts of servers that they typed
[may only be public](../explanation/rules.md#who-may-do-what).

## A secret

A secret never stands in the settings itself. One of these stands in its place; `env` and `file` are the deployer's to set.
[Keep secrets out of the settings](../how-to/secrets.md) shows each.

{table(("reference", "what it is"), secrets())}
{methods}
## `[deployment]`

{deployers(_toml_reading.Deployment)}
## `[outbox]`

With this table `Mailer.send` keeps every message in the outbox while it is under way. `Mailer.enqueue` keeps what is to be sent
later with or without it, in `<name>.outbox.sqlite3` beside `<name>.toml` unless it says otherwise. Durations are in seconds.

{deployers(OutboxSettings)}
## `[apps.<name>]`

The registration with a provider that signs accounts in, once for a deployment. Users never see it. Its fields are the
connector's own; [Connect accounts](../how-to/connecting.md) says how it is used.

{registrations()}"""


def registrations() -> str:
    plugins = pillarbox.Plugins()
    found = {name: plugins.connector(name).app_class() for name in plugins.connectors}
    return "\n".join(
        f"### `[apps.{name}]`\n\n{deployers(cls)}"
        for name, cls in found.items()
        if cls is not None
    )


def method(name: str, transport: type[pillarbox.Transport]) -> str:
    return "\n".join(
        section(
            f"`[company.{name}{inner}]`, `[users.<id>.{name}{inner}]`",
            settings_of(fields) + bindings(fields),
        )
        for inner, fields in by_table(form(transport.settings_class())).items()
    )


def by_table(fields: Iterable[FormField]) -> dict[str, list[FormField]]:
    """Return *fields* by the nested table they stand in: "" for the method's own, `.saved_copy`."""
    found: dict[str, list[FormField]] = {"": []}
    for field in fields:
        table, dot, _ = field.name.rpartition(".")
        found.setdefault(dot + table, []).append(field)
    return found


def bindings(fields: Iterable[FormField]) -> str:
    """Return what each of the secrets among *fields* is bound to."""
    fields = list(fields)
    usual = [field.name for field in fields if field.binds]
    told = (
        f"- `{field.name}` is bound to {code(field.goes_to or usual)}."
        for field in fields
        if field.kind == "secret" and (field.goes_to or usual)
    )
    listed = "\n".join(told)
    return (
        f"\n{listed}\nChange one of them, and the stored secret has to be entered again.\n"
        if listed
        else ""
    )


def settings_of(fields: Iterable[FormField]) -> str:
    rows = ((*row(field), field.set_by.value) for field in fields)
    return table(("setting", "what it is", "kind", "default", "set by"), rows)


def deployers(cls: type) -> str:
    """Return a table of what the deployer alone sets."""
    return table(("setting", "what it is", "kind", "default"), map(row, form(cls)))


def row(field: FormField) -> tuple[str, ...]:
    return f"`{field.name.rpartition('.')[2]}`", field.help, kind_of(field), default_of(field)


def kind_of(field: FormField) -> str:
    return code(field.choices) if field.choices else field.kind


def default_of(field: FormField) -> str:
    return (
        "required" if field.required else shown(getattr(field.default, "value", field.default))
    )


def shown(default: object) -> str:
    if default in (None, "", (), {}):
        return "-"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return (
        f"`{int(default) if isinstance(default, float) and default.is_integer() else default}`"
    )


def keys_of(cls: type, keys: Mapping[str, Any]) -> str:
    rows = ((f"`{key}`", told(cls, key), shown(default)) for key, default in keys.items())
    return table(("key", "what it is", "default"), rows)


def told(cls: type, key: str) -> str:
    """Return what the docstring of *cls* says of the attribute that stands at *key*."""
    attribute = {"settings": "choice"}.get(key, key)
    return facts.attribute_text(cls, attribute).replace(', or ""', "")


def secrets() -> Iterator[tuple[str, str]]:
    texts = facts.attribute_texts(pillarbox.Secret)
    return ((f'`{{ {name} = "..." }}`', text) for name, text in texts.items())


def environment() -> str:
    return f"""# Environment variables

{table(("variable", "what it is"), ((code([name]), text) for name, text in VARIABLES.items()))}
A settings file names more, one for each secret that stands in a variable: `password = {{ env = "ACME_SMTP_PASSWORD" }}`.
The variables of `Mailer.from_environ` are read by it alone, not by the command."""


VARIABLES = {
    "PILLARBOX_CONFIG": "The settings file of the command; `--config` goes before it. Else `pillarbox.toml` in the working folder.",
    "PILLARBOX_PLUGINS": "The distributions whose plugins may be imported, with commas between; narrows `[deployment] plugins`.",
    "PILLARBOX_USER": "Whose computer `pillarbox worker` is at: what `--user` says, which goes before it.",
    "PILLARBOX_AGENT": "The server that `pillarbox worker` sends for from this computer; `--agent` goes before it.",
    "PILLARBOX_AGENT_TOKEN": "The token of the user whose computer it is, for `pillarbox worker --agent` without `--token-file`.",
    "PILLARBOX_VAULT_KEY": "The key of the vault, where it is kept in a variable (`pillarbox vault init --key-env`).",
    "NO_COLOR": "Set to anything, the command prints without colours.",
    "PILLARBOX_URL": "For `Mailer.from_environ`: the company's account as one URL (see `Company.from_url`).",
    "PILLARBOX_ADDRESS": "For `Mailer.from_environ`: the company's address.",
    "PILLARBOX_NAME": "For `Mailer.from_environ`: the company's name.",
    "PILLARBOX_REPLY_TO": "For `Mailer.from_environ`: where answers go.",
    "PILLARBOX_METHOD": "For `Mailer.from_environ`, without a URL: the method.",
    "PILLARBOX_<METHOD>_<FIELD>": "For `Mailer.from_environ`, without a URL: a field of the method, such as `PILLARBOX_SMTP_SERVER`. Of a secret field the variable itself is the secret.",
}
