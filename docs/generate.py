"""Write docs/reference/ from the code: `python docs/generate.py`; `--check` says whether it is current."""

from __future__ import annotations

import enum
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pillarbox
from docs import facts
from pillarbox import _check, _errors, _log, _mail, _settings, _toml_reading
from pillarbox.settings import FormField, form

REFERENCE = Path(__file__).resolve().parent / "reference"


def cell(text: Any) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell(one) for one in line) + " |\n" for line in lines)


def code(texts: Iterable[object]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


# The settings file


def settings() -> str:
    methods = "\n".join(
        section(f"`[company.{name}]`, `[users.<id>.{name}]`", settings_of(transport.settings_class()))
        for name, transport in facts.transports().items()
    )
    return f"""# Settings

The settings file is TOML: `[company]`, `[users.<id>]`, and below each a table for each method that was ever set up
(`[company.smtp]`, `[users.otto.smtp]`). `[deployment]`, `[apps.<name>]` and `[outbox]` are the deployer's. An unknown key
is refused, with a guess at what was meant.

*Set by* is the least who may: the owner of the record (a user of their own, an administrator of the company's), an
administrator, or only the deployer.

## `[company]`

{keys_of(pillarbox.Company, _settings.COMPANY_KEYS)}
## `[users.<id>]`

{keys_of(pillarbox.User, _settings.USER_KEYS)}
`typed_by` is written by pillarbox where somebody other than the deployer changed a record.

## A secret

is never in the settings themselves, but one of these. `env` and `file` are the deployer's to set.

{table(("reference", "what it is"), secrets())}
{methods}
## `[deployment]`

{settings_of(_toml_reading.Deployment)}"""


def settings_of(cls: type) -> str:
    rows = (
        (
            f"`{field.name}`",
            kind_of(field),
            default_of(field),
            f"{field.help}{binding(field)}",
            field.set_by.value,
        )
        for field in form(cls)
    )
    return table(("setting", "kind", "default", "what it is", "set by"), rows)


def kind_of(field: FormField) -> str:
    return code(field.choices) if field.choices else field.kind


def default_of(field: FormField) -> str:
    return "required" if field.required else shown(getattr(field.default, "value", field.default))


def shown(default: object) -> str:
    if default in {None, "", ()}:
        return "-"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def binding(field: FormField) -> str:
    return " A stored secret is bound to it." if field.binds else ""


def keys_of(cls: type, keys: Mapping[str, Any]) -> str:
    texts = facts.attribute_texts(cls)
    attribute = {"settings": "choice"}
    rows = ((f"`{key}`", shown(default), texts[attribute.get(key, key)]) for key, default in keys.items())
    return table(("key", "default", "what it is"), rows)


def secrets() -> Iterator[tuple[str, str]]:
    texts = facts.attribute_texts(pillarbox.Secret)
    return ((f'`{{ {name} = "..." }}`', text) for name, text in texts.items())


# Errors, findings, events, states


def errors() -> str:
    found = [one for one in map(vars(pillarbox).get, ERRORS) if one is not None]
    rows = ((f"`{one.__name__}`", one.exit_code, inspect.getdoc(one).partition("\n\n")[0]) for one in found)
    drawing = inspect.cleandoc(_errors.__doc__ or "").split("\n\n")[1]
    return f"""# Errors

Each is named by what the caller does next. `detail` says what happened, `cure` what to do; `str(error)` is both. The
command exits with the number given. [What an outcome means](../explanation/outcomes.md) says what to do about each;
[Handle what a send ends in](../how-to/handle-outcomes.md) shows it in code.

```text
{drawing}
```

{table(("error", "exit", "meaning"), rows)}"""


def is_error(name: str) -> bool:
    value = getattr(pillarbox, name)
    return inspect.isclass(value) and issubclass(value, pillarbox.PillarboxError)


ERRORS = [name for name in pillarbox.__all__ if is_error(name)]


def exit_codes() -> str:
    from pillarbox.cli._app import _EXIT_CODES

    def raised(number: int) -> str:
        return code(name for name in ERRORS if getattr(pillarbox, name).exit_code == number) or "-"

    rows = ((f"`{number}`", meaning, raised(number)) for number, meaning in _EXIT_CODES.items())
    return f"""# Exit codes

Those of the command `pillarbox`, after BSD's sysexits. They are stable: scripts may decide by them. `check` ends with the
code of its first stage that failed. `1` is an answer of *no* to a question, a pipe that was closed, or a demo that did not
find what had to arrive.

{table(("code", "meaning", "the errors behind it"), rows)}"""


def findings() -> str:
    from pillarbox_smtp.findings import finding_codes

    def rows(codes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        return ((f"`{name}`", meaning) for name, meaning in codes.items())

    return f"""# Findings

What `pillarbox check` and `Mailer.check` may say, by its stable code.

## Settings

{table(("code", "meaning"), rows(_check.FINDINGS))}
## SMTP

{table(("code", "meaning"), rows(finding_codes()))}"""


def events() -> str:
    def rows() -> Iterator[tuple[str, str, str, str]]:
        for name, meaning in _log.EVENTS.items():
            logged = facts.logged_as(name)
            yield f"`{name}`", code({one.level: 0 for one in logged}), code(fields_of(logged)), meaning

    return f"""# Log events

pillarbox logs through the standard library's logger `pillarbox`, and prints nothing. The event is the record's message;
its fields are attributes of the record. No address, no secret and no text of a message is ever in one.
[Log, count and audit](../how-to/logging.md) shows how to listen.

{table(("event", "level", "fields", "what happened"), rows())}"""


def fields_of(logged: Iterable[facts.LoggedEvent]) -> dict[str, int]:
    return {field: 0 for one in logged for field in one.fields}


def environment() -> str:
    return f"""# Environment variables

{table(("variable", "what it is"), ((code([name]), text) for name, text in VARIABLES.items()))}
A settings file names more, one for each secret that stands in a variable: `password = {{ env = "ACME_SMTP_PASSWORD" }}`.
The variables of `Mailer.from_environ` are read by it alone, not by the command."""


VARIABLES = {
    "PILLARBOX_CONFIG": "The settings file of the command; `--config` goes before it. Else `pillarbox.toml` in the working folder.",
    "PILLARBOX_PLUGINS": "The distributions whose plugins may be imported, with commas between; narrows `[deployment] plugins`.",
    "PILLARBOX_VAULT_KEY": "The key of the vault, where it is kept in a variable (`pillarbox vault init --key-env`).",
    "NO_COLOR": "Set to anything, the command prints without colours.",
    "PILLARBOX_URL": "For `Mailer.from_environ`: the company's account as one URL (see `Company.from_url`).",
    "PILLARBOX_ADDRESS": "For `Mailer.from_environ`: the company's address.",
    "PILLARBOX_NAME": "For `Mailer.from_environ`: the company's name.",
    "PILLARBOX_REPLY_TO": "For `Mailer.from_environ`: where answers go.",
    "PILLARBOX_METHOD": "For `Mailer.from_environ`, without a URL: the method.",
    "PILLARBOX_<METHOD>_<FIELD>": "For `Mailer.from_environ`, without a URL: a field of the method, such as `PILLARBOX_SMTP_SERVER`. Of a secret field the variable itself is the secret.",
}


def states() -> str:
    def rows() -> Iterator[tuple[str, str]]:
        for state, after in _mail.TRANSITIONS.items():
            yield (
                f"`{state.value}`",
                code(one.value for one in pillarbox.State if one in after) or "nothing; it is over",
            )

    return f"""# States

Where a submission stands in an outbox, and where it may go from there: `pillarbox.outbox.TRANSITIONS`.
[The states of a submission](../explanation/states.md) draws them and says why.

{table(("state", "may become"), rows())}"""


# Plugins


def hooks() -> str:
    signatures = ((name, inspect.signature(one), inspect.getdoc(one)) for name, one in facts.hooks().items())
    told = ((f"`{name}{str(signature).replace(chr(39), '')}`", text) for name, signature, text in signatures)
    return f"""# Hooks and entry points

*Choose one by name: an entry point. Tell everyone: a hook.* [Write a transport](../how-to/write-a-transport.md) and
[Log, count and audit](../how-to/logging.md) use them.

## Entry-point groups

{table(("group", "what its value is"), ((code([name]), text) for name, text in GROUPS.items()))}
Each is imported when it is first used. Two distributions that offer the same method: neither is used until
`[deployment] methods` names one.

## Hooks

A module named in the entry-point group `pillarbox` implements them with `@pillarbox.hookimpl`.

{table(("hook", "what it is for"), told)}"""


GROUPS = {
    "pillarbox.transports": "A `Transport` class; the entry point's name is the method's.",
    "pillarbox.connectors": "A `Connector` class; the entry point's name is what `sign_in` and `[apps.<name>]` say.",
    "pillarbox.vaults": "A function from the path of a settings file to a `Vault`.",
    "pillarbox.commands": "A click command; the entry point's name is what stands behind `pillarbox`.",
    "pillarbox": "A module of hooks; it imports no SDK.",
}


# The command


def command() -> str:
    pages = "\n".join(
        f"## `{path}`\n\n```text\n{found.get_help(context)}\n```\n"
        for path, found, context in facts.commands()
    )
    methods = "\n".join(f"```text\n{method_options(name)}\n```\n" for name in facts.transports())
    return f"""# The command

[Exit codes](exit-codes.md) are stable; so is what `--json` prints.

{pages}
## The options of a method

`init`, `company set`, `user add` and `user set` take them too, for the method that `--method` names or else the one in use.

{methods}"""


def method_options(method: str) -> str:
    """Return the part of the help of `company set` that is about *method*."""
    from click.testing import CliRunner

    from pillarbox.cli import command as root

    call = ["company", "set", "--method", method, "--help"]
    said = CliRunner().invoke(root, call, prog_name="pillarbox", terminal_width=98, max_content_width=98)
    own = said.output.partition("\nOptions:\n")[2]
    return own.partition("\n\n")[2].rstrip()


# Python


def names() -> str:
    doors = "\n".join(section(f"`{door}`", names_in(door)) for door in facts.DOORS)
    return f"""# Public names

What is listed here is stable, the private parts of it (`_name`) aside; what is not listed may change. A name opens its
full description.

{doors}"""


def names_in(door: str) -> str:
    def listed(names: Iterable[str]) -> str:
        return table(
            ("name", "what it is"), ((f"`{name}`", facts.first_sentence(door, name)) for name in names)
        )

    if door != "pillarbox":
        return listed(facts.names_of(door))
    parts = facts.by_topic(facts.names_of(door))
    return "\n".join(f"### {title}\n\n{listed(names)}" for title, names in parts.items())


def python(door: str) -> Callable[[], str]:
    def write() -> str:
        own = [name for name in facts.names_of(door) if facts.home_of(door, name) == door]
        others = [name for name in facts.names_of(door) if name not in own]
        more = f"It also gives {code(others)}, described elsewhere.\n\n" if others else ""
        opening = inspect.cleandoc(facts.door(door).__doc__ or "").partition("\n\n")[0]
        parts = facts.by_topic(own) if door == "pillarbox" else {"": own}
        return f"# `{door}`\n\n{opening}\n\n{more}" + "\n".join(part(door, *one) for one in parts.items())

    return write


def part(door: str, title: str, names: Iterable[str]) -> str:
    entries = "\n".join(entry(door, name) for name in names)
    heading = f"## {title}\n\n" if title else ""
    return f"{heading}```{{eval-rst}}\n{entries}```\n"


def entry(door: str, name: str) -> str:
    """Return the directive that describes a public name in full."""
    value = getattr(facts.door(door), name)
    if facts.is_data(value):
        text = " ".join(facts.told(door, name).split())
        return f".. py:data:: {door}.{name}\n\n   {text}\n"
    if not inspect.isclass(value):
        return f".. autofunction:: {door}.{name}\n"
    kind, options = "autoclass", ["members"]
    if issubclass(value, BaseException):
        kind, options = "autoexception", ["members", "show-inheritance"]
    elif issubclass(value, enum.Enum):
        options = ["members", "undoc-members"]
    return f".. {kind}:: {door}.{name}\n" + "".join(f"   :{option}:\n" for option in options)


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "environment.md": environment,
    "command.md": command,
    "exit-codes.md": exit_codes,
    "errors.md": errors,
    "findings.md": findings,
    "events.md": events,
    "states.md": states,
    "hooks.md": hooks,
    "names.md": names,
} | {f"python/{door}.md": python(door) for door in facts.DOORS}


def main() -> int:
    checking, stale = "--check" in sys.argv, []
    for name, write in PAGES.items():
        text = f"<!-- Written by docs/generate.py; change the code instead. -->\n\n{write().rstrip()}\n"
        path = REFERENCE / name
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(name)
            if not checking:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, "utf-8")
    print("current" if not stale else f"{'stale' if checking else 'written'}: {', '.join(stale)}")
    return 1 if stale and checking else 0


if __name__ == "__main__":
    sys.exit(main())
