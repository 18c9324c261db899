from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.http import Guard
from support.web import Web


@pytest.fixture
def web() -> Iterator[Web]:
    """A loopback server whose pages the test tells."""
    with Web() as running:
        yield running


@pytest.fixture
def guard() -> Guard:
    """A guard that lets loopback through, as a site's settings may."""
    return Guard(allow_hosts=frozenset({"127.0.0.1"}), deadline_s=10.0)
