"""Markup from outside → plain text that is safe to store."""

from __future__ import annotations

import html
import re

MAX_TEXT = 100_000  # characters of one text; longer ones are cut with a visible mark
CUT_MARK = "…(截断,全文见原文)"
_SILENT = frozenset({"script", "style", "template"})
BLOCKS = frozenset(
    {
        "p",
        "br",
        "div",
        "li",
        "ul",
        "ol",
        "tr",
        "table",
        "section",
        "article",
        "blockquote",
        "pre",
        "hr",
        "dd",
        "dt",
    }
    | {f"h{level}" for level in range(1, 7)}
)
# an attribute stops at the next angle bracket, so that each character is looked at once
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][^\s<>/]*)[^<>]*>|<[!?][^<>]*>")
# NUL breaks databases, the others terminals and pages; overrides of direction make words read otherwise
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SPACES = re.compile(r"[ \t\u00a0\u3000]+")
_LINES = re.compile(r"\s*\n\s*")


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Without controls and overrides of direction, runs of spaces folded, cut with a mark beyond `limit` characters."""
    text = _CONTROLS.sub("", text[: 2 * limit])
    text = _LINES.sub("\n", _SPACES.sub(" ", text)).strip()
    return text if len(text) <= limit else text[: limit - len(CUT_MARK)] + CUT_MARK


def from_html(markup: str, limit: int = MAX_TEXT) -> str:
    """The words of a piece of HTML; blocks become lines, comments, scripts and styles disappear.

    One pass, linear in the length whatever the markup (html.parser is quadratic in "<!--").
    """
    if "<" not in markup and "&" not in markup:
        return clean(markup, limit)
    markup = without_comments(markup)
    parts, at, silent = [], 0, ""
    for tag in _TAG.finditer(markup):
        name, closing = (tag["name"] or "").lower(), tag["end"] == "/"
        if not silent:
            parts.append(markup[at : tag.start()])
            parts.append("\n" if name in BLOCKS else "")
            silent = name if name in _SILENT and not closing else ""
        elif closing and name == silent:
            silent = ""
        at = tag.end()
    parts.append("" if silent else markup[at:])
    return clean(html.unescape("".join(parts)), limit)


def without_comments(markup: str) -> str:
    """What is never closed is kept as text: a stray mark must not swallow the words after it."""
    parts, at = [], 0
    while (start := markup.find("<!--", at)) >= 0 and (end := markup.find("-->", start + 4)) >= 0:
        parts.append(markup[at:start])
        at = end + 3
    parts.append(markup[at:])
    return "".join(parts)
