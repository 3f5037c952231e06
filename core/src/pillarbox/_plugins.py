"""Finds what is installed: methods by their entry points, imported on first use; a broken one harms nobody."""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ._errors import PillarboxError, TransportNotInstalled, Unavailable
from ._settings import NONE
from ._transports import Connector, Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint
    from pathlib import Path

    import pluggy

    from ._route import Attempt
    from ._vault import Vault

OURS: Mapping[str, str] = {
    "smtp": "pillarbox-smtp",
    "m365": "pillarbox-m365",
    "gmail": "pillarbox-gmail",
    "mapi": "pillarbox-mapi",
}
"""Our own methods and their distributions; only these are ever advertised, never what a settings file names."""
TRANSPORTS = "pillarbox.transports"


@attrs.frozen(kw_only=True)
class MethodInfo:
    """One method, as `pillarbox methods` lists it.

    Attributes:
        problem: Why it can't be used here, with the cure, or "".
    """

    name: str
    label: str = ""
    distribution: str = ""
    version: str = ""
    problem: str = ""


@functools.cache
def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """Return the installed entry points of *group*, read once a process (it imports importlib.metadata)."""
    from importlib import metadata

    return tuple(metadata.entry_points(group=group))


def distribution_of(point: EntryPoint) -> str:
    """Return the name of the distribution that brings *point*, or ""."""
    return point.dist.name if point.dist else ""


class Plugins(Mapping[str, type[Transport]]):
    """The installed transports by method name, each imported when it is first asked for.

    Args:
        allowed: The distributions that may be imported; None for all. `PILLARBOX_PLUGINS`, names with commas
            between them, narrows it further.
        chosen: Method -> distribution, where two offer one name.
        extra: Transports that are not installed but given by the host, by name.
    """

    def __init__(
        self,
        *,
        allowed: tuple[str, ...] | None = None,
        chosen: Mapping[str, str] | None = None,
        extra: Mapping[str, type[Transport]] | None = None,
    ) -> None:
        self._allowed = allowed
        self._chosen = dict(chosen or {})
        self._loaded: dict[str, type[Transport]] = dict(extra or {})
        self._extra = frozenset(self._loaded)

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
        return all(names is None or distribution_of(point) in names for names in lists)

    def _point(self, name: str) -> EntryPoint:
        points = [point for point in self._points() if point.name == name]
        if name in self._chosen:
            points = [point for point in points if distribution_of(point) == self._chosen[name]]
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
        if name in OURS:
            cure = f"Install it with: pip install {OURS[name]}"
        else:
            near = difflib.get_close_matches(name, [*self, *OURS], 1)
            installed = ", ".join(self) or "none"
            cure = f"Did you mean {near[0]}?" if near else f"Installed methods: {installed}."
        return TransportNotInstalled(f"The method {name} is not installed.", method=name, cure=cure)

    def _load(self, point: EntryPoint) -> type[Transport]:
        try:
            found = point.load()
            if not (isinstance(found, type) and issubclass(found, Transport)):
                raise TypeError(f"{point.value} is not a Transport")  # noqa: TRY301
            found.settings_class()
        except (Exception, SystemExit) as error:
            raise _broken(point, error) from error
        return found

    def connector(self, name: str) -> Connector:
        """Return the connector *name*.

        Raises:
            Unavailable: It is not installed, or can't be imported.
        """
        points = [point for point in self._points("pillarbox.connectors") if point.name == name]
        if not points:
            known = OURS.get(name)
            cure = f"Install it with: pip install {known}" if known else ""
            raise Unavailable(f"The connector {name} is not installed.", cure=cure)
        try:
            made: Connector = points[0].load()()
        except (Exception, SystemExit) as error:
            raise _broken(points[0], error) from error
        return made

    def describe(self) -> list[MethodInfo]:
        """Return every method there is or could be: installed ones, then ours that are not."""
        points = {point.name: point for point in self._points()}
        found = [self._info(name, points.get(name)) for name in self]
        absent = [
            MethodInfo(name=name, distribution=dist, problem=f"Not installed: pip install {dist}")
            for name, dist in OURS.items()
            if name not in self
        ]
        return found + absent

    def _info(self, name: str, point: EntryPoint | None) -> MethodInfo:
        facts: dict[str, Any] = {"name": name}
        if point is not None and point.dist is not None:
            facts |= {"distribution": point.dist.name, "version": point.dist.version}
        try:
            transport = self[name]
            facts["label"] = transport.label or name
            transport.require_platform()
        except PillarboxError as error:
            facts["problem"] = str(error)
        return MethodInfo(**facts)

    def vault(self, beside: Path) -> Vault | None:
        """Return the vault that is installed, opened beside the settings file, or None where none is.

        Raises:
            Unavailable: It can't be loaded.
        """
        points = self._points("pillarbox.vaults")
        if not points:
            return None
        try:
            opened: Vault = points[0].load()(beside.with_name(f"{beside.stem}.vault.sqlite3"))
        except PillarboxError:
            raise
        except (Exception, SystemExit) as error:
            raise _broken(points[0], error) from error
        return opened

    def command(self, name: str) -> Any:
        """Return the click command that a plugin brings under *name*, or None.

        Raises:
            Unavailable: It can't be loaded.
        """
        for point in self._points("pillarbox.commands"):
            if point.name == name:
                try:
                    return point.load()
                except (Exception, SystemExit) as error:
                    raise _broken(point, error) from error
        return None

    @property
    def tell_attempt(self) -> Callable[[Attempt], None] | None:
        """What tells every plugin of an attempt; None where no plugin module is installed."""
        if not self._points("pillarbox"):
            return None
        return lambda attempt: self.hooks.pillarbox_attempt_finished(attempt=attempt)

    @functools.cached_property
    def hooks(self) -> pluggy.HookRelay:
        """The broadcasts to every plugin module of the group `pillarbox`; a broken module is left out."""
        return self.manager.hook

    @functools.cached_property
    def manager(self) -> pluggy.PluginManager:
        """Pluggy's manager, with the plugin modules registered."""
        import pluggy

        from . import _hookspecs, _log

        manager = pluggy.PluginManager("pillarbox")
        manager.add_hookspecs(_hookspecs)
        for point in self._points("pillarbox"):
            try:
                manager.register(point.load(), name=point.name)
                manager.check_pending()
            except (Exception, SystemExit) as error:  # noqa: BLE001
                _log.event(
                    "warning", "pillarbox.plugin_broken", plugin=point.name, error=type(error).__name__
                )
                if manager.has_plugin(point.name):
                    manager.unregister(name=point.name)
        return manager


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


def _broken(point: EntryPoint, error: BaseException) -> Unavailable:
    dist = distribution_of(point) or point.value
    return Unavailable(
        f"{dist} can't be loaded: {type(error).__name__}: {str(error)[:200]}.",
        cure=f"Reinstall or remove {dist}.",
    )
