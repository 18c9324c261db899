"""The quick canonical encoder writes the reference's bytes, or raises where the reference does."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.ledger import canonical

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.one_of(TEXTS, st.sampled_from(["\ufb33", "\U0001f600", '\U0001f600"', "é", "10", "9", "a\\", ""]))
NUMBERS = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 1e16, 1e21, 1e-7, 5e-324, 0.1, 1e15, 123456789012345.6]),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner, inner), st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=400)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
@example({'\U0001f600\\":': 1, "\ufb33": 2})
@example({"a": {"\U0001f600": 1, "\ufb33": 2}})
@example({"a": "1.0]", "b": [1.0], "c": "e+1", "d": "\x1f\x7f\u2028"})
def test_the_bytes_are_those_of_the_reference(value: dict[str, Any]) -> None:
    assert canonical.dumps(value) == rfc8785.dumps(value)


def test_a_long_text_full_of_characters_beyond_the_plane_is_the_references_too() -> None:
    value = {"said": "\U0001f631火\\" * 50_000, "seals": [["\U0001f600" * 9, 1.5]] * 20}
    assert canonical.dumps(value) == rfc8785.dumps(value)


def test_what_is_looked_for_ends_a_few_characters_on_so_that_a_text_is_gone_through_but_once() -> None:
    parser: Any = import_module("re._parser")
    for doubt in canonical._DOUBTS:
        _, most = parser.parse(doubt.pattern).getwidth()
        assert most <= 20, doubt.pattern


@pytest.mark.parametrize(
    "wrong", [2**53, -(2**53), math.nan, math.inf, "\ud800", object(), {1, 2}, b"x", {"b": object()}]
)
def test_what_has_no_canonical_form_is_refused_alike(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        rfc8785.dumps({"a": wrong})
    with pytest.raises(ValueError, match=r".+"):
        canonical.dumps({"a": wrong})
