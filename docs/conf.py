"""The documentation site: `nox -s docs` builds it into build/docs, with warnings as errors."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.facts import DOORS, names_of

project = "pillarbox"
author = "The pillarbox developers"
copyright = author
release = version_of("pillarbox")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
default_role = "py:obj"  # a name in single backticks, as docstrings have it, is linked where it is one of ours

nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", "(?!pillarbox\\b).*"),  # no other project's inventory is fetched
    ("py:obj", "pillarbox"),  # the project
    ("py:class", r"pillarbox(\.\w+)*\._.*"),  # types that annotations name and nobody imports
]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True

smartquotes_action = "D"  # dashes alone; quotation marks stay as they are typed
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "pillarbox"
html_static_path = ["_static"]
html_css_files = ["pillarbox.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}


# The index of a folder lists its pages in our order and then `*`, whatever else there is: it may be nothing. That warning
# has no type, so that `suppress_warnings` can't name it.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", "") != "empty_glob"
)


def setup(app: Sphinx) -> None:
    next(one for one in PyObject.doc_field_types if one.name == "variable").label = "Attributes"
    app.connect("source-read", add_changes)
    app.connect("env-get-outdated", changed)
    app.connect("autodoc-process-docstring", mark_code, priority=400)
    app.connect("doctree-read", prefer_ours)
    app.connect("missing-reference", find_public_name)
    app.connect("doctree-resolved", link_names)


def add_changes(app: Sphinx, page: str, source: list[str]) -> None:
    """Put what towncrier would write for the next version into the page of changes, before what it wrote."""
    if page == "changelog":
        source[0] += "\n" + drafted() + (CHANGES.read_text("utf-8") if CHANGES.exists() else "")


CHANGES = ROOT / "CHANGELOG.md"


def drafted() -> str:
    draft = f"build --draft --version {release} --date unreleased".split()
    towncrier = [sys.executable, "-m", "towncrier", *draft]
    done = subprocess.run(towncrier, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def changed(app: Sphinx, *_: object) -> list[str]:
    """Read the page of changes again each time: its fragments are files that Sphinx does not know of."""
    return ["changelog"]


def mark_code(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Show as code what docstrings write as Markdown has it: an indented block, and `<` in single backticks."""
    marked: list[str] = []
    for before, line in zip(["", "", *lines], lines, strict=False):
        if (
            marked
            and not marked[-1].strip()
            and line.startswith("    ")
            and re.match(r"\S", before)
        ):
            marked += ["::", ""]
        marked.append(re.sub(r"(?<!`)`([^`]*<[^`]*)`(?!`)", r"``\1``", line))
    lines[:] = marked


def prefer_ours(app: Sphinx, tree: nodes.document) -> None:
    """Let a bare name be that of `pillarbox`, where other modules have one of the same name (`State`)."""
    for node in tree.findall(pending_xref):
        if node.get("refdomain") == "py" and node["reftarget"] in names_of("pillarbox"):
            node["reftarget"] = f"pillarbox.{node['reftarget']}"


def find_public_name(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, shown: nodes.Element
) -> nodes.Element | None:
    """Lead from `Route` or `pillarbox._route.Route` to where `pillarbox.Route` is described."""
    if node.get("refdomain") != "py":
        return None
    short = (
        nodes.Text(shown.astext().rpartition(".")[2])
        if shown.astext().startswith("pillarbox._")
        else shown
    )
    return reference(app, node["refdoc"], node["reftarget"], short)


def link_names(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Lead from each public name that stands as code in a sentence to its description."""
    for literal in list(tree.findall(nodes.literal)):
        if isinstance(
            literal.parent, (nodes.paragraph, nodes.list_item, nodes.entry, nodes.strong)
        ):
            found = reference(
                app, page, literal.astext().removesuffix("()"), literal.deepcopy()
            )
            if found is not None:
                literal.replace_self(found)


def reference(app: Sphinx, page: str, name: str, shown: nodes.Node) -> nodes.Element | None:
    public = re.sub(r"^pillarbox\.((cli|testing|outbox|settings)\.)?(_\w+\.)*", "", name)
    objects = app.env.domains.python_domain.objects
    for candidate in (name, *(f"{door}.{public}" for door in DOORS)):
        if candidate in objects:
            found = objects[candidate]
            return make_refnode(
                app.builder, page, found.docname, found.node_id, shown, candidate
            )
    return None
