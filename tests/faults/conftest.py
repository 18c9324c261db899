"""How hard to press, and the table that a campaign prints."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

LONG = os.environ.get("HUIYING_FAULTS") == "long"


@pytest.fixture(scope="session")
def campaign_table() -> Iterator[list[dict[str, Any]]]:
    """Each campaign adds its line; the whole is printed when the last has ended."""
    lines: list[dict[str, Any]] = []
    yield lines
    write = pytest.console_write  # type: ignore[attr-defined]
    write(_table(lines))
