"""What a report masks, and what it leaves: a number alone may be somebody's, a hash never is."""

from __future__ import annotations

import pytest

from flows.reporting.asking import veiled

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize("number", ["13800138000", "110105194912310011"])
def test_a_bare_number_is_masked(number: str) -> None:
    assert number not in str(veiled({"title": number, "rows": [(number,)]}))


@pytest.mark.parametrize(
    "kept", [HASH, HASH[:32], f"{HASH[:12]}…", f"{HASH[:16]}…", "2026-11-21T00:00:00+08:00"]
)
def test_hashes_and_times_stay_as_they_are(kept: str) -> None:
    assert veiled([kept]) == [kept]
