"""Write docs/reference/ from the code: `python docs/generate.py`; `--check` says whether it is current."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pillarbox
from pillarbox import _check, _errors, _hookspecs, _settings, _toml
from pillarbox.settings import FormField, form

REFERENCE = Path(__file__).resolve().parent / "reference"


def cell(text: Any) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell(one) for one in line) + " |\n" for line in lines)


def shown_default(field: FormField) -> str:
    if field.required:
        return "required"
    default = getattr(field.default, "value", field.default)
    if default in {None, "", ()}:
        return "-"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def settings_of(cls: type) -> str:
    rows = (
        (
            f"`{field.name}`",
            kind_of(field),
            shown_default(field),
            f"{field.help}{binding(field)}",
            field.set_by.value,
        )
        for field in form(cls)
    )
    return table(("setting", "kind", "default", "what it is", "set by"), rows)


def kind_of(field: FormField) -> str:
    return ", ".join(f"`{choice}`" for choice in field.choices) if field.choices else field.kind


def binding(field: FormField) -> str:
    if field.goes_to:
        return f" It is bound to {' and '.join(f'`{name}`' for name in field.goes_to)} alone."
    return " A stored secret is bound to it." if field.binds else ""


def settings() -> str:
    from pillarbox_smtp import SmtpSettings

    keys = ", ".join(f"`{key}`" for key in _settings.COMPANY_KEYS)
    user_keys = ", ".join(f"`{key}`" for key in _settings.USER_KEYS)
    return f"""# Settings

The settings file is TOML: `[company]`, `[users.<id>]`, and below each a table for each method that was ever set up
(`[company.smtp]`, `[users.otto.smtp]`). `[deployment]`, `[apps.<name>]` and `[outbox]` are the deployer's. An unknown key
is refused, with a guess at what was meant.

`[company]` takes {keys}. `[users.<id>]` takes {user_keys}, where `settings` is `company` (*From company*, the default) or
`personal`. `typed_by` is written by pillarbox where somebody other than the deployer changed a record.

A secret is one of `{{ env = "NAME" }}`, `{{ file = "PATH" }}` (owner-only, at most 64 KiB) and `{{ vault = "NAME" }}`; never
the secret itself. `env` and `file` are the deployer's to set.

*Set by* is the least who may: the owner of the record (a user of their own, an administrator of the company's), an
administrator, or only the deployer.

## `[company.smtp]`, `[users.<id>.smtp]`

{settings_of(SmtpSettings)}
## `[deployment]`

{settings_of(_toml.Deployment)}
## Environment

| variable | what it is |
| --- | --- |
| `PILLARBOX_CONFIG` | the settings file of the command |
| `PILLARBOX_PLUGINS` | the distributions whose plugins may be imported, with commas between; narrows `[deployment] plugins` |
| `PILLARBOX_URL`, `PILLARBOX_ADDRESS`, `PILLARBOX_NAME`, `PILLARBOX_REPLY_TO`, `PILLARBOX_METHOD`, `PILLARBOX_<METHOD>_<FIELD>` | a company for `Mailer.from_environ()` |
"""


def errors() -> str:
    names = [name for name in pillarbox.__all__ if inspect.isclass(getattr(pillarbox, name))]
    found = [
        getattr(pillarbox, name)
        for name in names
        if issubclass(getattr(pillarbox, name), pillarbox.PillarboxError)
    ]
    rows = ((f"`{one.__name__}`", one.exit_code, inspect.getdoc(one).partition("\n\n")[0]) for one in found)
    tree = inspect.cleandoc(_errors.__doc__ or "").split("\n\n", 1)[1]
    drawing = tree.split("\n\n")[0]
    return f"""# Errors

Each is named by what the caller does next. `detail` says what happened, `cure` what to do; `str(error)` is both. The
command exits with the number given.

```text
{drawing}
```

{table(("error", "exit", "meaning"), rows)}"""


def findings() -> str:
    from pillarbox_smtp.findings import finding_codes

    def rows(codes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        return ((f"`{code}`", meaning) for code, meaning in codes.items())

    return f"""# Findings

What `pillarbox check` and `Mailer.check` may say, by its stable code.

## Settings

{table(("code", "meaning"), rows(_check.FINDINGS))}
## SMTP

{table(("code", "meaning"), rows(finding_codes()))}"""


def names() -> str:
    def first_sentence(name: str) -> str:
        return (inspect.getdoc(getattr(pillarbox, name)) or "").partition("\n\n")[0]

    rows = ((f"`{name}`", first_sentence(name)) for name in pillarbox.__all__)
    hooks = [(name, one) for name, one in vars(_hookspecs).items() if name.startswith("pillarbox_")]
    told = ((f"`{name}{inspect.signature(one)}`", inspect.getdoc(one)) for name, one in hooks)
    return f"""# Public names

What is listed here is stable; what is not may change. The docstrings say more (`help(pillarbox.Mailer)`).

## `pillarbox`

{table(("name", "what it is"), rows)}
## Hooks

A module named in the entry-point group `pillarbox` implements them with `@pillarbox.hookimpl`.

{table(("hook", "what it is for"), told)}
## Entry-point groups

| group | value |
| --- | --- |
| `pillarbox.transports` | a `Transport`; the entry point's name is the method's |
| `pillarbox.connectors` | a `Connector` |
| `pillarbox.vaults` | a function from a path to a `Vault` |
| `pillarbox.commands` | a click command |
| `pillarbox` | a module of hooks |
"""


def command() -> str:
    import click

    from pillarbox.cli import command as root

    def pages(found: click.Command, path: str, parent: click.Context | None) -> Iterator[str]:
        context = click.Context(
            found, info_name=path.rpartition(" ")[2], parent=parent, terminal_width=98, max_content_width=98
        )
        yield f"## `{path}`\n\n```text\n{found.get_help(context)}\n```\n"
        if isinstance(found, click.Group):
            for name in found.list_commands(context):
                inner = found.get_command(context, name)
                if inner is not None:
                    yield from pages(inner, f"{path} {name}", context)

    return (
        "# The command\n\nExit codes are those of [errors](errors.md); 64 is a mistake in the call.\n\n"
        + "\n".join(pages(root, "pillarbox", None))
    )


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "errors.md": errors,
    "findings.md": findings,
    "names.md": names,
    "command.md": command,
}


def main() -> int:
    stale = []
    for name, write in PAGES.items():
        text = f"<!-- Written by docs/generate.py; change the code instead. -->\n\n{write().rstrip()}\n"
        path = REFERENCE / name
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, "utf-8")
    print(
        "current" if not stale else f"{'stale' if '--check' in sys.argv else 'written'}: {', '.join(stale)}"
    )
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
