"""What a second look at a published page means: the same, mended, rewritten, gone, or not to be seen."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.core.moment import CST
from models.core.pagetext import compare, main_text
from models.core.rechecking import CONFIRM, WATCHED, Course, Finding, Look, judge
from models.core.vocabulary import PageState

NOW = datetime(2026, 11, 21, 4, 10, tzinfo=CST)
TEXT = (
    "21日零时许，江东化工园区澜港公司一车间发生爆炸。\n已致12人死亡，40余人受伤。\n"
    "救援和调查正在进行，市政府已成立调查组。"
)


def look(at: datetime = NOW, text: str = TEXT, state: PageState = PageState.TAKEN, why: str = "") -> Look:
    return Look(state, at, text, str(hash(text)), why)


def seen(text: str, course: Course = Course(), at: datetime = NOW) -> Finding:  # noqa: B008  (frozen)
    return judge(look(at, text), TEXT, NOW, course)


def test_the_first_look_takes_the_page_and_the_next_is_in_an_hour() -> None:
    found = judge(look(), None, NOW, Course())
    assert (found.state, found.due_at) == (PageState.TAKEN, NOW + timedelta(hours=1))


def test_the_rhythm_is_an_hour_six_hours_a_day_then_daily_for_thirty_days() -> None:
    moments, at, course = [], NOW, Course()
    finding = judge(look(), None, NOW, course)
    while finding.due_at is not None:
        moments.append(finding.due_at - NOW)
        at = finding.due_at
        finding = judge(look(at), TEXT, NOW, finding.course)
    assert [m.total_seconds() / 3600 for m in moments[:5]] == [1, 6, 24, 48, 72]
    assert moments[-1] == WATCHED


def test_furniture_around_the_text_changes_nothing() -> None:
    page = f"首页 > 新闻\n{TEXT}\n浏览次数：{{}} 次\n责任编辑：小王\n版权所有：临江市人民政府办公室，备案号 1"
    assert main_text(page.format(3)) == main_text(page.format(40_000)) == TEXT


def test_a_mended_word_is_told_once_and_takes_nothing_away() -> None:
    mended = TEXT.replace("40余人", "41人")
    first = seen(mended)
    assert (first.state, first.tell, first.retract) == (PageState.EDITED, True, False)
    assert "41人受伤" in first.note
    assert not seen(mended, first.course).tell


def test_a_text_rewritten_is_doubted_first_and_taken_back_ten_minutes_later() -> None:
    other = "本市今日召开安全生产工作会议，部署冬季安全生产工作。会议要求，各地各部门压实责任。"
    first = seen(other)
    assert (first.state, first.retract, first.due_at) == (PageState.CHANGED, False, NOW + CONFIRM)
    second = seen(other, first.course, NOW + CONFIRM)
    assert (second.state, second.retract, second.due_at) == (PageState.CHANGED, True, None)
    assert "原文尚存 0%" in second.note


def test_a_page_that_takes_itself_back_is_rewritten_however_little_has_changed() -> None:
    found = compare(TEXT, f"{TEXT}\n更正：本通报因内容有误，现予撤回，请以后续通报为准。")
    assert (found.kept, found.rewritten) == (1.0, True)


def test_gone_must_be_seen_twice_ten_minutes_apart() -> None:
    gone = look(text="", state=PageState.GONE, why="页面已不存在（404）")
    first = judge(gone, TEXT, NOW, Course())
    assert not first.retract
    soon = judge(look(NOW + timedelta(minutes=3), "", PageState.GONE), TEXT, NOW, first.course)
    assert not soon.retract
    assert judge(look(NOW + CONFIRM, "", PageState.GONE), TEXT, NOW, soon.course).retract


def test_a_page_that_comes_back_in_between_is_the_same_again() -> None:
    first = judge(look(text="", state=PageState.GONE), TEXT, NOW, Course())
    back = seen(TEXT, first.course, NOW + timedelta(minutes=5))
    assert (back.state, back.course.doubt) == (PageState.SAME, None)


def test_a_doubt_of_one_kind_does_not_confirm_another() -> None:
    gone = judge(look(text="", state=PageState.GONE), TEXT, NOW, Course())
    changed = seen(
        "会议要求，各地各部门压实责任，认真落实，确保各项工作取得实效。", gone.course, NOW + CONFIRM
    )
    assert (changed.state, changed.retract) == (PageState.CHANGED, False)


@pytest.mark.parametrize("text", ["", "请完成验证"])
def test_what_cannot_be_read_takes_nothing_away_however_often(text: str) -> None:
    course, at = Course(), NOW
    for _ in range(20):
        finding = judge(look(at, text), TEXT, NOW, course)
        assert (finding.state, finding.retract, finding.tell) == (PageState.UNSEEN, False, False)
        assert finding.due_at is not None
        course, at = finding.course, finding.due_at


def test_a_failing_network_between_two_sights_keeps_the_doubt() -> None:
    first = judge(look(text="", state=PageState.GONE), TEXT, NOW, Course())
    away = judge(look(NOW + CONFIRM, "", PageState.UNSEEN, "连不上"), TEXT, NOW, first.course)
    assert (away.retract, away.course.doubt) == (False, PageState.GONE)
    assert judge(look(NOW + 2 * CONFIRM, "", PageState.GONE), TEXT, NOW, away.course).retract


def test_a_page_of_pictures_is_only_asked_whether_it_is_there() -> None:
    finding = judge(look(text="图片"), "图片", NOW, Course(round=1))
    assert finding.state is PageState.SAME
