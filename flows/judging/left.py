"""Readings as one worker leaves them for another: JSON, packed; never code.

What stands in the signal's own row does not stand here again. `version` names everything that a reading
depends on: readings of another version are thrown away and read anew.
"""

from __future__ import annotations

import functools
import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from flows.collecting import privacy
from flows.judging.reading import Reading
from flows.judging.stored import raw
from flows.machine import version as program
from flows.wiring import House
from models.classify.judge import Judgement
from models.core.concern import Concern
from models.core.facts import Facts
from models.core.grade import Graded, GradePart, Subtype
from models.core.places import Place
from models.core.plans import Fired, Plan
from models.core.signals import RawSignal
from models.core.topics import Filing
from models.core.vocabulary import EventType
from models.core.when import When
from models.ledger.store import Row

SHAPE: Final = 1
"""Raised whenever the reading of a text changes within a release."""
_FAST = 1  # zlib: an eighth of the size for a hundredth of the time that the reading took


@dataclass(frozen=True, slots=True)
class Left:
    """A reading without its signal; `fired`: (plan's id, its words)."""

    id: int
    key: str
    at: datetime
    gist: str
    judgement: Judgement
    facts: Facts
    event: EventType | None
    parts: tuple[GradePart, ...]
    graded: Graded
    worry: Concern
    subtype: Subtype | None
    place: Place | None
    occurred: When | None
    fired: tuple[tuple[str, tuple[str, ...]], ...]
    filing: Filing | None


@functools.cache
def _all() -> TypeAdapter[list[Left]]:
    return TypeAdapter(list[Left])


def pack(readings: Sequence[Reading], ids: Sequence[int]) -> bytes:
    """The readings of the signals with these numbers, in the same order."""
    left = [_left(one, id_) for one, id_ in zip(readings, ids, strict=True)]
    return zlib.compress(_all().dump_json(left), _FAST)


def _left(one: Reading, id_: int) -> Left:
    fired = tuple((plan.plan.id, plan.words) for plan in one.plans)
    return Left(
        id_, one.key, one.at, one.gist, one.judgement, one.facts, one.event, one.parts, one.graded, one.worry,
        one.subtype, one.place, one.occurred, fired, one.filing,
    )  # fmt: skip


def unpack(body: bytes, signals: Mapping[int, RawSignal], plans: Mapping[str, Plan]) -> dict[int, Reading]:
    """signal's number → its reading, of those that `signals` still asks for. The canonical texts stay
    empty, for only the gist is needed from here on. Raises ValueError where it is not what `pack` made."""
    try:
        left = _all().validate_json(zlib.decompress(body))
        return {one.id: _reading(one, signals[one.id], plans) for one in left if one.id in signals}
    except (zlib.error, ValidationError, KeyError) as error:
        raise ValueError(f"not readings: {error!r}") from None


def _reading(one: Left, signal: RawSignal, plans: Mapping[str, Plan]) -> Reading:
    return Reading(
        one.key, signal, one.at, "", "", one.judgement, one.facts, one.event, one.parts, one.graded, one.worry,
        one.gist, one.subtype, one.place, one.occurred,
        tuple(Fired(plans[name], words) for name, words in one.fired), one.filing,
    )  # fmt: skip


def version(house: House) -> str:
    """The program, its weights and every setting of the site that a reading depends on, as one name."""
    site = house.site
    said = (
        SHAPE, program(), dict(house.judge.versions), site.grading, site.region, site.topics,
        site.watch.hot_search, site.watch.book.plans, site.personal_data,
    )  # fmt: skip
    return hashlib.sha256(_steady(said).encode()).hexdigest()[:16]


def _steady(value: Any) -> str:
    """What `repr` would say, the same in every process: a set has no order of its own."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = (f"{one.name}={_steady(getattr(value, one.name))}" for one in fields(value))
        return f"{type(value).__name__}({','.join(parts)})"
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{_steady(k)}:{_steady(v)}" for k, v in value.items())) + "}"
    if isinstance(value, set | frozenset):
        return "{" + ",".join(sorted(map(_steady, value))) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_steady, value)) + "]"
    return repr(value)


# ── locked, where the site keeps personal data under its key ──────────────────────────────────


def locked(house: House, first: int, body: bytes) -> bytes:
    """The body as it may lie in the database: where texts are stored masked, what was read from their
    originals lies under the site's key. Raises Refused when the key cannot be had."""
    if house.site.personal_data != privacy.ENCRYPT:
        return body
    return privacy.lock_of(house).seal(f"slice:{first}", {"body": b64encode(body).decode()})


def unlocked(house: House, first: int, box: bytes) -> bytes:
    """Raises Refused when the key cannot be had, or is another."""
    if house.site.personal_data != privacy.ENCRYPT:
        return box
    lock = privacy.lock_of(house)
    return b64decode(lock.open(f"slice:{first}", lock.key_id, box)["body"])


def of_rows(house: House, body: bytes, rows: Sequence[Row[Any]]) -> list[Reading] | None:
    """The readings of these rows, in their order; None where one of them is missing."""
    plans = {plan.id: plan for plan in house.site.watch.book.plans}
    found = unpack(body, {row.id: raw(row) for row in rows}, plans)
    return [found[row.id] for row in rows] if len(found) == len(rows) else None
