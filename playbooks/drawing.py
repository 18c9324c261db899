"""A few SVG strokes for pictures of time: enough for a chart that prints, small enough to read.

Colours say state and are never alone in it: every mark has its word beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

INK, PALE, LINE = "#1c2430", "#66707e", "#d5dae1"
GOOD, BAD, DOUBT = "#1f7a4d", "#b3261e", "#8a6100"
FONT = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif"


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 13,
    fill: str = INK,
    anchor: str = "start",
    bold: bool = False,
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"{weight}>'
        f"{escape(words)}</text>"
    )


def bar(
    x: float, y: float, width: float, height: float, fill: str, title: str = "", opacity: float = 1
) -> str:
    """A bar at least four points wide, so that an exact moment can be seen; `title` is its tooltip."""
    hint = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(4.0, width):.1f}" height="{height:.1f}" rx="2" '
        f'fill="{fill}" fill-opacity="{opacity:g}">{hint}</rect>'
    )


def upright(x: float, top: float, bottom: float, *, stroke: str = LINE, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="{stroke}"{dash}/>'


def level(y: float, left: float, right: float, *, stroke: str = LINE) -> str:
    return f'<line x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}" stroke="{stroke}"/>'


def dot(x: float, y: float, fill: str, title: str = "", radius: float = 4) -> str:
    hint = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}">{hint}</circle>'


def sheet(width: float, height: float, title: str, marks: Iterable[str]) -> str:
    """A whole picture on white paper; `title` is what a screen reader says of it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{escape(title)}" font-family="{FONT}">'
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>{"".join(marks)}</svg>\n'
    )


def area(x: float, y: float, width: float, height: float, fill: str) -> str:
    """A piece of the ground, behind everything."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'
