"""Registers 台账: what a year's work is counted by, how much of it is done, and when somebody is reminded.

A counter asks for `at_least` entries in each period (month, quarter, half year, year), or by a day of it;
`two_years` counts from the last entry. Source: compliance_calendar.yaml (S-076 … S-135). Numbers of
reminding are proposals: once a week at the end of a period, daily when it is late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from models.core.assessment import Trigger
from models.core.casework import Defect, Register
from models.core.moment import CST, local
from models.core.workdays import DAY, Calendar, NoCalendar, WorkingDays, counted, deadline

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
"""The periods that follow one another from 1 January; `two_years` and `once` do not."""
LAST = timedelta(days=30)
"""In the last so many days of a period (at most a quarter of it) it is reminded of weekly."""
OFFICE_HOURS = (9, 18)
"""Registers are nobody's emergency: they are told of in office hours alone."""

REPLY = WorkingDays(20)
"""条例 33: an application is answered within 20 working days (N-046) …"""
EXTENSION = WorkingDays(20)
"""… prolonged once by 20 at the most (N-047)."""
OPINION = WorkingDays(15)
"""条例 32: a third party answers within 15 working days (N-045); the time does not count (N-047)."""
MENDING = WorkingDays(7)
"""条例 30: what is missing is told once, within 7 working days (N-043); then the 20 begin anew."""
SITE_ERROR = WorkingDays(3)
"""国办发〔2017〕47号: who reports an error on a website is answered within 3 working days (N-037)."""


@dataclass(frozen=True, slots=True)
class Term:
    """[since, until), and the day by whose end it is to be done."""

    name: str
    since: datetime
    until: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Counter:
    """A counted duty of the calendar. `until` is a day MM-DD of the period, "" for its end."""

    id: str
    name: str
    every: str
    at_least: int = 1
    until: str = ""
    register: Register | None = None
    owner: str = ""
    basis: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """One entry as a counter sees it: when it happened, which counter and period it names."""

    at: datetime
    kind: Register
    counter: str = ""
    period: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a counter stands in one period."""

    counter: Counter
    period: Term
    done: int
    late: bool

    @property
    def missing(self) -> int:
        return max(0, self.counter.at_least - self.done)


def _first(year: int, month: int) -> datetime:
    """The midnight that begins a month; months run on past the year's end."""
    return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=CST)


def period_of(every: str, moment: datetime, until: str = "") -> Term:
    """The period that holds `moment`. Raises KeyError for two_years and once, which have none."""
    here, months = local(moment), MONTHS[every]
    begun = (here.month - 1) // months * months + 1
    since, end = _first(here.year, begun), _first(here.year, begun + months)
    due_at = _day_of(since, until) + DAY if until else end
    return Term(_name(every, since), since, end, min(due_at, end))


def _day_of(since: datetime, until: str) -> datetime:
    """MM-DD of the year that the period begins in; 02-29 is the month's last day in other years."""
    month, day = (int(part) for part in until.split("-"))
    last = (_first(since.year, month + 1) - DAY).day
    return datetime(since.year, month, min(day, last), tzinfo=CST)


def _name(every: str, since: datetime) -> str:
    part = {
        "month": f"-{since:%m}",
        "quarter": f"-Q{(since.month + 2) // 3}",
        "half_year": "-H1" if since.month == 1 else "-H2",
        "year": "",
    }
    return f"{since.year}{part[every]}"


def standings(
    counter: Counter, entries: Iterable[Counted], now: datetime, began: datetime
) -> tuple[Standing, ...]:
    """The period that runs, before it the last one while it is short of its number. What had to be done
    before the site began to count (`began`) is not held against it."""
    ours = [entry for entry in entries if counts(counter, entry)]
    if counter.every == "two_years":
        return (_rolling(counter, ours, now),)
    if counter.every not in MONTHS:
        return ()
    present = period_of(counter.every, now, counter.until)
    past = period_of(counter.every, present.since - timedelta(seconds=1), counter.until)
    found = [_standing(counter, period, ours, now) for period in (past, present)]
    shown = found if found[0].missing and past.due_at > began else found[1:]
    return tuple(_forgiven(standing, began) for standing in shown)


def _forgiven(standing: Standing, began: datetime) -> Standing:
    """A day that had passed before the site began makes nothing late."""
    if standing.late and standing.period.due_at <= began:
        return Standing(standing.counter, standing.period, standing.done, late=False)
    return standing


def counts(counter: Counter, entry: Counted) -> bool:
    """An entry that names a counter counts for it alone, else for all counters of its register."""
    if entry.counter:
        return entry.counter == counter.id
    return counter.register is not None and counter.register is entry.kind


def _standing(counter: Counter, period: Term, entries: Sequence[Counted], now: datetime) -> Standing:
    done = sum(_within(entry, period) for entry in entries)
    return Standing(counter, period, done, late=done < counter.at_least and now >= period.due_at)


def _within(entry: Counted, period: Term) -> bool:
    """Does the entry belong to the period: the one that it names, else the one that it happened in?"""
    return entry.period == period.name if entry.period else period.since <= entry.at < period.until


def _rolling(counter: Counter, entries: Sequence[Counted], now: datetime) -> Standing:
    """Every two years from the last; one that was never done is due at the end of this year."""
    last = max((entry.at for entry in entries), default=None)
    year = local(now if last is None else last).year
    since = _first(year, 1) if last is None else local(last)
    due_at = _first(year + 1, 1) if last is None else _in_years(since, 2)
    done = counter.at_least if last is not None and now < due_at else 0
    late = now >= due_at
    return Standing(counter, Term(f"{year}-{year + 2}", since, due_at, due_at), done, late)


def _in_years(moment: datetime, years: int) -> datetime:
    """The end of the same day so many years on; 29 February becomes the 28th."""
    try:
        day = moment.replace(year=moment.year + years)
    except ValueError:
        day = moment.replace(year=moment.year + years, day=28)
    return day.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


def occasion(standing: Standing, now: datetime) -> str | None:
    """Under which name somebody is reminded now: each day when late, each week when the end is near."""
    here = local(now)
    if not standing.missing or not OFFICE_HOURS[0] <= here.hour < OFFICE_HOURS[1]:
        return None
    if standing.late:
        return f"late {here:%Y-%m-%d}"
    near = min(LAST, (standing.period.until - standing.period.since) / 4)
    return f"soon {here:%G-W%V}" if standing.period.due_at - near <= now < standing.period.due_at else None


# ── applications for disclosure 依申请公开 ────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Course:
    """What has happened to an application. `consulted` are the spells of asking third parties, the last
    one open while its end is None; `mending_asked`: when what is missing was told; `supplemented`: when the
    mended application came in; `extended`: when the extension was agreed to."""

    received_at: datetime
    mending_asked: datetime | None = None
    supplemented: datetime | None = None
    consulted: tuple[tuple[datetime, datetime | None], ...] = ()
    extended: datetime | None = None

    @property
    def asking(self) -> bool:
        """Is a third party being asked now?"""
        return bool(self.consulted) and self.consulted[-1][1] is None

    @property
    def mending(self) -> bool:
        """Is the mended application waited for? The 20 days begin with it: until then nothing is late."""
        return self.mending_asked is not None and self.supplemented is None


def reply_due(course: Course, calendar: Calendar) -> datetime:
    """The midnight by which an application is answered: 20 working days, 20 more when extended, without
    those in which a third party was asked (条例 32, 33; N-045 … N-047). An open question is taken to end
    with its own limit. Raises NoCalendar."""
    start = course.supplemented or course.received_at
    wanted = REPLY.count + (EXTENSION.count if course.extended else 0)
    spells = [(local(a).date(), _answered(a, b, calendar)) for a, b in course.consulted]
    for day in counted(start, calendar):
        if not any(first < day <= last for first, last in spells):
            wanted -= 1
        if not wanted:
            return datetime(day.year, day.month, day.day, tzinfo=CST) + DAY
    raise AssertionError("working days never end")


def _answered(asked_at: datetime, answered: datetime | None, calendar: Calendar) -> date:
    """The day on which a third party's answer came, or must have come: a late one stops the days no longer than
    its 15 (N-045)."""
    try:
        last = opinion_due(asked_at, calendar) - timedelta(seconds=1)
    except NoCalendar as lack:
        if answered is None or lack.year <= local(answered).year:
            raise
        last = answered
    return local(min(answered or last, last)).date()


def opinion_due(asked_at: datetime, calendar: Calendar) -> datetime:
    """By when a third party answers. Raises NoCalendar."""
    return deadline(asked_at, OPINION, calendar)


def extendable(course: Course, now: datetime, calendar: Calendar) -> str:
    """Why the time may not be prolonged now; "" when it may. A limit in a year without a calendar has not
    passed yet."""
    if course.extended:
        return "已经延长过一次，条例第 33 条只许一次（N-047）；请按现有期限答复"
    if not course.mending and _passed(lambda: reply_due(course, calendar), now):
        return "答复期限已过，不能再延长（条例第 33 条，N-047）；请尽快答复并说明原因"
    return ""


def mendable(course: Course, now: datetime, calendar: Calendar) -> bool:
    """May what is missing be told still (N-043)?"""
    return not _passed(lambda: deadline(course.received_at, MENDING, calendar), now)


def _passed(limit: Callable[[], datetime], now: datetime) -> bool:
    try:
        return now >= limit()
    except NoCalendar as lack:
        return lack.year < local(now).year


# ── kinds that ask for something of their own ─────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Form:
    """What an entry of a kind must say beside its title, and by when it is done unless it says so."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    within: WorkingDays | None = None
    basis: tuple[str, ...] = field(default_factory=tuple)


FIELDS = {
    "defect": "问题种类",
    "platform": "平台",
    "account": "账号名称",
    "filing_no": "备案号",
    "owner": "管理人",
    "contact": "联系方式",
    "outlet": "媒体名称",
    "points": "分值",
    "channel": "渠道",
    "trigger": "情形",
    "counter": "计入事项",
    "period": "计入周期",
    "url": "网址",
}
"""The details that people fill in, in words."""

FORMS: dict[Register, Form] = {
    Register.DISCLOSURE_REQUEST: Form(
        may=("channel",), basis=("政府信息公开条例 33 N-046", "黔财办〔2017〕14号 (十四)2 S-086")
    ),
    Register.SITE_ERROR: Form(may=("url",), within=SITE_ERROR, basis=("国办发〔2017〕47号 N-037", "S-094")),
    Register.FINDING: Form(("defect",), ("url",), basis=("海南省2016年政务公开工作要点 六(二) S-119",)),
    Register.ACCOUNT: Form(
        ("platform", "account"),
        ("filing_no", "owner", "url"),
        basis=("国办发〔2018〕123号 四(一) N-020", "S-062"),
    ),
    Register.PRESS_CONTACT: Form(("outlet", "contact"), basis=("黔财办〔2017〕14号 (十三)1 S-043",)),
    Register.MEDIA: Form(("outlet",), ("url",), basis=("海南省2016年政务公开工作要点 五(三) S-100",)),
    Register.COMPLAINT: Form(may=("points",), basis=("海南省2016年政务公开工作要点 六(二) S-124", "S-128")),
    Register.BONUS: Form(may=("points",), basis=("2022年大理州政务公开工作要点 三(二) S-133",)),
    Register.PLAN: Form(may=("url",), basis=("深化政务公开实施意见(市级范文) 22 S-085",)),
    Register.SUPERVISION: Form(basis=("黔财办〔2017〕14号 (二)2 S-132",)),
    Register.ACCOUNTABILITY: Form(("trigger",), basis=("黔财办〔2017〕14号 (十九)4 S-125",)),
}
"""Kinds that are not named ask for a title alone."""
COUNTING = ("counter", "period")
"""Every entry may say which counter it is for, and for which period it makes up."""
WITH_UNIT = frozenset({Register.COMPLAINT, Register.BONUS, Register.SUPERVISION, Register.ACCOUNTABILITY})
"""Kinds that are held against a unit, or for it: they name one."""


def form_of(kind: Register) -> Form:
    return FORMS.get(kind, Form())


def due_of(kind: Register, happened_at: datetime, calendar: Calendar) -> datetime | None:
    """By when the law wants it done; None where nothing is said. Raises NoCalendar."""
    if kind is Register.DISCLOSURE_REQUEST:
        return reply_due(Course(happened_at), calendar)
    within = form_of(kind).within
    return deadline(happened_at, within, calendar) if within else None


MOST_POINTS = 20.0
"""More for one matter is a slip of the pen."""


def details_of(kind: Register, given: dict[str, str]) -> dict[str, object]:
    """The details of a new entry from the words given. Raises ValueError in words for what is lacking,
    unknown to the kind or of the wrong form."""
    form = form_of(kind)
    lacking = [FIELDS[name] for name in form.needs if not given.get(name)]
    if lacking:
        raise ValueError(f"{kind.zh}缺少{'、'.join(lacking)}；请补上（{'；'.join(form.basis)}）")
    allowed = (*form.needs, *form.may, *COUNTING)
    odd = [FIELDS.get(name, name) for name in given if name not in allowed]
    if odd:
        can = "、".join(FIELDS[name] for name in allowed)
        raise ValueError(f"{kind.zh}没有{'、'.join(odd)}这一项；可以写{can}")
    return {name: _value(name, text) for name, text in given.items() if text}


def _value(name: str, text: str) -> object:
    if name == "points":
        return _points(text)
    if name == "defect" and text not in {each.value for each in Defect}:
        known = "、".join(f"{each.value} {each.zh}" for each in Defect)
        raise ValueError(f"没有问题种类 “{text[:20]}”；可用: {known}（S-119）")
    if name == "trigger" and text not in {each.value for each in Trigger}:
        known = "、".join(f"{each.value} {each.zh}" for each in Trigger)
        raise ValueError(f"没有问责情形 “{text[:20]}”；可用: {known}（S-125…S-127）")
    return text


def _points(text: str) -> float:
    try:
        points = float(text)
    except ValueError:
        points = 0.0
    if not 0 < points <= MOST_POINTS:
        raise ValueError(f"分值 “{text[:20]}” 不对；写 0 到 {MOST_POINTS:g} 之间的数，例如 1 或 0.5")
    return points
