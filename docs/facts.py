"""What the reference says, read off the code: names, events, variables, hooks, groups, commands."""

from __future__ import annotations

import ast
import fnmatch
import functools
import importlib
import importlib.util
import inspect
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import click

import pillarbox

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for part in ("core/src", *map(str, (ROOT / "plugins").glob("*/src")))
    for path in (ROOT / part).rglob("*.py")
)


CORE = ROOT / "core/src/pillarbox"
FIRST = (
    "pillarbox",
    "pillarbox.settings",
    "pillarbox.directories",
    "pillarbox.outbox",
    "pillarbox.testing",
)


def _doors_of_core() -> list[str]:
    """Return the modules of core that say what others may import of them: those with an `__all__` and a public name."""
    paths = (path for path in SOURCES if path.is_relative_to(CORE))
    inside = (
        path.relative_to(CORE.parent).with_suffix("").parts for path in paths if _gives(path)
    )
    names = (".".join(parts).removesuffix(".__init__") for parts in inside)
    public = [name for name in names if "._" not in name]
    return sorted(
        public, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)
    )


def _gives(path: Path) -> bool:
    return re.search(r"^__all__\b", path.read_text("utf-8"), re.MULTILINE) is not None


def _doors_of_plugins() -> list[str]:
    """Return the plugins' packages that were described, or can be now: one that is only begun stops nobody."""
    packages = sorted(path.parent.name for path in ROOT.glob("plugins/*/src/*/__init__.py"))
    pages = ROOT / "docs/reference/python"
    return [one for one in packages if (pages / f"{one}.md").exists() or _is_whole(one)]


def _is_whole(package: str) -> bool:
    try:
        module = importlib.import_module(package)
        return all(hasattr(module, name) for name in module.__all__)
    except ImportError:
        return False


DOORS = (*_doors_of_core(), *_doors_of_plugins())
"""The modules that others may import from, in the order in which a reader meets them: core's, then the plugins'."""
HELP_WIDTH = 92
"""Columns of a command's help, so that a page shows it without scrolling."""


@functools.cache
def trees() -> Mapping[Path, ast.Module]:
    """Return every source, parsed."""
    return {path: ast.parse(path.read_text("utf-8")) for path in SOURCES}


def door(name: str) -> ModuleType:
    """Return the module *name*.

    Raises:
        ModuleNotFoundError: Its distribution is not installed, so the reference can't be read off it.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        cure = (
            "Install every plugin (CONTRIBUTING.md says how): the reference describes them all."
        )
        raise ModuleNotFoundError(f"{error}. {cure}", name=error.name) from error


def names_of(module: str) -> list[str]:
    return list(door(module).__all__)


def home_of(module: str, name: str) -> str:
    """Return the first door that gives what *module* calls *name*: it is described there, once."""
    value = getattr(door(module), name)
    homes = (
        other
        for other in DOORS
        if name in names_of(other) and getattr(door(other), name) is value
    )
    return next(homes)


TOPICS: Mapping[str, tuple[str, ...]] = {
    "Sending": ("_mailer", "_aio", "_status"),
    "Messages": ("_message", "_attachment", "_address"),
    "Receipts, envelopes and states": ("_mail",),
    "Errors": ("_errors",),
    "Companies, users and accounts": ("_settings", "_schema", "_directory", "_toml"),
    "Routes and findings": ("_resolution", "_composition", "_route", "_suggestion"),
    "Transports and connectors": ("_transports", "_network", "_plugins", "_hookspecs"),
    "Vaults": ("_vault", "_sqlite_rows"),
    "Outboxes": ("_outbox",),
}
"""The names of `pillarbox` by the modules they live in: they are many."""


def by_topic(names: Iterable[str]) -> dict[str, list[str]]:
    """Return *names* of `pillarbox`, each under the topic of its module, or under "More"."""
    topic_of = {module: topic for topic, modules in TOPICS.items() for module in modules}
    found: dict[str, list[str]] = {topic: [] for topic in [*TOPICS, "More"]}
    for name in sorted(names, key=_place):
        found[topic_of.get(pillarbox._HOME[name], "More")].append(name)
    return {topic: those for topic, those in found.items() if those}


def _place(name: str) -> tuple[int, str]:
    """Return what names sort by: the module they live in, as its topic lists it, then the alphabet."""
    home = pillarbox._HOME[name]
    return next((those.index(home) for those in TOPICS.values() if home in those), 0), name


def is_data(value: Any) -> bool:
    """Whether *value* is neither a class nor a function, so that what it is stands below it in its module."""
    return not inspect.isclass(value) and not inspect.isroutine(value)


def told(module: str, name: str) -> str:
    """Return what the code says of a public name: its docstring, or the text below its assignment."""
    value = getattr(door(module), name)
    return _below_assignment(name) if is_data(value) else inspect.getdoc(value) or ""


def first_sentence(module: str, name: str) -> str:
    return told(module, name).partition("\n\n")[0]


def _below_assignment(name: str) -> str:
    for tree in trees().values():
        for one, after in itertools.pairwise(tree.body):
            if (
                name in _assigned(one)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                return inspect.cleandoc(str(after.value.value))
    return ""


def _assigned(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.AnnAssign):
        return [ast.unparse(statement.target)]
    return (
        [ast.unparse(target) for target in statement.targets]
        if isinstance(statement, ast.Assign)
        else []
    )


def attribute_texts(cls: type) -> dict[str, str]:
    """Return what the section `Attributes:` of a docstring says, by attribute."""
    section = (inspect.getdoc(cls) or "").partition("Attributes:\n")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    for names, text in re.findall(r"^ {4}([\w, ]+): (.*(?:\n {8}.*)*)", section, re.MULTILINE):
        found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return found


def attribute_text(cls: type, name: str) -> str:
    """Return what the docstring of *cls* says of its attribute *name*.

    Raises:
        KeyError: It says nothing; the page would be empty there.
    """
    texts = attribute_texts(cls)
    if name not in texts:
        raise KeyError(
            f"the docstring of {cls.__name__} says nothing of {name}: add it to its Attributes"
        )
    return texts[name]


def errors() -> list[tuple[int, type[pillarbox.PillarboxError]]]:
    """Return every public error below the one it is a kind of, with how deep it stands; sorted as they are defined."""
    return list(_kinds_of(pillarbox.PillarboxError, 0))


def _kinds_of(
    one: type[pillarbox.PillarboxError], depth: int
) -> Iterator[tuple[int, type[pillarbox.PillarboxError]]]:
    yield depth, one
    for kind in one.__subclasses__():
        if kind.__name__ in names_of("pillarbox") and getattr(pillarbox, kind.__name__) is kind:
            yield from _kinds_of(kind, depth + 1)


def findings() -> dict[str, Mapping[str, str]]:
    """Return the codes of findings with their meanings, under whose they are: core's, then each method's."""
    from pillarbox import _check, _domain, _trial
    from pillarbox._advice import codes
    from pillarbox._connect import standing

    told = {
        "Settings": _check.FINDINGS,
        "Sign-in": standing.FINDINGS,
        "The domain": _domain.FINDINGS,
        "The test mail": _trial.FINDINGS,
        "A change of method": codes.FINDINGS,
    }
    for method, transport in transports().items():
        package = transport.__module__.partition(".")[0]
        if importlib.util.find_spec(f"{package}.findings") is not None:
            told[transport.label or method] = door(f"{package}.findings").finding_codes()
    return told


@attrs.frozen(order=True)
class LoggedEvent:
    """One call of the log: its name, its level and the fields beside."""

    name: str
    level: str
    fields: tuple[str, ...]


@functools.cache
def logged_events() -> list[LoggedEvent]:
    """Return every event that the sources log; a name made at run time has `*` where it varies."""
    calls = (node for tree in trees().values() for node in ast.walk(tree))
    found = {
        _logged(node) for node in calls if isinstance(node, ast.Call) and _is_event(node.func)
    }
    return sorted(found)


def logged_as(name: str) -> list[LoggedEvent]:
    """Return the calls that log the event *name*."""
    exact = [one for one in logged_events() if one.name == name]
    return exact or [
        one for one in logged_events() if "*" in one.name and fnmatch.fnmatch(name, one.name)
    ]


def _is_event(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and ast.unparse(function) == "_log.event"


def _logged(call: ast.Call) -> LoggedEvent:
    level, name = call.args[:2]
    return LoggedEvent(
        _text(name), _text(level), tuple(word.arg or "" for word in call.keywords)
    )


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values
        )
    return str(ast.literal_eval(node))


def texts_in_code(pattern: str, within: Path = ROOT) -> set[str]:
    """Return every text constant of the sources *within* a folder or file that matches *pattern* wholly."""
    inside = (tree for path, tree in trees().items() if path.is_relative_to(within))
    texts = (
        node.value
        for tree in inside
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
    )
    return {text for text in texts if isinstance(text, str) and re.fullmatch(pattern, text)}


def hooks() -> dict[str, Any]:
    """Return the hook specifications, by name."""
    from pillarbox import _hookspecs

    return {
        name: one for name, one in vars(_hookspecs).items() if name.startswith("pillarbox_")
    }


def our_points(group: str) -> list[Any]:
    """Return the entry points of *group* that our own distributions bring, by name."""
    from pillarbox._entry_points import distribution_of, entry_points

    ours = {f"pillarbox-{folder.name}" for folder in (ROOT / "plugins").iterdir()} | {
        "pillarbox"
    }
    return sorted(
        (one for one in entry_points(group) if distribution_of(one) in ours),
        key=lambda one: one.name,
    )


def transports() -> Mapping[str, Any]:
    """Return our transports that are installed, by method."""
    return {point.name: point.load() for point in our_points("pillarbox.transports")}


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command with its whole name and a context that lays out its help: ours, then those of plugins."""
    from pillarbox.cli import command as root

    yield from _below(root, "pillarbox", None)
    context = _context(root, "pillarbox", None)
    for point in our_points("pillarbox.commands"):
        yield from _below(point.load(), f"pillarbox {point.name}", context)


def _below(
    found: click.Command, path: str, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = _context(found, path, parent)
    yield path, found, context
    if isinstance(found, click.Group):
        for name in found.list_commands(context):
            inner = found.get_command(context, name)
            if inner is not None:
                yield from _below(inner, f"{path} {name}", context)


def _context(found: click.Command, path: str, parent: click.Context | None) -> click.Context:
    name = path.rpartition(" ")[2]
    return click.Context(
        found,
        info_name=name,
        parent=parent,
        terminal_width=HELP_WIDTH,
        max_content_width=HELP_WIDTH,
    )
