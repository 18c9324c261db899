"""RFC 8785 (JCS) at the speed of the standard library's encoder.

Both write the same bytes for texts, true, false, null, small whole numbers and plain fractions under keys
of the Basic Multilingual Plane. What might differ (a whole float, an exponent, a number beyond 2^53, a
character from beyond the plane, for it may stand in a key, anything that is not JSON) is handed to the reference
encoder; the test of this module holds both together.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import rfc8785

_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)
_DOUBTS: Final = (
    re.compile(r"\.0[,\]}]"),  # 1.0 is written 1
    re.compile(r"e[+-]\d"),  # 1e+16 is written 10000000000000000
    re.compile(r"[:\[,]-?\d{16}"),  # above 2^53 it is an error
    re.compile("[\U00010000-\U0010ffff]"),  # keys are ordered by UTF-16 units
)
"""Found in a text or a key instead of a number they only cost time. None looks further than a few characters: one
that looked for the end of its text would go through a long one again from each character that it begins at."""


def dumps(value: dict[str, Any]) -> bytes:
    """The canonical bytes of a JSON object. Raises ValueError where it has none. Keys must be texts all the way
    down: the standard library's encoder would make texts of others without a word."""
    try:
        text = _ENCODER.encode(value)
        if not any(doubt.search(text) for doubt in _DOUBTS):
            return text.encode()
    except (TypeError, ValueError, RecursionError):  # the reference says what is wrong with it
        pass
    return rfc8785.dumps(value)
