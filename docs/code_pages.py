"""The pages of what others call: the command, hooks and entry points, public names."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from docs import facts
from docs.tables import code, section, table

# The command


def command() -> str:
    pages = "\n".join(
        f"## `{path}`\n\n```text\n{found.get_help(context)}\n```\n"
        for path, found, context in facts.commands()
    )
    methods = "\n".join(
        f"```text\n{method_options(name)}\n```\n" for name in facts.transports()
    )
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
    width = facts.HELP_WIDTH
    said = CliRunner().invoke(
        root, call, prog_name="pillarbox", terminal_width=width, max_content_width=width
    )
    own = said.output.partition("\nOptions:\n")[2]
    return own.partition("\n\n")[2].rstrip()


# Plugins


def hooks() -> str:
    listed = "\n".join(hook(*one) for one in facts.hooks().items())
    return f"""# Hooks and entry points

*Choose one by name: an entry point. Tell everyone: a hook.* [Write a transport](../how-to/write-a-transport.md) and
[Log, count and audit](../how-to/logging.md) use them.

## Entry-point groups

{table(("group", "what its value is"), ((code([name]), text) for name, text in GROUPS.items()))}
Each is imported when it is first used. Two distributions that offer the same method: neither is used until
`[deployment] methods` names one.

## Hooks

A module named in the entry-point group `pillarbox` implements them with `@pillarbox.hookimpl`. Each argument may be left out.

{listed}"""


def hook(name: str, specification: Callable[..., object]) -> str:
    signature = str(inspect.signature(specification)).replace("'", "")
    return f"```{{py:function}} {name}{signature}\n:no-index:\n\n{inspect.getdoc(specification)}\n```\n"


GROUPS = {
    "pillarbox.transports": "A `Transport` class; the entry point's name is the method's.",
    "pillarbox.connectors": "A `Connector` class; the entry point's name is what `sign_in` and `[apps.<name>]` say.",
    "pillarbox.outboxes": "A function from `[outbox]`, the path of a settings file and a password to an `Outbox`; its name is the `kind`.",
    "pillarbox.inboxes": "A context manager that gives the address of a page, and a function that puts a caught mail there.",
    "pillarbox.vaults": "A function from the path of a settings file to a `Vault`.",
    "pillarbox.commands": "A click command; the entry point's name is what stands behind `pillarbox`.",
    "pillarbox": "A module of hooks; it imports no SDK.",
}


# The address book


def address_book() -> str:
    from pillarbox._suggestion.book import book

    def rows(known: Iterable[Any]) -> Iterator[tuple[str, ...]]:
        for one in sorted(known, key=lambda one: one.name.lower()):
            ways = code(
                [
                    *one.domains,
                    *(f"MX *{end}" if end[0] == "." else f"MX {end}" for end in one.mx),
                ]
            )
            served = f"`{one.server}:{one.port}`, {one.encryption}"
            yield (
                f"[{one.name}]({one.source})",
                ways or "-",
                one.method or "-",
                served,
                one.note or "-",
            )

    providers = book().providers
    relays = [one for one in providers if not one.domains and not one.mx]
    mailboxes = [one for one in providers if one not in relays]
    head = ("provider", "known by", "connects by", "SMTP", "sign-in")
    return f"""# The address book

The {len(mailboxes)} providers that `pillarbox suggest` knows without asking anybody, each with the page that says so. The facts were
entered by us, and may have changed meanwhile: the page counts. `MX *` stands for every mail exchanger whose name ends so.

{table(head, rows(mailboxes))}
## Relays

No address leads to these. They are recognised where a domain names their server.

{table(head, rows(relays))}"""


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
            ("name", "what it is"),
            ((f"`{name}`", facts.first_sentence(door, name)) for name in names),
        )

    if door != "pillarbox":
        return listed(facts.names_of(door))
    parts = facts.by_topic(facts.names_of(door))
    return "\n".join(f"### {title}\n\n{listed(names)}" for title, names in parts.items())


def doors() -> str:
    listed = "\n".join(facts.DOORS)
    return f"""# Python

Every public name in full, by the module that others import it from. [Public names](../names.md) lists them with one
sentence each.

```{{toctree}}
{listed}
```"""


def python(door: str) -> Callable[[], str]:
    def write() -> str:
        own = [name for name in facts.names_of(door) if facts.home_of(door, name) == door]
        others = [name for name in facts.names_of(door) if name not in own]
        more = f"It also gives {code(others)}, described elsewhere.\n\n" if others else ""
        opening = inspect.cleandoc(facts.door(door).__doc__ or "").partition("\n\n")[0]
        parts = facts.by_topic(own) if door == "pillarbox" else {"": own}
        return f"# `{door}`\n\n{opening}\n\n{more}" + "\n".join(
            part(door, *one) for one in parts.items()
        )

    return write


def part(door: str, title: str, names: Iterable[str]) -> str:
    entries = "\n".join(entry(door, name) for name in names)
    heading = f"## {title}\n\n" if title else ""
    return f"{heading}```{{eval-rst}}\n{entries}```\n"


WHOLE = ("pillarbox", "pillarbox.testing.gmail", "pillarbox.testing.graph")
"""The doors of whose classes everything is told, also what a base that nobody imports gives them."""


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
    elif door in WHOLE and any(_is_private(base) for base in value.__mro__[1:]):
        options.append(
            "inherited-members"
        )  # what stands in a base that nobody imports is the class's own
    return f".. {kind}:: {door}.{name}\n" + "".join(f"   :{option}:\n" for option in options)


def _is_private(base: type) -> bool:
    """Whether *base* is ours and behind none of the doors."""
    return base.__module__.startswith("pillarbox.") and not any(
        hasattr(facts.door(door), base.__name__) for door in facts.DOORS
    )
