"""Civil time of China: one zone, UTC+08:00, no daylight saving since 1991.

Nothing here reads a clock: every moment is an argument (the floor plan's first rule).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, timezone

CST = timezone(timedelta(hours=8), "CST")


def local(moment: datetime) -> datetime:
    """The same instant on a clock in Beijing. Raises ValueError for a naive time."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(CST)


def iso(moment: datetime) -> str:
    """ISO 8601 with offset, to the millisecond where there is one: 2026-11-21T02:13:00+08:00."""
    moment = local(moment)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def parse_iso(text: str) -> datetime:
    """ISO 8601 → instant in +08:00; a time without offset is Beijing time.

    Raises ValueError, whose words name the text and the form wanted.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return local(moment if moment.tzinfo else moment.replace(tzinfo=CST))
    except (ValueError, OverflowError):
        raise ValueError(f"“{text[:40]}” 不是时间；写成 2026-11-21T02:13+08:00 或 2026-11-21 02:13") from None


EARLIEST, LATEST = 1970, 2200


def parse_stated(text: str) -> datetime:
    """A time that somebody states, read as `parse_iso` does. A year before 1970 or after 2200 is a slip,
    and limits counted from it would run out of the calendar. Raises ValueError in words."""
    moment = parse_iso(text)
    if not EARLIEST <= moment.year <= LATEST:
        raise ValueError(
            f"“{text[:40]}” 在 {moment.year} 年；时间须在 {EARLIEST} 至 {LATEST} 年之间，请核对年份"
        )
    return moment


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def clock_face(moment: datetime) -> str:
    """For people: 11-21 02:13."""
    return f"{local(moment):%m-%d %H:%M}"


def deadline_face(moment: datetime) -> str:
    """A limit for people: 11-27 17:00; one that falls on midnight is 24:00 of the day that it ends
    (民法典 203), 11-27 24:00 and not 11-28 00:00."""
    at = local(moment)
    ends_a_day = at.time() == time()
    return f"{at - timedelta(days=1):%m-%d} 24:00" if ends_a_day else clock_face(at)


def span(seconds: float) -> str:
    """A length of time for people: 2 小时 10 分, 45 分, 3 天 4 小时; never negative."""
    minutes = int(abs(seconds) // 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} 天 {hours} 小时" if hours else f"{days} 天"
    if hours:
        return f"{hours} 小时 {minutes} 分" if minutes else f"{hours} 小时"
    return f"{minutes} 分" if minutes else f"{int(abs(seconds))} 秒"


_DURATION = re.compile(r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+(?:\.\d+)?)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?")


def parse_duration(text: str) -> timedelta:
    """ISO 8601 duration of days, hours, minutes, seconds (PT5H, PT90M, P1D) → timedelta.

    Raises ValueError with the form wanted for anything else, for zero and for negatives.
    """
    match = _DURATION.fullmatch(text)
    if match is None or text in ("P", "PT") or text.endswith("T"):
        raise ValueError(f"{text!r} is not a duration; write PT5H for 5 小时, PT30M for 30 分, P2D for 2 天")
    part = {name: float(value) for name, value in match.groupdict().items() if value}
    length = timedelta(
        days=part.get("d", 0), hours=part.get("h", 0), minutes=part.get("m", 0), seconds=part.get("s", 0)
    )
    if length <= timedelta(0):
        raise ValueError(f"{text!r} is no time at all; a limit must be longer than zero")
    return length
