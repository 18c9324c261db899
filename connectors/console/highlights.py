"""A text in pieces, some of them marked: escaping stays the template's, since every piece is plain text."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.console.desk import View


def pieces(text: str, marks: Sequence[View]) -> list[View]:
    """[{text, mark: MARK | None}], which joined are `text` again; marks that do not fit it are left out."""
    found: list[View] = []
    at = 0
    for mark in sorted(marks, key=lambda one: one["start"]):
        if at <= mark["start"] < mark["end"] <= len(text):
            found += [{"text": text[at : mark["start"]], "mark": None}] if mark["start"] > at else []
            found.append({"text": text[mark["start"] : mark["end"]], "mark": mark})
            at = mark["end"]
    return found + ([{"text": text[at:], "mark": None}] if at < len(text) else [])
