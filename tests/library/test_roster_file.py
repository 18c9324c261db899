"""roster.yaml as its keeper writes it: shifts, overrides, sensitive periods, and what lint finds."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from models.core.moment import CST
from playbooks.lint import lint
from playbooks.problem import Problems, errors
from playbooks.site import load_site
from playbooks.start import write_starter

NOON = datetime(2026, 11, 23, 12, tzinfo=CST)
HEAD = """\
owner: li
units: [{id: office, name: 市政府办公室}]
people:
  - {id: chen, name: 陈值班, unit: office, contacts: [{channel: screen, address: chen}]}
  - {id: li, name: 李主任, unit: office, contacts: [{channel: screen, address: li}]}
  - {id: zhao, name: 赵值班, unit: office, contacts: [{channel: screen, address: zhao}]}
"""
LADDER = """\
ladder:
  - rung: 1
    role: duty_officer
    shifts:
      - {from: "08:00", to: "20:00", rotation: {people: [chen, zhao], every: P1D, since: 2026-11-01T08:00}}
      - {from: "20:00", to: "08:00", on_duty: li}
  - {rung: 2, role: duty_leader, on_duty: [li]}
"""


def written(directory: Path, text: str) -> Path:
    (directory / "site.yaml").write_text("name: 临江\n", encoding="utf-8")
    (directory / "channels.yaml").write_text("channels: [{id: screen, type: terminal}]\n", encoding="utf-8")
    (directory / "roster.yaml").write_text(text, encoding="utf-8")
    return directory


def found(directory: Path, text: str, now: datetime | None = NOON) -> list[str]:
    """What lint says of the roster, without the short ladder and the missing year of every such site."""
    lines = [str(each) for each in lint([written(directory, text)], now)]
    start = f"{directory.resolve()}/roster.yaml:"
    lines = [line for line in lines if "最高第" not in line and "工作日历" not in line]
    return [line.removeprefix(start) for line in lines]


def test_a_roster_with_shifts_overrides_and_a_sensitive_period_loads(tmp_path: Path) -> None:
    more = """\
overrides: [{rung: 1, since: 2026-11-24T08:00, until: 2026-11-24T20:00, people: li, reason: 对调}]
sensitive: [{name: 两会, since: 2026-12-01T00:00, until: 2026-12-08T00:00, rungs: 1}]
reach_test: {at: "15:30", rungs: 3}
"""
    assert found(tmp_path, HEAD + LADDER + more) == []
    roster = load_site(tmp_path, {}).roster
    assert [p.id for p in roster.on_duty(1, NOON)] == ["chen"]
    assert [p.id for p in roster.on_duty(1, NOON + timedelta(hours=13))] == ["li"]
    assert [p.id for p in roster.on_duty(1, NOON + timedelta(days=1))] == ["li"]
    assert {p.id for p in roster.on_duty(1, NOON + timedelta(days=9))} == {"chen", "zhao"}
    assert roster.reach_test is not None
    assert (f"{roster.reach_test.at:%H:%M}", roster.reach_test.rungs, roster.owner) == ("15:30", 3, ("li",))


def test_the_test_of_reach_is_on_unless_it_is_switched_off(tmp_path: Path) -> None:
    test = load_site(written(tmp_path, HEAD + LADDER), {}).roster.reach_test
    assert test is not None
    assert f"{test.at:%H:%M}" == "16:00"
    assert load_site(written(tmp_path, HEAD + LADDER + "reach_test: null\n"), {}).roster.reach_test is None


WRONG = [
    ("owner: lii\n", "1:8: 没有人员 “lii”", "是不是 “li”"),
    (
        "overrides: [{rung: 1, since: 2026-11-24T08:00, until: 2026-11-24T20:00, people: [wang]}]\n",
        "没有人员 “wang”",
        "",
    ),
    (
        "overrides:\n  - {rung: 1, since: 2026-11-24T08:00, until: 2026-11-24T20:00, people: li}\n"
        "  - {rung: 1, since: 2026-11-24T12:00, until: 2026-11-25T08:00, people: chen}\n",
        "16:5: 与 11-24 08:00 起的调班重叠",
        "错开时间",
    ),
    (
        "overrides: [{rung: 3, since: 2026-11-24T08:00, until: 2026-11-24T20:00, people: li}]\n",
        "没有第 3 级",
        "ladder",
    ),
    (
        "overrides: [{rung: 1, since: 2026-11-24T08:00, until: 2026-11-24T08:00, people: li}]\n",
        "结束早于开始",
        "对调",
    ),
    (
        "sensitive: [{name: 两会, since: 2026-12-01T00:00, until: 2026-12-08T00:00, rungs: [1, 2]}]\n",
        "第 2 级没有两人以上的轮班",
        "extra",
    ),
    (
        "absences:\n  - {person: chen, since: 2026-11-24T00:00, until: 2026-11-26T00:00, substitute: zhao}\n"
        "  - {person: zhao, since: 2026-11-25T00:00, until: 2026-11-27T00:00, substitute: chen}\n",
        "15:82: 代班绕成一圈：chen → zhao → chen",
        "换一个",
    ),
    ('reach_test: {at: "23:00"}\n', "联络测试太晚", "22:00"),
    ("reach_test: {at: 下午四点}\n", "不是钟点", "08:00"),
]


@pytest.mark.parametrize(("more", "wanted", "way_out"), WRONG)
def test_a_slip_is_told_at_its_place_with_a_way_out(
    tmp_path: Path, more: str, wanted: str, way_out: str
) -> None:
    text = HEAD.replace("owner: li\n", more) + LADDER if more.startswith("owner") else HEAD + LADDER + more
    line = next(line for line in found(tmp_path, text) if "提醒：" not in line)
    assert wanted in line
    assert way_out in line
    with pytest.raises(Problems):
        load_site(tmp_path, {})


SHIFTS = [
    (
        '"20:00", on_duty: li}',
        "第 1 级每天 20:00–24:00 没有班次",
        '{from: "08:00", to: "20:00", on_duty: chen}',
    ),
    ("no people", "这一班没有人", '{from: "08:00", to: "08:00"}'),
    ("no hour", "不是钟点", '{from: 8点, to: "20:00", on_duty: chen}'),
    (
        "short",
        "每班不足 15 分钟",
        '{from: "08:00", to: "08:00", rotation: {people: [chen, li], every: PT1M, since: 2026-11-01T08:00}}',
    ),
    ("unknown key", "未知的键 “form”，是不是 “from”", '{form: "08:00", to: "20:00", on_duty: chen}'),
]


@pytest.mark.parametrize(("_", "wanted", "shift"), SHIFTS)
def test_a_slip_in_a_shift_is_told(tmp_path: Path, _: str, wanted: str, shift: str) -> None:
    text = f"{HEAD}ladder:\n  - rung: 1\n    role: duty_officer\n    shifts:\n      - {shift}\n"
    assert any(wanted in line for line in found(tmp_path, text)), found(tmp_path, text)


def test_hours_of_the_coming_week_without_anybody_are_a_warning(tmp_path: Path) -> None:
    away = "absences: [{person: li, since: 2026-11-25T00:00, until: 2026-11-26T00:00}]\n"
    lines = found(tmp_path, HEAD + LADDER + away)
    assert any("第 1 级 11-25 00:00 至 11-25 08:00 无人可达" in line for line in lines)
    assert any("第 2 级 11-25 00:00 至 11-26 00:00 无人可达" in line for line in lines)
    assert not errors(lint([tmp_path], NOON))
    assert found(tmp_path, HEAD + LADDER + away, NOON + timedelta(days=9)) == []
    assert found(tmp_path, HEAD + LADDER + away, None) == []


def test_the_starter_has_somebody_on_duty_at_every_hour(tmp_path: Path) -> None:
    write_starter(tmp_path / "site")
    assert not [line for line in lint([tmp_path / "site"], NOON) if "无人可达" in str(line)]
