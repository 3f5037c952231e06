"""`pillarbox certify`: a transport held to the contract, as a report for people and programs."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from .._entry_points import distribution_of, entry_points, normal
from .._errors import SettingsError, Unavailable
from ._app import State
from ._output import clean, columns, console, json_option, label, plain, print_json, say

if TYPE_CHECKING:
    from ..testing import CaseResult, Certificate, TransportContract

GROUP = "pillarbox.contracts"
STATES = ("failed", "not staged", "passed")
"""What is to be read first."""
_MARKS = {"failed": "FAILED", "not staged": "untried", "passed": "ok"}
_STYLES = {"failed": "red", "not staged": "yellow", "passed": "green"}


@click.command("certify")
@click.argument("target")
@click.option("--all", "all_", is_flag=True, help="List the cases that passed as well.")
@json_option
@click.pass_obj
def command(state: State, target: str, all_: bool) -> int:
    """Hold a transport to the contract that every transport keeps, and say how it stands.

    TARGET is an installed distribution that brings its contract (the entry points pillarbox.contracts), a test file or a
    folder of tests in which a class inherits TransportContract, or MODULE:CLASS. What is there is imported and run: certify
    only what you would install.

    Exits with 0 when the contract is kept in all that was tried, and 1 when it is not, or when nobody could see what
    the transport sent.

    \b
    Examples:
      pillarbox certify pillarbox-acme-mail
      pillarbox certify tests/test_contract.py --all
      pillarbox certify acme.tests:AcmeContract --json
    """
    from ..testing import certify

    found = []
    for contract in contracts_of(target):
        with _progress(state, contract) as tell:
            found.append(certify(contract, tell=tell))
    if state.json:
        print_json(
            {"target": target, "kept": all(one.is_kept for one in found), "certificates": _told(found)}
        )
    else:
        for one in found:
            _print(one, everything=all_)
    return 0 if all(one.is_kept for one in found) else 1


def contracts_of(target: str) -> list[type[TransportContract]]:
    """Return the contracts that *target* names.

    Raises:
        SettingsError: There is none.
        Unavailable: It can't be imported.
    """
    from ..testing import contracts_in

    path = Path(target)
    if path.is_dir():
        values = [value for file in sorted(path.rglob("test_*.py")) for value in _written_in(file)]
    elif path.is_file():
        values = _written_in(path)
    elif ":" in target:
        values = [_named(*target.split(":", 1))]
    else:
        values = _of_distribution(target)
    contracts = contracts_in(values)
    if not contracts:
        raise SettingsError(
            f"{target:.200} has no class that inherits pillarbox.testing.TransportContract.",
            cure="Give the test file that has one, or see how one is begun: pillarbox new-transport --help",
        )
    return contracts


def _written_in(file: Path) -> list[Any]:
    """Return what the module in *file* defines itself; what it imports is somebody else's."""
    name = file.stem if file.stem not in sys.modules else f"{file.stem}_{len(sys.modules)}"
    with _importable(Path.cwd(), file.resolve().parent):
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise SettingsError(f"{file} is no Python file.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        _tried(functools.partial(spec.loader.exec_module, module), str(file))
    return [one for one in vars(module).values() if getattr(one, "__module__", "") == name]


def _named(module: str, name: str) -> Any:
    with _importable(Path.cwd()):
        found: ModuleType = _tried(lambda: importlib.import_module(module), module)
    return getattr(found, name, None)


def _of_distribution(name: str) -> list[Any]:
    """Return what the installed distribution *name* brings as its contracts."""
    points = [one for one in entry_points(GROUP) if normal(distribution_of(one)) == normal(name)]
    if not points:
        try:
            metadata.version(name)
        except (metadata.PackageNotFoundError, ValueError):
            raise SettingsError(
                f"There is no file, folder or installed distribution {name!r:.200}.",
                cure="Give a test file, a folder, MODULE:CLASS, or what pip list calls it.",
            ) from None
    return [_tried(one.load, one.value) for one in points]


def _tried(load: Callable[[], Any], what: str) -> Any:
    """Return what *load* gives.

    Raises:
        Unavailable: It fails, and how; it is the author's own code, so all is told.
    """
    try:
        return load()
    except (Exception, SystemExit) as error:
        raise Unavailable(
            f"{what} can't be imported: {type(error).__name__}: {error}",
            cure="Mend it, or install what it needs.",
        ) from error


@contextlib.contextmanager
def _importable(*folders: Path) -> Iterator[None]:
    """Let modules in *folders* be imported, as pytest does, and write no bytecode beside them."""
    before, wrote = list(sys.path), sys.dont_write_bytecode
    sys.path[:0] = [str(one) for one in folders]
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = before
        sys.dont_write_bytecode = wrote


@contextlib.contextmanager
def _progress(
    state: State, contract: type[TransportContract]
) -> Iterator[Callable[[CaseResult], None] | None]:
    """Show on a terminal which case is being tried: silences and killed senders take seconds."""
    if state.json or not sys.stderr.isatty():
        yield None
        return
    with console(on_stderr=True).status(f"Trying {contract.__name__} ...") as status:
        yield lambda one: status.update(f"Trying {contract.__name__}: {clean(one.case)}")


def _told(found: Sequence[Certificate]) -> list[dict[str, Any]]:
    """Return *found* as JSON has it, with what is reckoned from the cases."""
    return [
        {
            **{key: value for key, value in plain(one).items() if key != "results"},
            "kept": one.is_kept,
            "verdict": one.verdict,
            "counts": {state: len(one.of(state)) for state in STATES},
            "cases": plain(one.results),
        }
        for one in found
    ]


def _print(one: Certificate, *, everything: bool) -> None:
    say(clean(f"{one.label or one.transport or one.contract}, contract {one.version}, {one.seconds:.0f} s"))
    say(clean(f"  {one.transport}, by {one.contract}"))
    say()
    shown = [case for case in one.results if everything or case.state != "passed"]
    for case in sorted(shown, key=lambda case: STATES.index(case.state)):
        for number, line in enumerate(columns([(case.case, case.reason or case.meaning)], gap=3)):
            mark = label(f"{_MARKS[case.state]:<9}", _STYLES[case.state]) if not number else " " * 9
            say(f"  {mark}{line}")
    say()
    counts = ", ".join(f"{len(one.of(state))} {state}" for state in STATES if one.of(state))
    say(f"{counts}. {one.verdict}")
