"""An incident's story as a trace: spans with true beginnings and ends, and numbers that a second telling repeats.

Pure. A span says which incident, clock, rung and channel; no texts, no names of people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

ROOT = "incident"
Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """`key` names it within its incident, `parent` is another's key; `said`: its attributes."""

    incident_id: str
    key: str
    name: str
    began: datetime
    ended: datetime
    parent: str = ROOT
    said: Mapping[str, Value] = field(default_factory=dict)
    failed: bool = False


def trace_id(site: str, incident_id: str) -> int:
    """128 bits, the same whenever and wherever this incident of this site is told; never 0."""
    return _number(f"huiying {site} {incident_id}", 16)


def span_id(site: str, incident_id: str, key: str) -> int:
    """64 bits, never 0."""
    return _number(f"huiying {site} {incident_id} {key}", 8)


def _number(text: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:size]) or 1
