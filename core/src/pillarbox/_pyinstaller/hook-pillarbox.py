"""What has to go along with pillarbox: what is imported by name only, and the plugins that are installed here, with their metadata.

PyInstaller reads which modules a program imports; it sees neither names that are given as text nor entry points. What is
not wanted in the bundle is left out of the environment that it is made in, or excluded by PyInstaller's own options.
"""

from __future__ import annotations

from importlib import metadata

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

TESTS = ("pillarbox.testing", "pillarbox._pyinstaller")
"""What no application needs. `pillarbox certify` and the fakes are not in a bundle."""


def _is_wanted(module: str) -> bool:
    return not module.startswith(TESTS)


def _plugins() -> dict[str, set[str]]:
    """Return the packages of the plugins that are installed, by distribution."""
    found: dict[str, set[str]] = {}
    for distribution in metadata.distributions():
        for point in distribution.entry_points:
            if point.group == "pillarbox" or point.group.startswith("pillarbox."):
                found.setdefault(distribution.name, set()).add(point.module.partition(".")[0])
    return found


datas = [*collect_data_files("pillarbox", excludes=["testing", "_pyinstaller"]), *copy_metadata("pillarbox")]
hiddenimports = collect_submodules("pillarbox", filter=_is_wanted)
for name, packages in _plugins().items():
    datas += copy_metadata(name)
    for package in packages - {"pillarbox"}:
        datas += collect_data_files(package)
        hiddenimports += collect_submodules(package)
