"""Which kind of opinion 舆情类别 (S-030…S-041): rules over the lexicon, None when no word points.

A rule of thumb until it is learned from examples; the officer's choice replaces it.
"""

from __future__ import annotations

from models.core.lexicon import Hits
from models.core.vocabulary import Medium, OpinionKind

# of kinds with equally many words the earlier wins: what needs more done stands first
_ORDER = (
    OpinionKind.FALSE_INFO,
    OpinionKind.MAJOR_PROBLEM,
    OpinionKind.UNINFORMED,
    OpinionKind.HARDSHIP,
    OpinionKind.CONSTRUCTIVE,
)


def kind_of(hits: Hits, medium: Medium | None = None) -> OpinionKind | None:
    """A notice of the network office is its own kind, whatever it says."""
    if medium is Medium.CAC_NOTICE:
        return OpinionKind.CAC_NOTICE
    counts = [(len(hits.of(kind)), -place, kind) for place, kind in enumerate(_ORDER)]
    most, _, kind = max(counts)
    return kind if most else None
