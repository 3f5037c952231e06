"""Finds what is installed: methods by their entry points, imported on first use; a broken one harms nobody."""

from __future__ import annotations

import difflib
import functools
import inspect
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ._connectors import Connector, Grant
from ._entry_points import distribution_of, entry_points, load, made_for, normal, using
from ._errors import PillarboxError, TransportNotInstalled, Unavailable
from ._route import Suggestion
from ._settings import NONE
from ._transports import Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint
    from pathlib import Path

    import pluggy

    from ._route import Attempt
    from ._schema import Secret
    from ._vault import Rows, Vault

OURS: Mapping[str, str] = {
    "smtp": "pillarbox-smtp",
    "m365": "pillarbox-m365",
    "gmail": "pillarbox-gmail",
    "mapi": "pillarbox-mapi",
}
"""Our own methods and their distributions; only these are ever advertised, never what a settings file names."""
TRANSPORTS = "pillarbox.transports"
LEFT_OUT = "Left out: [deployment] plugins or PILLARBOX_PLUGINS does not name its distribution."
CONNECTORS = "pillarbox.connectors"


@attrs.frozen(kw_only=True)
class MethodInfo:
    """One method, as `pillarbox methods` lists it.

    Attributes:
        problem: Why it can't be used here, with the cure, or "".
        made_for: The versions of pillarbox that the distribution says it is made for; "" where it says nothing.
        grants: What a person may allow when they connect an account of it; () where it signs in with a password.
    """

    name: str
    label: str = ""
    distribution: str = ""
    version: str = ""
    problem: str = ""
    made_for: str = ""
    grants: tuple[str, ...] = ()


class Plugins(Mapping[str, type[Transport]]):
    """The installed transports by method name, each imported when it is first asked for.

    Args:
        allowed: The distributions that may be imported; None for all. `PILLARBOX_PLUGINS`, names with commas
            between them, narrows it further.
        chosen: Method -> distribution, where two offer one name.
        extra: Transports that are not installed but given by the host, by name.
        connectors: Connectors that are not installed but given by the host, by name.
    """

    def __init__(
        self,
        *,
        allowed: tuple[str, ...] | None = None,
        chosen: Mapping[str, str] | None = None,
        extra: Mapping[str, type[Transport]] | None = None,
        connectors: Mapping[str, type[Connector]] | None = None,
    ) -> None:
        self._allowed = allowed
        self._chosen = dict(chosen or {})
        self._loaded: dict[str, type[Transport]] = {
            name: _transport(found) for name, found in (extra or {}).items()
        }
        self._extra = frozenset(self._loaded)
        self._connectors = {name: _connector(found) for name, found in (connectors or {}).items()}
        self._manager: pluggy.PluginManager | None = None

    def __getitem__(self, name: str) -> type[Transport]:
        """Return the transport of the method *name*.

        Raises:
            TransportNotInstalled: No installed distribution offers it, or two do.
            Unavailable: It can't be imported.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(self._point(name))
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._extra, *(point.name for point in self._points())}))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        return name in self._loaded or any(point.name == name for point in self._points())

    def _points(self, group: str = TRANSPORTS) -> tuple[EntryPoint, ...]:
        return tuple(point for point in entry_points(group) if self._may_load(point) and point.name != NONE)

    def _may_load(self, point: EntryPoint) -> bool:
        named = os.environ.get("PILLARBOX_PLUGINS")
        lists = [self._allowed, None if named is None else tuple(name.strip() for name in named.split(","))]
        name = normal(distribution_of(point))
        return all(names is None or name in map(normal, names) for names in lists)

    def _point(self, name: str) -> EntryPoint:
        points = [point for point in self._points() if point.name == name]
        if name in self._chosen:
            chosen = normal(self._chosen[name])
            points = [point for point in points if normal(distribution_of(point)) == chosen]
        if not points:
            raise self._missing(name)
        if len({distribution_of(point) for point in points}) > 1:
            names = " and ".join(sorted(distribution_of(point) for point in points))
            raise TransportNotInstalled(
                f"{names} both offer the method {name}; neither is used.",
                method=name,
                cure=f'Choose one in the settings: [deployment.methods] {name} = "..."',
            )
        return points[0]

    def _missing(self, name: str) -> TransportNotInstalled:
        if any(point.name == name for point in entry_points(TRANSPORTS)):
            return TransportNotInstalled(
                f"The method {name} may not be used here.", method=name, cure=LEFT_OUT
            )
        if name in OURS:
            cure = f"Install it with: pip install {OURS[name]}"
        else:
            near = difflib.get_close_matches(name, [*self, *OURS], 1)
            installed = ", ".join(self) or "none"
            cure = f"Did you mean {near[0]}?" if near else f"Installed methods: {installed}."
        return TransportNotInstalled(f"The method {name} is not installed.", method=name, cure=cure)

    def _load(self, point: EntryPoint) -> type[Transport]:
        with using(point):
            return _transport(load(point))

    def connector(self, name: str) -> Connector:
        """Return the connector *name*.

        Raises:
            Unavailable: It is not installed, or can't be imported.
        """
        if name in self._connectors:
            return self._connectors[name]()
        points = [point for point in self._points(CONNECTORS) if point.name == name]
        if name in self._chosen:
            points = [
                point for point in points if normal(distribution_of(point)) == normal(self._chosen[name])
            ]
        if not points:
            known = OURS.get(name)
            cure = f"Install it with: pip install {known}" if known else ""
            raise Unavailable(f"The connector {name} is not installed.", cure=cure)
        if len({distribution_of(point) for point in points}) > 1:
            names = " and ".join(sorted(distribution_of(point) for point in points))
            raise Unavailable(
                f"{names} both offer the connector {name}; neither is used.",
                cure=f'Choose one in the settings: [deployment.methods] {name} = "..."',
            )
        with using(points[0]):
            made: Connector = _connector(load(points[0]))()
        return made

    @property
    def connectors(self) -> tuple[str, ...]:
        """The names of the connectors that there are, sorted."""
        return tuple(sorted({*self._connectors, *(point.name for point in self._points(CONNECTORS))}))

    def describe(self) -> list[MethodInfo]:
        """Return every method there is or could be: installed ones, then ours that are not."""
        points = {point.name: point for point in self._points()}
        found = [self._info(name, points.get(name)) for name in self]
        absent = [self._absent(name, dist) for name, dist in OURS.items() if name not in self]
        return found + absent

    def _absent(self, name: str, dist: str) -> MethodInfo:
        """Return one of ours that can't be used: it is not installed, or may not be imported here."""
        is_there = any(point.name == name for point in entry_points(TRANSPORTS))
        problem = LEFT_OUT if is_there else f"Not installed: pip install {dist}"
        return MethodInfo(name=name, distribution=dist, problem=problem)

    def _info(self, name: str, point: EntryPoint | None) -> MethodInfo:
        facts: dict[str, Any] = {"name": name}
        if point is not None and point.dist is not None:
            facts |= {
                "distribution": point.dist.name,
                "version": point.dist.version,
                "made_for": made_for(point),
            }
        try:
            transport = self[name]
            facts["label"] = transport.label or name
            facts["grants"] = tuple(one.value for one in Grant) if transport.connector else ()
            transport.require_platform()
        except PillarboxError as error:
            facts["problem"] = str(error)
        return MethodInfo(**facts)

    def vault(self, beside: Path, shared: tuple[Rows, Secret] | None = None) -> Vault | None:
        """Return the vault that is installed, opened beside the settings file, or None where none is.

        Args:
            beside: The settings file.
            shared: Where it keeps its rows, if not in a file of its own, and where its key is.

        Raises:
            Unavailable: It can't be loaded.
        """
        points = self._points("pillarbox.vaults")
        if not points:
            return None
        names = sorted({distribution_of(point) for point in points})
        if len(names) > 1:
            raise Unavailable(
                f"{' and '.join(names)} both bring a vault; neither is used.",
                cure="Uninstall one, or name the distributions to use: [deployment] plugins = [...]",
            )
        path = beside.with_name(f"{beside.stem}.vault.sqlite3")
        with using(points[0]):
            open_vault = load(points[0])
            opened: Vault = open_vault(path, *shared) if shared else open_vault(path)
        return opened

    def outbox(self, kind: str, settings: Any, beside: Path, password: str | None) -> Any:
        """Return the outbox that a plugin brings under the name *kind*, opened.

        Raises:
            Unavailable: None is installed, or it can't be loaded.
        """
        for point in self._points("pillarbox.outboxes"):
            if point.name == kind:
                with using(point):
                    return load(point)(settings, beside, password)
        cure = (
            f"Run: pip install pillarbox-{kind}"
            if kind == "procrastinate"
            else "Install the distribution that brings it."
        )
        raise Unavailable(f"There is no outbox of the kind {kind!r:.60}.", cure=cure)

    def command(self, name: str) -> Any:
        """Return the click command that a plugin brings under *name*, or None.

        Raises:
            Unavailable: It can't be loaded.
        """
        for point in self._points("pillarbox.commands"):
            if point.name == name:
                with using(point):
                    return load(point)
        return None

    def inbox(self) -> Any:
        """Return what shows caught mail on a page, a context manager's maker, or None where no plugin brings one.

        Raises:
            Unavailable: It can't be loaded.
        """
        for point in self._points("pillarbox.inboxes"):
            with using(point):
                return load(point)
        return None

    @functools.cached_property
    def _has_modules(self) -> bool:
        return bool(self._points("pillarbox"))

    @property
    def tell_attempt(self) -> Callable[[Attempt], None] | None:
        """What tells every plugin that listens of an attempt; None where none does, so that none is put into words."""
        if not self._has_modules or not self.hooks.pillarbox_attempt_finished.get_hookimpls():
            return None
        return self._tell

    def _tell(self, attempt: Attempt) -> None:
        """Tell each listener; one that fails keeps none of the others from hearing."""
        _ = list(self._heard(self.hooks.pillarbox_attempt_finished, attempt=attempt))

    def suggested(self, domain: str, mx: tuple[str, ...]) -> tuple[Suggestion, ...]:
        """Return what plugins offer for addresses at *domain*; what is no suggestion is passed over."""
        if not self._has_modules:
            return ()
        answers = self._heard(self.hooks.pillarbox_suggest, domain=domain, mx=mx)
        return tuple(one for one in answers if isinstance(one, Suggestion))

    @staticmethod
    def _heard(caller: pluggy.HookCaller, **told: Any) -> Iterator[Any]:
        """Give what each plugin that hears a broadcast answers; one that fails keeps none of the others from hearing."""
        from . import _log

        for impl in caller.get_hookimpls():
            try:
                yield impl.function(*(told[name] for name in impl.argnames))
            except Exception as error:  # noqa: BLE001  (an audit plugin can't turn an accepted message into an error)
                _log.event(
                    "warning", "pillarbox.hook_failed", plugin=impl.plugin_name, error=type(error).__name__
                )

    @property
    def hooks(self) -> pluggy.HookRelay:
        """The broadcasts to every plugin module of the group `pillarbox`; a broken module is left out."""
        return self.manager.hook

    @property
    def manager(self) -> pluggy.PluginManager:
        """Pluggy's manager, with the plugin modules registered."""
        if self._manager is None:
            self._manager = self._registered()
        return self._manager

    def _registered(self) -> pluggy.PluginManager:
        import pluggy

        from . import _hookspecs, _log

        manager = pluggy.PluginManager("pillarbox")
        manager.add_hookspecs(_hookspecs)
        for point in self._points("pillarbox"):
            try:
                _register(manager, point)
            except (Exception, SystemExit) as error:  # noqa: BLE001
                _log.event(
                    "warning", "pillarbox.plugin_broken", plugin=point.name, error=type(error).__name__
                )
        return manager


def _register(manager: pluggy.PluginManager, point: EntryPoint) -> None:
    """Register the module of *point*, wholly or not at all."""
    name = f"{distribution_of(point)}:{point.name}"
    manager.register(load(point), name=name)
    try:
        manager.check_pending()  # a misspelt hook would be silent
        for caller in manager.get_hookcallers(manager.get_plugin(name)) or []:
            if any(inspect.iscoroutinefunction(impl.function) for impl in caller.get_hookimpls()):
                raise TypeError("a hook can't be a coroutine")  # noqa: TRY301  (nobody would await it)
    except BaseException:
        manager.unregister(name=name)
        raise


def _transport(found: object) -> type[Transport]:
    """Return *found* where it is a transport that can be made.

    Raises:
        TypeError: It is not.
    """
    if not (isinstance(found, type) and issubclass(found, Transport)):
        raise TypeError(f"{found!r:.80} is not a Transport")
    if inspect.isabstract(found):
        raise TypeError(f"{found.__name__} lacks {', '.join(sorted(found.__abstractmethods__))}")
    found.settings_class()
    return found


def _connector(found: object) -> type[Connector]:
    """Return *found* where it is a connector that can be made.

    Raises:
        TypeError: It is not.
    """
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise TypeError(f"{found!r:.80} is not a Connector")
    if inspect.isabstract(found):
        raise TypeError(f"{found.__name__} lacks {', '.join(sorted(found.__abstractmethods__))}")
    return found


def asked(transport: type[Transport], question: str, settings: Any) -> Any:
    """Return what *transport* answers to *question*, one of its class methods, about *settings*.

    Raises:
        Unavailable: It failed; the fault is the method's.
    """
    try:
        return getattr(transport, question)(settings)
    except PillarboxError:
        raise
    except Exception as error:  # noqa: BLE001  (a plugin may raise anything)
        problem = fault(transport, error)
    raise problem


def fault(transport: type[Transport], error: Exception) -> Unavailable:
    """Return what it means that *transport* raised an *error* that is not pillarbox's own; its text may hold secrets."""
    label = transport.label or transport.__name__
    return Unavailable(
        f"{label} failed with {type(error).__name__} before anything was sent.",
        cure="It is a fault of the method.",
    )
