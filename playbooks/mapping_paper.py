"""mappings/ID.yaml: which column of a source's tables feeds which field, saved once and kept by people.

Written when the first table of a source is read; from then on nothing is guessed against it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.core.signals import FIELDS
from playbooks.checked import checked
from playbooks.fields import Items, Strict, refuse
from playbooks.loader import load
from playbooks.problem import Problem, Problems, did_you_mean, listed

Column = Annotated[str, Field(min_length=1, max_length=200)]
FieldName = Literal[
    "id", "title", "body", "author", "published_at", "occurred_at", "place", "url", "channel", "source",
    "reads", "reposts", "likes", "comments", "metrics",
]  # fmt: skip
FOLDER = "mappings"


class MappingSource(Strict):
    """列的对应 mappings/标识.yaml。"""

    columns: dict[FieldName, Column]
    """字段: 表头里的列名；至少要有 title 或 body"""
    headers: Items[Column] = ()
    """表头原来的全部列，用来发现表格换了样子"""

    @model_validator(mode="after")
    def _complete(self) -> MappingSource:
        if not {"title", "body"} & set(self.columns):
            raise refuse("columns 里没有 title（标题）也没有 body（内容）", "至少写一个，例如 body: 诉求内容")
        return self


def mapping_path(site: Path, source_id: str) -> Path:
    return site / FOLDER / f"{source_id}.yaml"


def read_mapping(path: Path) -> MappingSource:
    """Raises Problems with everything that is wrong, at its line and column."""
    document = load(path)
    found = checked(MappingSource, document)
    unknown = [
        document.problem(
            ("columns", field),
            f"表头里没有列 “{column}”{did_you_mean(column, found.headers)}",
            f"表头里有：{listed(found.headers)}",
        )
        for field, column in found.columns.items()
        if found.headers and column not in found.headers
    ]
    if unknown:
        raise Problems(unknown)
    return found


def survey_mappings(site: Path) -> list[Problem]:
    """What is wrong in the mapping files of a site."""
    problems: list[Problem] = []
    for path in sorted((site / FOLDER).glob("*.yaml")):
        try:
            read_mapping(path)
        except Problems as found:
            problems.extend(found.problems)
    return problems


def mapping_text(name: str, columns: Mapping[str, str], headers: Iterable[str]) -> str:
    """The file as it is first written, for people to correct."""
    quoted = [f"  {field}: {_quoted(columns[field])}" for field in FIELDS if field in columns]
    seen = [f"  - {_quoted(header)}" for header in headers]
    return "\n".join(
        [
            f"# {name} 的列对应，读第一个表时自动写下；可以改，改后用 huiying lint 核对。",
            f"# 左边是字段（{'、'.join(FIELDS)}），右边是表头里的列名。",
            "columns:",
            *quoted,
            "# 当时表头的全部列；表格换了样子时，系统按它说出差别，不会自己另猜。",
            "headers:" if seen else "headers: []",
            *seen,
            "",
        ]
    )


def _quoted(text: str) -> str:
    """JSON's text is YAML's too."""
    return json.dumps(text, ensure_ascii=False)
