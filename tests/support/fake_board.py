"""The desk's room for the board without a database: filters by hand, figures that do not change."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.console.desk import Refusal, View
from models.core.boards import UNGIVEN, Standing, Wanted
from models.core.vocabulary import Grade
from support.fake_night import hours

_OPEN = ("running", "at_risk", "breached")


def fits(incident: View, wanted: Wanted) -> bool:
    """Whether the filter lets an incident of the night through."""
    unit = incident.get("owner") or UNGIVEN
    return (
        (wanted.ids is None or incident["id"] in wanted.ids)
        and (wanted.units is None or unit in wanted.units)
        and wanted.unit in ("", unit)
        and (not wanted.grades or incident["grade"] in wanted.grades)
        and (not wanted.kinds or (incident.get("kind") or "-") in wanted.kinds)
        and (not wanted.standings or any(_stands(incident, one) for one in wanted.standings))
        and all(word in incident["title"] + incident["ref"] for word in wanted.text.split())
    )


def _stands(incident: View, one: Standing) -> bool:
    states = {clock["state"] for clock in incident["clocks"]}
    if one is Standing.UNACKED:
        return not incident["acked"]
    return not states & set(_OPEN) if one is Standing.UNTIMED else one.value in states


def pressing(incident: View) -> tuple[str, int]:
    """By the next limit, then the graver first."""
    open_ones = [clock["due_at"] for clock in incident["clocks"] if clock["state"] in _OPEN]
    return min(open_ones, default="~"), -Grade(incident["grade"]).rank


def told(incident: View) -> View:
    """With what the board says more than the incident's own page."""
    for clock in incident["clocks"]:
        clock["why_late"] = ["没有人签收"] if clock["state"] == "breached" and not incident["acked"] else []
    return incident | {"owner_zh": incident.get("owner")}


class FakeBoards:
    def numbers(self) -> View:
        spans = [
            {"key": key, "name": name, "since": hours(1), "received": 340, "opened": 6, "on_time": 4, "late": late,
             "ack_s": 420.0}
            for key, name, late in (("day", "今日", 2), ("month", "本月", 5), ("year", "今年", 9))
        ]  # fmt: skip
        return {"at": hours(0), "spans": spans}

    def trends(self, params: Mapping[str, str], units: frozenset[str] | None = None) -> View:
        if params.get("step", "week") not in ("week", "month"):
            raise Refusal("没有这种步长；step 可写 week(按周) 或 month(按月)")
        weeks = [
            _sum(f"2026-11-{day:02d}", f"11-{day:02d} 周", met) for day, met in ((2, 8), (9, 5), (16, 0))
        ]
        return {
            "from": hours(24 * 180), "to": hours(0), "at": hours(0), "step": params.get("step", "week"),
            "step_zh": "按周", "unit": params.get("unit", ""), "grade": params.get("grade", ""),
            "units": ["应急局", "未定责任单位"], "whole": _sum("whole", "合计", 13), "stretches": weeks,
            "by_unit": [_sum("应急局", "应急局", 13)], "by_grade": [_sum("II", "II 级（重大）", 13)],
        }  # fmt: skip


def _sum(key: str, name: str, met: int) -> View:
    """Of a stretch in which nothing happened (`met` 0) there are no shares and no medians."""
    some = bool(met)
    return {
        "key": key, "name": name, "total": met + 2 if some else 0, "met": met, "late": int(some),
        "open_late": int(some), "waived": 0, "on_time": met / (met + 2) if some else None, "incidents": met,
        "mtta_s": 420.0 if some else None, "first_s": 3 * 3600.0 if some else None, "first_in": int(some),
        "first_all": int(some), "response_s": 30 * 3600.0 if some else None, "response_in": int(some),
        "response_all": int(some),
    }  # fmt: skip
