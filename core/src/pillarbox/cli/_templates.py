"""A distribution of one transport, written from the template beside this module."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

import attrs

from .._errors import SettingsError
from .._plugins import OURS
from .._settings import METHOD_NAME, NONE

_PLACES: Mapping[str, str] = {
    "gitignore": ".gitignore",
    "ci/tests.yml": ".github/workflows/tests.yml",
    "docs/method.md": "docs/{method}.md",
}
"""Where those files go that are called otherwise in the template."""
_SUFFIX = ".txt"
"""What every file of the template ends in, so that nothing takes it for what it will be."""


@attrs.frozen
class Names:
    """What a new distribution is called.

    Attributes:
        method: The name that people choose.
        label: What they read.
    """

    method: str
    label: str

    @classmethod
    def of(cls, method: str, label: str = "") -> Names:
        """Return the names for *method*.

        Raises:
            SettingsError: It can't be a method's name, or is one of pillarbox's own.
        """
        if not METHOD_NAME.fullmatch(method):
            raise SettingsError(
                f"{method!r:.60} can't be the name of a method.",
                cure="Take small letters, digits, - and _, at most 40, the first a letter.",
            )
        if method in OURS or method == NONE:
            raise SettingsError(f"{method} is a name of pillarbox's own.", cure="Choose another.")
        return cls(method, label or " ".join(map(str.capitalize, _words(method))))

    @property
    def distribution(self) -> str:
        """What pip calls it."""
        return f"pillarbox-{self.method.replace('_', '-')}"

    @property
    def package(self) -> str:
        """What Python imports."""
        return f"pillarbox_{self.method.replace('-', '_')}"

    @property
    def values(self) -> dict[str, str]:
        """What stands in the template for what."""
        return {
            "method": self.method,
            "label": self.label,
            "distribution": self.distribution,
            "package": self.package,
            "cls": "".join(map(str.capitalize, _words(self.method))),
            "upper": self.method.upper().replace("-", "_"),
            "code": self.method.replace("_", "-"),
            "release": _range(metadata.version("pillarbox")),
        }


def _words(method: str) -> list[str]:
    return [word for word in re.split("[-_]", method) if word]


def _range(version: str) -> str:
    """Return the versions that the contract of *version* promises to hold for: `0.1,<0.2` (see the compatibility policy)."""
    major, minor = map(int, version.split(".")[:2])
    return f"{major}.{minor},<{major + 1}" if major else f"{major}.{minor},<{major}.{minor + 1}"


def write(names: Names, folder: Path) -> list[Path]:
    """Write the distribution into *folder*, which must not hold anything yet, and return its files.

    Raises:
        SettingsError: There is something already; nothing was written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is there already.", cure="Name another folder: --folder FOLDER")
    written = []
    root = resources.files("pillarbox.cli") / "_template"
    for place, file in _files(root):
        target = folder / _target(place, names)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(file.read_text("utf-8")).substitute(names.values), "utf-8", newline="\n")
        written.append(target)
    return sorted(written)


def _files(folder: Traversable, start: str = "") -> Iterator[tuple[str, Traversable]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _files(one, f"{start}{one.name}/")
        elif one.name.endswith(_SUFFIX):
            yield start + one.name.removesuffix(_SUFFIX), one


def _target(place: str, names: Names) -> str:
    found = _PLACES.get(place, place).format(method=names.method)
    return found.replace("src/package/", f"src/{names.package}/")
