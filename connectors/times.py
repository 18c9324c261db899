"""Moments as sources write them → instants in +08:00; what has no offset is Beijing time."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_tz

from models.core.moment import CST

EARLIEST, LATEST = 1990, 2100  # years outside are a machine's default or a slip, not a time
FORMS = "2026-11-21 02:13、2026/11/21 2:13 或 2026年11月21日2时13分"
_EXCEL_EPOCH = datetime(1899, 12, 30, tzinfo=CST)

_CIVIL = re.compile(
    r"(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*[日号]?"
    r"(?:[T,\s]*(?:(?:星期|周)[一二三四五六日天])?\s*(?P<half>上午|下午|凌晨|早上|中午|晚上|AM|PM)?\s*"
    r"(?P<h>\d{1,2})\s*[:时点]\s*(?:(?P<min>\d{1,2})\s*[:分]?\s*(?:(?P<s>\d{1,2})(?:[.,]\d{1,9})?\s*秒?)?)?"
    r"\s*(?P<half2>AM|PM)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(
    r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:[T ]?(?P<h>\d{2})(?P<min>\d{2})(?P<s>\d{2})?)?"
)
_ZONE_AT_END = re.compile(r"(?:[A-Z]{1,5}|[+-]\d{4})\s*(?:\([^)]*\))?$")
_EPOCH = re.compile(r"\d{10}(?:\.\d+)?|\d{13}")


def parse_when(value: object) -> datetime | None:
    """A moment, or None for an empty value.

    Takes datetime, date, text in many shapes, seconds or milliseconds since 1970, and Excel's day
    numbers. Raises ValueError that names the value and the forms wanted.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        moment = _moment(value)
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None:
        raise ValueError(f"“{str(value)[:60]}” 不是时间；写成 {FORMS}")
    if not EARLIEST <= moment.year < LATEST:
        raise ValueError(f"“{str(value)[:60]}” 落在 {moment.year} 年，不会是真的；请核对")
    return moment


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=CST)).astimezone(CST)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=CST)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_number(float(value))
    if isinstance(value, str) and len(value) <= 100:
        return _from_text(unicodedata.normalize("NFKC", value).strip())
    return None


def _from_number(number: float) -> datetime | None:
    if 20_000 <= number < 80_000:
        return _EXCEL_EPOCH + timedelta(seconds=round(number * 86_400))
    if 6e8 <= number < 4.2e9:
        return datetime.fromtimestamp(number, CST)
    if 6e11 <= number < 4.2e12:
        return datetime.fromtimestamp(number / 1000, CST)
    return None


def _from_text(text: str) -> datetime | None:
    found = _COMPACT.fullmatch(text) or _CIVIL.fullmatch(text)
    if found:
        return _civil(found.groupdict())
    if _EPOCH.fullmatch(text) or re.fullmatch(r"\d{5}(?:\.\d+)?", text):
        return _from_number(float(text))
    return _from_mail(text)


def _civil(part: dict[str, str | None]) -> datetime:
    hour = int(part.get("h") or 0)
    half = (part.get("half") or part.get("half2") or "").upper()
    if hour < {"下午": 12, "晚上": 12, "PM": 12, "中午": 6}.get(half, 0):
        hour += 12
    elif half in ("AM", "凌晨") and hour == 12:
        hour = 0
    if hour > 24:
        raise ValueError("a day has 24 hours")
    day = datetime(
        int(part["y"] or 0), int(part["m"] or 0), int(part["d"] or 0), tzinfo=_zone(part.get("zone"))
    )
    clock = day.replace(hour=hour % 24, minute=int(part.get("min") or 0), second=int(part.get("s") or 0))
    return (clock + timedelta(days=hour // 24)).astimezone(CST)  # 24时 is the next day's 0时


def _zone(text: str | None) -> timezone:
    if not text:
        return CST
    if text[0] not in "+-":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _from_mail(text: str) -> datetime | None:
    """Sat, 21 Nov 2026 02:13:00 +0800, and the same without a zone."""
    try:
        parts = parsedate_tz(text)
    except (IndexError, TypeError):
        return None
    if parts is None:
        return None
    # the standard library reads a missing zone as UTC; here it is Beijing
    zone = timezone(timedelta(seconds=parts[9] or 0)) if _ZONE_AT_END.search(text) else CST
    return datetime(*parts[:6], tzinfo=zone).astimezone(CST)
