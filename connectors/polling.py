"""How often a source is asked: a pure policy over what its polls have taught. No I/O, no clock.

The interval follows the share of what was known already, between a floor and a ceiling; troubles
make it longer by their weight and never end it; what the other side wishes is respected up to the
ceiling. After the fetch policy of mediacloud/rss-fetcher.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.ports import ConnectorError, Unreachable
from models.core.moment import iso, parse_iso

STEP = 1.5
"""An interval grows or shrinks by this factor."""
MANY_KNOWN, FEW_KNOWN = 2 / 3, 1 / 3
LONGEST_WAIT = timedelta(hours=2)
"""However long a source is in trouble, and whatever it wishes: it is asked again after this."""
HARD, SOFT, TEMPORARY = 1.0, 0.5, 0.25
"""Weights of an error: a lasting no; an answer that says "later"; nobody answered."""
DAYS_KEPT = 8  # a week and its weekend
FEWEST = 10  # rounds with news before a source is believed to have a rhythm
USUALS_MISSED, LONGEST_MISSED = 4.0, 1.25
STRANGER_PATIENCE = timedelta(hours=12)  # until a whole week was seen, a quiet night is no alarm


@dataclass(frozen=True, slots=True)
class Bounds:
    """A source's interval at the start, its floor and its ceiling: least ≤ every ≤ most."""

    every: timedelta
    least: timedelta
    most: timedelta

    def hold(self, seconds: float) -> float:
        return min(max(seconds, self.least.total_seconds()), self.most.total_seconds())


@dataclass(frozen=True, slots=True)
class Seen:
    """What one good poll brought. `gap`: it overlapped nothing of the poll before."""

    new: int = 0
    known: int = 0
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What is known of a source. Seconds are of the site's time.

    `every_s`: the interval now. `troubles`: sum of error weights since it was last good. `news`:
    polls that brought something new; `usual_s`: what usually lies between two of them, `longest`:
    the longest of each day (date → seconds), `since` and `new_at`: the first and the last of them.
    `gaps`: possible losses so far, `gap_at` the last, `gap_open`: not yet followed by an overlap.
    """

    every_s: float | None = None
    troubles: float = 0.0
    news: int = 0
    since: datetime | None = None
    new_at: datetime | None = None
    usual_s: float | None = None
    longest: Mapping[str, float] | None = None
    gaps: int = 0
    gap_at: datetime | None = None
    gap_open: bool = False


_MOMENTS = ("since", "new_at", "gap_at")


def kept(rhythm: Rhythm) -> dict[str, Any]:
    """Plain data for the source's row; `rhythm_of` takes it back."""
    plain = {name: getattr(rhythm, name) for name in Rhythm.__dataclass_fields__}
    return plain | {name: iso(plain[name]) for name in _MOMENTS if plain[name]}


def rhythm_of(plain: Mapping[str, Any] | None) -> Rhythm:
    """What `kept` gave; fields of another version are left aside."""
    known = {name: value for name, value in (plain or {}).items() if name in Rhythm.__dataclass_fields__}
    return Rhythm(**known | {name: parse_iso(known[name]) for name in _MOMENTS if known.get(name)})


# ── after a good poll ─────────────────────────────────────────────────────────────────────────


def after_good(rhythm: Rhythm, seen: Seen, bounds: Bounds, now: datetime) -> Rhythm:
    """The rhythm with one more poll in it; troubles are over."""
    every_s = next_every_s(rhythm.every_s, seen, bounds)
    known = replace(_with_news(rhythm, seen, now), every_s=every_s, troubles=0.0, gap_open=seen.gap)
    return replace(known, gaps=rhythm.gaps + 1, gap_at=now) if seen.gap else known


def next_every_s(current_s: float | None, seen: Seen, bounds: Bounds) -> float:
    """Seconds to the next poll: nearly all known → slower, nearly all new → faster, a gap → the floor."""
    if seen.gap:
        return bounds.least.total_seconds()
    if current_s is None:
        return bounds.every.total_seconds()
    total = seen.new + seen.known
    share = seen.known / total if total else 1.0
    factor = STEP if share > MANY_KNOWN else 1 / STEP if share < FEW_KNOWN else 1.0
    return bounds.hold(current_s * factor)


def _with_news(rhythm: Rhythm, seen: Seen, now: datetime) -> Rhythm:
    if not seen.new:
        return rhythm
    if rhythm.new_at is None:
        return replace(rhythm, news=1, since=now, new_at=now)
    apart = (now - rhythm.new_at).total_seconds()
    usual = apart if rhythm.usual_s is None else 0.7 * rhythm.usual_s + 0.3 * apart
    return replace(
        rhythm, news=rhythm.news + 1, new_at=now, usual_s=usual, longest=_longest(rhythm, apart, now)
    )


def _longest(rhythm: Rhythm, apart: float, now: datetime) -> dict[str, float]:
    """The longest pause of each of the last days, the pause that has just ended counted to today."""
    today = f"{now:%Y-%m-%d}"
    days = {**(rhythm.longest or {})}
    days[today] = max(days.get(today, 0.0), apart)
    return {day: days[day] for day in sorted(days)[-DAYS_KEPT:]}


def wait_after_good(rhythm: Rhythm, bounds: Bounds, wish_s: float | None = None) -> timedelta:
    """Until the next poll. `wish_s` is the source's own (max-age, ttl), heard up to the ceiling."""
    every_s = bounds.hold(rhythm.every_s if rhythm.every_s is not None else bounds.every.total_seconds())
    wish = min(wish_s or 0.0, bounds.most.total_seconds())
    return timedelta(seconds=max(every_s, wish))


# ── after a bad one ───────────────────────────────────────────────────────────────────────────


def weight_of(error: ConnectorError) -> float:
    """How much an error counts: 1 for a lasting no, ½ for an answer that may pass, ¼ for none."""
    if not isinstance(error, Unreachable):
        return HARD
    return SOFT if error.reached else TEMPORARY


def after_trouble(rhythm: Rhythm, weight: float) -> Rhythm:
    return replace(rhythm, troubles=rhythm.troubles + weight)


def wait_after_trouble(rhythm: Rhythm, bounds: Bounds, wish_s: float | None = None) -> timedelta:
    """Linear in the weighted troubles, never longer than two hours (or the site's own ceiling)."""
    ceiling = max(LONGEST_WAIT, bounds.most)
    wait = bounds.every * (1 + rhythm.troubles)
    return min(max(wait, timedelta(seconds=min(wish_s or 0.0, 1e9))), ceiling)


def own_outage(reached: Collection[str], unreached: Collection[str]) -> bool:
    """Is it our own network? Nobody at all was reached, and those were at least two houses."""
    return not reached and len(set(unreached)) >= 2


# ── is its silence unusual? ───────────────────────────────────────────────────────────────────


def patience(rhythm: Rhythm) -> timedelta | None:
    """How long the source may bring nothing new before that is strange; None while it is unknown."""
    if rhythm.news < FEWEST or rhythm.usual_s is None or rhythm.since is None or rhythm.new_at is None:
        return None
    longest = max((rhythm.longest or {}).values(), default=0.0)
    learned = timedelta(seconds=max(USUALS_MISSED * rhythm.usual_s, LONGEST_MISSED * longest))
    known_for = rhythm.new_at - rhythm.since
    return learned if known_for >= timedelta(days=7) else max(learned, STRANGER_PATIENCE)


def strangely_quiet(rhythm: Rhythm, now: datetime) -> bool:
    """Nothing new for longer than this source has ever been quiet in its last days."""
    allowed = patience(rhythm)
    return allowed is not None and rhythm.new_at is not None and now - rhythm.new_at > allowed
