"""What spread adds to the score of a rumour: bounded, only where it is known, only upwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.hearsay import beyond_reach, with_spread

COUNTS = st.integers(0, 10**9)


def test_a_post_of_a_small_account_that_thousands_pass_on_is_the_more_to_be_verified() -> None:
    small, large = {"reposts": 8_000, "followers": 300}, {"reposts": 8_000, "followers": 30_000_000}
    assert with_spread(0.5, small) > with_spread(0.5, large) >= 0.5


@pytest.mark.parametrize(
    "metrics", [{}, {"reposts": 9_000}, {"followers": 10}, {"reposts": 3, "followers": 1}]
)
def test_where_nothing_is_known_of_its_spread_the_text_alone_counts(metrics: dict[str, int]) -> None:
    assert with_spread(0.42, metrics) == 0.42


@given(score=st.floats(0, 1), reposts=COUNTS, followers=COUNTS)
def test_it_only_raises_and_by_one_log_odd_at_the_most(score: float, reposts: int, followers: int) -> None:
    metrics = {"reposts": reposts, "followers": followers}
    assert 0 <= beyond_reach(metrics) <= 1
    assert score - 1e-4 <= with_spread(score, metrics) <= min(1.0, score + 0.25)
