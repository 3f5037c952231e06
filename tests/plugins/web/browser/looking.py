"""What a page is held against: axe's rules for WCAG 2.2 A and AA, and a person's eye (screenshots)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Any) -> list[str]:
    """Return what axe finds wrong with *page*, a line each."""
    assert AXE.exists(), "There is no axe-core: run .ci/install-servers"
    page.wait_for_load_state("load")
    # The page's own policy lets no script of ours in; the browser's debugger is not bound by it.
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("tags => axe.run({runOnly: tags})", TAGS)
    return [
        f"{one['id']}: {one['help']}: {' '.join(node['html'][:120] for node in one['nodes'])}"
        for one in found["violations"]
    ]
