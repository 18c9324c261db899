"""The working-day calendar: the package's years, the site's file over them, and what lint says of it."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from models.core.moment import CST
from models.core.workdays import YearDays, is_working
from playbooks.book import Library
from playbooks.holidays import calendar_of, lacking, published, stamp
from playbooks.lint import lint
from playbooks.problem import Problems
from playbooks.site import load_site, survey

OWN = """\
years:
  "2027":
    source: 国务院办公厅通知
    off: [2027-01-01/2027-01-03, 2027-02-05/2027-02-11]
    work: [2027-01-30]
"""
REPLY = """\
id: reply
name: 答复
trigger: {when: true}
clocks:
  - {id: reply, name: 答复, amount: 5 个工作日, start: receipt, fallback: discovery, stop: {evidence: reply_receipt}}
"""
NOVEMBER, OCTOBER = datetime(2026, 11, 1, tzinfo=CST), datetime(2026, 10, 31, tzinfo=CST)


def site(directory: Path, holidays: str | None = None, playbook: str = REPLY) -> Path:
    (directory / "site.yaml").write_text("name: 临江\n", encoding="utf-8")
    (directory / "playbooks").mkdir()
    (directory / "playbooks" / "reply.yaml").write_text(playbook, encoding="utf-8")
    if holidays is not None:
        (directory / "holidays.yaml").write_text(holidays, encoding="utf-8")
    return directory


def said(directory: Path, now: datetime | None = None) -> list[str]:
    lines = [str(each).removeprefix(f"{directory.resolve()}/") for each in survey(directory, None, now)[1]]
    return [line for line in lines if line.startswith("holidays.yaml")]


def test_the_package_knows_its_years_whole_and_guesses_none() -> None:
    years = published()
    assert {2024, 2025, 2026} <= years.keys()
    assert 2027 not in years
    assert date(2026, 10, 10) in years[2026].work


def test_the_sites_years_stand_over_the_packages_and_add_to_them(tmp_path: Path) -> None:
    calendar = load_site(site(tmp_path, OWN), {}).calendar
    assert calendar.keys() == published().keys() | {2027}
    assert is_working(date(2027, 1, 30), calendar)  # a Saturday
    assert not is_working(date(2027, 2, 8), calendar)  # a Monday
    assert calendar[2026] == published()[2026]


def test_a_site_without_the_file_has_the_packages_calendar(tmp_path: Path) -> None:
    assert load_site(site(tmp_path), {}).calendar == published()
    assert stamp(tmp_path) == 0


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("2027-01-30", "2027-01-29", "holidays.yaml:5:12: 2027-01-29 是周五，本来就上班（work 里只写周末）"),
        ("2027-01-30", "2027-02-06", "holidays.yaml:5:12: 2027-02-06 同时写在 off 和 work 里（留一处）"),
        ("2027-01-30", "2028-01-29", "holidays.yaml:5:12: 2028-01-29 不在 2027 年（移到 2028 年下面）"),
        ("2027-01-30", "1月30日", "holidays.yaml:5:12: “1月30日” 不是日期（写成 2027-10-01"),
        (
            "2027-02-05/2027-02-11",
            "2027-02-11/2027-02-05",
            "holidays.yaml:4:34: “2027-02-11/2027-02-05” 不是一段日子",
        ),
        (
            "2027-02-05/2027-02-11",
            "2027-02-05/2027-12-11",
            "holidays.yaml:4:34: “2027-02-05/2027-12-11” 不是一段日子",
        ),
        (
            "    source: 国务院办公厅通知\n",
            "",
            "holidays.yaml:2:3: 缺少键 “source”（依据：通知的文号或网址）",
        ),
        ("off:", "of:", "holidays.yaml:4:5: 未知的键 “of”，是不是 “off”？"),
        ('"2027"', '"27"', "holidays.yaml:3:5: “27” 不是年份（写成四位数，例如 2027）"),
    ],
)
def test_a_slip_in_the_calendar_is_told_at_its_place(
    tmp_path: Path, right: str, wrong: str, expected: str
) -> None:
    lines = said(site(tmp_path, OWN.replace(right, wrong, 1)))
    assert any(line.startswith(expected) for line in lines), lines


def test_days_off_beyond_the_national_notice_are_worth_a_word(tmp_path: Path) -> None:
    """三月三 in 广西 is off by a law of its own; a slip would put statutory limits back."""
    lines = said(site(tmp_path, 'years:\n  "2026":\n    source: 自治区通知\n    off: [2026-04-20]\n'))
    assert lines == [
        "holidays.yaml:4:11: 提醒：2026-04-20 在内置日历里是工作日，工作日时限会因此推后（确有依据才保留）"
    ]


def test_a_missing_next_year_is_told_from_november_on(tmp_path: Path) -> None:
    directory = site(tmp_path)
    assert said(directory, OCTOBER) == []
    (line,) = said(directory, NOVEMBER)
    assert line.startswith(
        "holidays.yaml:1:1: 提醒：2027 年没有工作日历，工作日时限会被拒绝（国务院办公厅公布后"
    )
    (directory / "holidays.yaml").write_text(OWN, encoding="utf-8")
    assert said(directory, NOVEMBER) == []


def test_only_playbooks_with_working_days_need_a_calendar(tmp_path: Path) -> None:
    books = {book.id: Library((book,)) for book in load_site(site(tmp_path), {}).library.playbooks}
    assert {name for name, library in books.items() if library.counts_days()} >= {"reply", "ticket_channel"}
    assert not books["major_emergency"].counts_days()


def test_what_must_be_there_is_this_year_and_from_november_the_next() -> None:
    only = {2026: YearDays()}
    assert lacking(only, date(2026, 10, 31)) == ()
    assert lacking(only, date(2026, 11, 1)) == (2027,)
    assert lacking(only, date(2027, 1, 1)) == (2027,)
    assert lacking({}, date(2026, 12, 31)) == (2026, 2027)


def test_a_file_by_itself_is_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "holidays.yaml"
    path.write_text(OWN.replace("2027-01-30", "2027-01-29"), encoding="utf-8")
    assert "是周五" in str(lint([path])[0])
    with pytest.raises(Problems):
        path.write_text("years: [1]\n", encoding="utf-8")
        calendar_of(tmp_path)


def test_a_file_that_changes_has_another_stamp(tmp_path: Path) -> None:
    path = tmp_path / "holidays.yaml"
    path.write_text(OWN, encoding="utf-8")
    before = stamp(tmp_path)
    path.write_text(OWN + "\n", encoding="utf-8")
    import os

    os.utime(path, ns=(before + int(timedelta(seconds=2).total_seconds() * 1e9),) * 2)
    assert stamp(tmp_path) != before
