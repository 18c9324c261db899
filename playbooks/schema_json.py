"""JSON Schema of every kind of file, for editors (yaml-language-server) and `huiying schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from playbooks.channels_paper import ChannelsSource
from playbooks.golden import GoldenSource
from playbooks.grading_paper import GradingSource
from playbooks.holidays import HolidaysSource
from playbooks.papers import SiteSource
from playbooks.plans_paper import PlansSource
from playbooks.problem import did_you_mean, listed
from playbooks.roster_paper import RosterSource
from playbooks.scene import CastSource
from playbooks.schema import PlaybookSource, ProfileSource
from playbooks.sources_paper import SourcesSource

KINDS: dict[str, type[BaseModel]] = {
    "playbook": PlaybookSource,
    "profile": ProfileSource,
    "site": SiteSource,
    "sources": SourcesSource,
    "channels": ChannelsSource,
    "roster": RosterSource,
    "plans": PlansSource,
    "holidays": HolidaysSource,
    "grading": GradingSource,
    "test": GoldenSource,
    "people": CastSource,
}
SCHEMAS = Path(__file__).resolve().parent / "schemas"


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of file. Raises ValueError that lists the kinds."""
    if kind not in KINDS:
        raise ValueError(f"没有 “{kind}” 的 schema{did_you_mean(kind, KINDS)}；可用：{listed(KINDS)}")
    body = KINDS[kind].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}


def schema_text(kind: str) -> str:
    """The same as the committed file holds it."""
    return json.dumps(schema(kind), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write_schemas(directory: Path = SCHEMAS) -> list[Path]:
    """Write `<kind>.schema.json` for every kind into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{kind}.schema.json" for kind in KINDS]
    for kind, path in zip(KINDS, paths, strict=True):
        path.write_text(schema_text(kind), encoding="utf-8")
    return paths
