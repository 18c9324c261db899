"""The long campaigns: `make proof`, `make soak`. Collected only when asked for, since each takes minutes to hours;
a small one runs with tests/river."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked = any("proof" in str(argument) for argument in config.args)
    return None if asked else True
