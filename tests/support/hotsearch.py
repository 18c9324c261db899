"""Five years of hot-search titles, which stay outside of the repository (`HUIYING_DATA`)."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def days() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each day with its titles and the hour each was first seen: (HH:MM, title)."""
    root = Path(os.environ.get("HUIYING_DATA") or ROOT.parent / "shared" / "data")
    path = root / "dev" / "hotsearch_to_2025-08.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no {path.name} under {root}; HUIYING_DATA names the evaluation data")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            day = json.loads(line)
            yield day["day"], [(hour, title) for hour, titles in day["seen"] for title in titles]


def posts() -> Iterator[dict[str, Any]]:
    """The same as messages, keyed by moment and words."""
    for day, seen in days():
        for hour, title in seen:
            when = f"{day} {hour}"
            yield {"id": f"{when} {title}", "title": title, "channel": "热搜", "published_at": when}
