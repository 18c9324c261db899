"""The time of an event as an interval, told against the hour of publication."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.moment import CST
from models.core.text import canonical
from models.core.when import occurred

SAID = datetime(2026, 11, 4, 10, 30, tzinfo=CST)  # a Wednesday


def at(text: str) -> datetime:
    """11-03 20:45 of that year."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=CST)


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("昨晚9时许，一工棚起火", "11-03 20:45", "11-03 21:30"),
        ("昨晚九点半，一工棚起火", "11-03 21:30", "11-03 21:30"),
        ("今日凌晨，该县发生地震", "11-04 00:00", "11-04 06:00"),
        ("11月3日上午，两车相撞致3人死亡", "11-03 06:00", "11-03 12:00"),
        ("11月3日14时30分许，化工厂发生闪爆", "11-03 14:15", "11-03 14:45"),
        ("3小时前发生爆炸", "11-04 06:45", "11-04 08:15"),
        ("半小时前河里有人溺水", "11-04 09:52", "11-04 10:07"),
        ("周一早上有人落水", "11-02 05:00", "11-02 10:00"),
        ("前天下午三点半，一辆车坠河", "11-02 15:30", "11-02 15:30"),
        ("今天(11月4日)上午8点20分，办公楼发生坍塌", "11-04 08:20", "11-04 08:20"),
        ("5日通报，3日晚发生火灾", "11-03 18:00", "11-04 00:00"),
        ("11月2日晚，公安分局发布通报，当日17时许，发生持刀伤人", "11-02 16:45", "11-02 17:30"),
        ("新华社11月4日电 昨日17时许，一厂房发生坍塌", "11-03 16:45", "11-03 17:30"),
        ("28日凌晨两点，突发山洪", "10-28 02:00", "10-28 02:59"),
        ("昨天深夜1点，发生车祸", "11-04 01:00", "11-04 01:59"),
        ("10月30日23:15，发生4.2级地震", "10-30 23:15", "10-30 23:15"),
        ("刚刚小区爆炸了", "11-04 08:30", "11-04 10:30"),
        ("凌晨3时许一民房起火", "11-04 02:45", "11-04 03:30"),
    ],
)
def test_a_time_is_an_interval_that_a_clock_may_start_on(text: str, earliest: str, latest: str) -> None:
    found = occurred(canonical(text), SAID)
    assert found is not None
    assert (found.earliest.replace(second=0), found.sure) == (at(earliest), True)
    assert found.latest.replace(second=0) == at(latest)


@pytest.mark.parametrize(
    ("text", "earliest"),
    [
        ("上周五该厂发生泄漏", "10-30 00:00"),
        ("11月1日，该厂发生泄漏", "11-01 00:00"),
        ("昨天9点发生车祸", "11-03 09:00"),
        ("晚上十点多，有人砍人", "11-03 22:00"),
        ("昨夜今晨多地发生内涝", "11-03 18:00"),
    ],
)
def test_a_wide_or_unnamed_time_is_told_but_not_sure(text: str, earliest: str) -> None:
    found = occurred(canonical(text), SAID)
    assert found is not None
    assert (found.earliest, found.sure) == (at(earliest), False)


@pytest.mark.parametrize(
    "text",
    [
        "截至11月4日9时，已造成3人死亡",
        "11月4日，市政府发布通报",
        "2015年8月12日发生爆炸",
        "11月5日将发生停水",
        "今晚8点发生爆炸",
        "小区停水三天了",
        "如果昨晚9时发生爆炸",
        "11月3日开学，天气晴好",
        "2月30日发生火灾",
        "",
    ],
)
def test_what_dates_no_event_of_now_gives_none(text: str) -> None:
    assert occurred(canonical(text), SAID) is None


def test_the_words_stand_where_the_span_says() -> None:
    text = canonical("据了解，昨晚9时许，一工棚起火")
    found = occurred(text, SAID)
    assert found is not None
    assert text[found.start : found.end] == found.words == "昨晚9时许"


@given(
    st.text(alphabet="昨今前天日月年晚上午下凌晨时点分许0123456789一二三周上小前发生火灾,。:()", max_size=60),
    st.integers(1_580_000_000, 2_050_000_000),
)
def test_no_time_is_ever_after_the_publication(text: str, second: int) -> None:
    said = datetime.fromtimestamp(second, CST)
    found = occurred(text, said)
    if found is not None:
        assert found.earliest <= found.latest <= said
        assert said - found.earliest < timedelta(days=62)


@pytest.mark.parametrize("flood", ["昨晚9时", "1", "11月", "周一", "凌晨", "(", "3小时前", "。"])
def test_a_flood_of_times_takes_bounded_time(flood: str) -> None:
    begun = time.monotonic()
    occurred(canonical(flood * (1_000_000 // len(flood))), SAID)
    assert time.monotonic() - begun < 30  # a moment alone; a reader that runs away takes minutes
