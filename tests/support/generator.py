"""Tickets and disasters made up for load: as many as one wants, no two alike, the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from models.core.moment import iso

PLACES = ("东城区", "西城区", "南湖街道", "北关镇", "临江新区", "青石乡")
MATTERS = (
    ("小区停水无人管", "停水三天了，物业说不知道，老人孩子都没水喝，希望有关部门尽快处理。"),
    ("夜间施工噪声扰民", "工地每晚施工到两点，多次反映无果，严重影响休息，请核实并答复。"),
    ("公交站牌信息有误", "站牌上的末班车时间与实际不符，昨晚等了四十分钟没有车。"),
    ("培训机构不退费", "报名的课程停课两个月，机构负责人电话打不通，家长要求退费。"),
    ("路灯损坏多日", "从学校到菜市场一段的路灯坏了一个星期，晚上接孩子很不安全。"),
)
EVENTS = ("化工厂爆炸", "客车翻车", "楼房倒塌", "矿井透水", "渡船倾覆", "隧道塌方")


def tickets(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Everyday complaints in the shape of a ticket line, a second apart, the last at `now`."""
    for number in range(count):
        title, body = MATTERS[number % len(MATTERS)]
        place = PLACES[number % len(PLACES)]
        yield {
            "id": f"T{number:07}",
            "title": f"{place}{title}({number})",
            "body": f"我是{place}第 {number} 号住户。{body}",
            "published_at": iso(now - timedelta(seconds=count - number)),
            "place": place,
        }


def disasters(now: Callable[[], datetime]) -> Iterator[dict[str, Any]]:
    """Each a matter of its own, grave enough to open an incident by itself."""
    number = 0
    while True:
        where = "".join(chr(0x4E00 + (number * 7919 + k * 104729) % 20_000) for k in range(4))
        event = EVENTS[number % len(EVENTS)]
        yield {
            "id": f"D{number:05}",
            "title": f"{where}县{event}致{3 + number % 7}人死亡",
            "body": f"{where}县今晨发生{event}，已有{3 + number % 7}人死亡、{10 + number % 11}人受伤，现场仍在搜救。",
            "published_at": iso(now()),
            "place": f"{where}县",
        }
        number += 1
