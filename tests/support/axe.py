"""axe-core, the referee of accessibility (WCAG 2.2 AA): run inside a page, its findings in one line each."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from support.missing import missing

FILE = Path(__file__).parents[2] / ".cache" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def _source() -> str:
    if not FILE.is_file():
        missing("no axe-core: npm install --prefix .cache/axe axe-core")
    return FILE.read_text(encoding="utf-8")


def findings(page: Page) -> list[str]:
    """What axe calls serious or critical on the page as it stands: rule, place, why."""
    page.evaluate(_source())
    ask = (
        "rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] }).then(r => r.violations)"
    )
    found: list[dict[str, Any]] = page.evaluate(ask, RULES)
    return [
        f"{one['id']} {node['target'][0]}: {' '.join(node['failureSummary'].split())[:200]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"][:3]
    ]
