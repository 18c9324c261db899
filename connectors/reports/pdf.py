"""A paper as PDF: the template official.typ (the site's own goes before ours) fed with the paper as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.reports import typeset
from connectors.reports.paper import (
    Block,
    Cell,
    Heading,
    Paper,
    Para,
    Picture,
    Table,
    numbered,
    shown,
)

NAME = "official.typ"
OURS = Path(__file__).resolve().parent / "templates" / NAME


def write(paper: Paper, templates: Path | None = None) -> bytes:
    """The whole document; pictures stay drawings. Raises ReportError."""
    inputs = {
        "paper": json.dumps(_paper(paper), ensure_ascii=False),
        "faces": json.dumps(typeset.faces(templates), ensure_ascii=False),
    }
    return typeset.pdf(template(templates), inputs, paper.made_at, templates)


def template(templates: Path | None) -> Path:
    """The template that is used."""
    own = templates / NAME if templates else None
    return own if own is not None and own.is_file() else OURS


def _paper(paper: Paper) -> dict[str, Any]:
    return {
        "title": paper.title,
        "kind": paper.kind,
        "subtitle": paper.subtitle,
        "red_head": paper.red_head,
        "number": paper.number,
        "send_to": paper.send_to,
        "signed": paper.signed,
        "date": paper.date,
        "seal": paper.seal,
        "blocks": [_block(block) for block in numbered(paper.blocks)],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {"is": "heading", "text": block.text, "level": block.level}
        case Para():
            return {"is": "note" if block.note else "para", "text": block.text}
        case Picture():
            return {"is": "picture", "svg": block.svg, "title": block.title, "words": block.words}
        case Table():
            return _table(block)


def _table(table: Table) -> dict[str, Any]:
    return {
        "is": "table",
        "title": table.title,
        "empty": table.empty,
        "head": list(table.head),
        "shares": list(table.shares),
        "rows": [[_cell(cell) for cell in row] for row in table.rows],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {"text": shown(cell), "number": isinstance(cell, int | float)}
