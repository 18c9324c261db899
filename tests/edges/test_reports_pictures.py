"""The pictures inside reports, as the SVG that they are, and the words that reports are made of."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

from flows.reporting import pictures, sections
from flows.reporting.asking import clean
from models.core.moment import CST, iso

MIDNIGHT = datetime(2026, 11, 21, tzinfo=CST)
HOUR = timedelta(hours=1)


def words(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("text")]


def bars(svg: str, ink: str) -> list[float]:
    """Heights of the bars of that colour, without the legend's square."""
    found = re.findall(rf'<rect x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)" fill="{ink}"/>', svg)
    return [float(height) for height in found if height != "10.0"]


def test_the_heat_has_a_bar_for_each_hour_as_tall_as_its_count() -> None:
    svg = pictures.heat([(MIDNIGHT, 8, 2), (MIDNIGHT + 3 * HOUR, 4, 0)])
    assert bars(svg, pictures.BLUE) == [150.0, 75.0]
    assert bars(svg, pictures.RED) == [37.5]
    assert "8" in words(svg)


def test_the_silent_hours_between_keep_their_place() -> None:
    svg = pictures.heat([(MIDNIGHT, 1, 0), (MIDNIGHT + 3 * HOUR, 1, 0)])
    left = [float(x) for x in re.findall(rf'<rect x="([\d.]+)" y="36.0" [^>]*fill="{pictures.BLUE}"', svg)]
    assert round(left[1] - left[0]) == round(3 * (620 - 46 - 14) / 4)


def test_a_long_story_is_drawn_by_days() -> None:
    hours = [(MIDNIGHT + n * HOUR, 1, 1) for n in range(24 * 7)]
    svg = pictures.heat(hours)
    assert len(bars(svg, pictures.BLUE)) == 7
    assert "24" in words(svg)
    assert "11-21" in words(svg)


def test_the_mood_bridges_hours_in_which_nobody_spoke_by_dashes() -> None:
    svg = pictures.mood([(MIDNIGHT, 2, 1), (MIDNIGHT + HOUR, 4, 4), (MIDNIGHT + 5 * HOUR, 1, 0)])
    assert svg.count("<circle") == 3
    assert svg.count("stroke-dasharray") == 1


def test_nothing_at_all_is_a_picture_too() -> None:
    for svg in (
        pictures.heat([]),
        pictures.mood([]),
        pictures.clocks([], MIDNIGHT),
        pictures.columns([], "无"),
    ):
        ElementTree.fromstring(svg)


def clock(state: str, due: int, ended: int | None, **more: Any) -> dict[str, Any]:
    return {
        "name": "首次发布", "state": state, "state_zh": state, "started_at": iso(MIDNIGHT),
        "due_at": iso(MIDNIGHT + due * HOUR), "ended_at": iso(MIDNIGHT + ended * HOUR) if ended else None, **more,
    }  # fmt: skip


def test_a_limit_that_was_kept_has_its_tick_and_one_that_was_missed_its_red() -> None:
    kept = pictures.clocks([clock("met", 5, 3)], MIDNIGHT + 9 * HOUR)
    late = pictures.clocks([clock("breached", 5, None)], MIDNIGHT + 9 * HOUR)
    assert ("✓" in words(kept), pictures.RED in kept) == (True, False)
    assert ("✓" in words(late), pictures.RED in late) == (False, True)


def test_names_in_a_picture_are_words_and_no_markup() -> None:
    svg = pictures.clocks([clock("met", 5, 3, name="<b>&发布")], MIDNIGHT)
    assert "<b>&发布" in words(svg)


def test_lateness_is_counted_for_late_clocks_alone() -> None:
    now = MIDNIGHT + 9 * HOUR
    found = [sections.lateness(one, now) for one in (clock("met_late", 5, 7), clock("breached", 5, None))]
    assert (found, sections.lateness(clock("met", 5, 3), now)) == ([7200.0, 14400.0], 0.0)


def test_a_limit_that_ends_at_midnight_belongs_to_the_day_before() -> None:
    assert (sections.day(MIDNIGHT), sections.day(MIDNIGHT + HOUR)) == ("2026-11-20", "2026-11-21")


def test_a_newspapers_call_is_no_part_of_the_matter() -> None:
    said = [sections.matter(title) for title in ("快讯：仓库起火", "【突发】仓库起火", "仓库起火", "突发")]
    assert said == ["仓库起火", "仓库起火", "仓库起火", "突发"]


def test_what_no_file_can_hold_is_taken_out_of_words() -> None:
    assert clean("起火😱😱了\x00\x0b，电话13812345678") == "起火〔图〕了，电话〔电话〕"


def test_a_share_of_nothing_is_a_dash() -> None:
    assert (sections.share(0, 0), sections.share(5, 8)) == ("—", "5/8（62.5%）")
