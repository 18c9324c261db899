"""How far a post travels beyond the account it came from: what spread adds to the score of a rumour.

Never a verdict, and it only ever raises: a reason to verify (N-040, N-061).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

_SLOPE: Final = 0.174
_USUAL: Final = -8.7
_MOST: Final = 1.0
"""Fitted on CED (`huiying evaluate`, rumour): log-odds for each e-fold of reposts beyond the followers, from
the usual share on, at the most one. That set took its true posts from large accounts, so that the bound is
kept low."""
_FEWEST: Final = 20


def beyond_reach(metrics: Mapping[str, int]) -> float:
    """Log-odds, 0…1; 0 where the followers are not told or hardly anybody passes it on."""
    reposts, followers = metrics.get("reposts", 0), metrics.get("followers", 0)
    if reposts < _FEWEST or followers <= 0:
        return 0.0
    share = math.log1p(reposts) - math.log1p(followers)
    return min(_MOST, max(0.0, _SLOPE * (share - _USUAL)))


def with_spread(score: float, metrics: Mapping[str, int]) -> float:
    """The text's score 0…1, raised by how far it travels."""
    more = beyond_reach(metrics)
    if not more:
        return score
    odds = math.log(max(score, 1e-6) / max(1 - score, 1e-6))
    return round(1 / (1 + math.exp(-odds - more)), 4)
