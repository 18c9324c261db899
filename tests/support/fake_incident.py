"""What an incident's page asks of the desk, without a database, for the console's tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.console.desk import Refusal, Unknown, View
from support.fake_night import hours


class FakeIncidentRoom:
    """Answers for any incident; labels are remembered in `labelled`."""

    def __init__(self, incident: Callable[[str], View | None], signals: list[View]) -> None:
        self._incident = incident
        self._signals = [signal(one) for one in signals]
        self.labelled: list[tuple[str, dict[str, str], str]] = []

    def face(self, incident_id: str) -> View:
        found = self._incident(incident_id)
        if found is None:
            raise Unknown(f"没有编号为 “{incident_id[:40]}” 的事件；请回到态势页查找。")
        return found

    def overview(self, incident_id: str) -> View:
        part: View = {
            "key": "event", "part": "事件等级", "grade": "III", "grade_zh": "较大", "basis": ["N-081"],
            "reason": "死亡 3 人，达到较大事故（死亡 3 人以上）· 国务院令第493号 N-081",
            "suggested": False, "leads": True,
        }  # fmt: skip
        row = {"words": "死亡 ≥ 3 人", "have": "3 人", "reached": True}
        level = {"grade": "III", "grade_zh": "较大", "fact": "N-081", "rows": [row]}
        told = {
            "person": "chen", "name": "陈值班", "unit": "office", "rung": 1, "times": 2, "first_at": hours(1),
            "last_at": hours(0.5), "channel": "slack", "state": "accepted", "state_zh": "已送达", "error": None,
            "acked_at": None,
        }  # fmt: skip
        return {
            "grade_why": {
                "parts": [part],
                "table": {"name": "生产安全事故", "document": "国务院令第493号", "levels": [level]},
                "confirmed": {"by": "李主任", "at": hours(1), "reason": "应急局核实", "grade": "III"},
                "proposed": {"grade": "II", "grade_zh": "重大", "at": hours(0.2), "reason": "死亡增至 12 人"},
            },
            "told": [told],
            "parties": [],
            "statements": [],
            "referrals": [],
        }

    def picture(self, incident_id: str) -> View:
        bar = {"x": 0, "w": 100, "h": 100, "bad": 50, "at": hours(2), "count": 2, "negative": 1}
        share = {
            "name": "论坛", "count": 2, "negative": 1, "first_at": hours(2), "first_id": 1, "last_at": hours(1),
            "first_source": "临江论坛",
        }  # fmt: skip
        return {
            "heard": {
                "total": 2,
                "negative": 1,
                "first": {"id": 1, "at": hours(2), "source": "临江论坛", "medium": "论坛", "place": None},
            },
            "curve": {
                "since": hours(2), "until": hours(1), "bin": "10 分", "most": 2, "bars": [bar], "words": "每格 10 分",
                "marks": [{"x": 50, "at": hours(1.5), "name": "首次发布"}],
            },
            "spread": {"media": [share], "sources": [share], "places": []},
        }  # fmt: skip

    def similar(self, incident_id: str) -> View:
        first = {
            "kind_zh": "权威信息",
            "publisher": "临江发布",
            "at": hours(200),
            "url": None,
            "after_s": 5400.0,
        }
        past: View = {
            "score": 0.62, "reasons": ["标题共有 化工园区"], "id": "inc-2", "ref": "舆-2025-0007",
            "title": "化工园区泄漏",
            "grade": "III", "grade_zh": "较大", "colour": "黄", "provisional": False, "closed": True,
            "opened_at": hours(900), "closed_at": hours(800), "owner": "应急局", "statements": 2,
            "first_statement": first, "met": 3, "late": 1, "breached": 0, "waived": 0, "took_s": 360000.0,
        }  # fmt: skip
        return {"similar": [past], "compared": 7}

    def signals(self, incident_id: str, params: Mapping[str, str]) -> View:
        wanted = {name: params.get(name, "") for name in ("medium", "sentiment", "text", "rumour", "below")}
        shown = [one for one in self._signals if wanted["text"] in one["title"]]
        return {
            "signals": shown, "total": len(shown), "all": len(self._signals), "below": None, "archived": None,
            "choices": {"medium": [["forum", "论坛", 3]], "sentiment": [["neg", "负面", 3]]},
            "wanted": wanted,
        }  # fmt: skip

    def signal(self, incident_id: str, number: int) -> View:
        found = next((one for one in self._signals if one["id"] == number), None)
        if found is None:
            raise Unknown(f"这起事件没有编号为 {number} 的线索")
        values = [["neg", "负面"], ["pos", "正面"]]
        return {
            **found, "incident_id": incident_id, "facts": {"deaths": 3}, "reasons": ["述及死亡"],
            "versions": {"judge": "1"}, "judged_at": hours(1),
            "labels": [{"label": "sentiment", "label_zh": "情感", "now": "neg", "values": values}],
        }  # fmt: skip

    def story(self, incident_id: str, params: Mapping[str, str]) -> View:
        line: View = {
            "at": hours(1), "group": "act", "group_zh": "处置", "kind": "acknowledged", "kind_zh": "签收",
            "text": "陈值班 签收", "actor": "陈值班", "reason": "已知悉", "seq": 5,
        }  # fmt: skip
        show = [group for group in params.get("show", "").split(",") if group]
        return {"lines": [line], "before": None, "groups": [["act", "处置"]], "show": show}

    def label(self, incident_id: str, params: Mapping[str, str], by: str) -> View:
        if params.get("value") not in ("neg", "neu", "pos"):
            raise Refusal("情感没有这个值；可用: neg(负面)")
        self.labelled.append((incident_id, dict(params), by))
        return {"id": incident_id, "changed": 1, "said": "1 条线索的情感已更正为“负面”"}


class FakeDutyLog:
    """One shift that is over; notes are kept, and 李主任 may sign."""

    def __init__(self) -> None:
        self.notes: list[View] = []
        self.signed: View | None = None

    def log(self, day: str = "") -> View:
        if day and len(day) != 10:
            raise Refusal(f"“{day[:20]}” 不是日期；写成 2026-11-21")
        line = {
            "at": hours(3), "kind": "progress_noted", "kind_zh": "进展", "text": "消防已控制火势", "by": "陈值班",
            "incident_id": "inc-1", "ref": "舆-2026-0001",
        }  # fmt: skip
        opened = {
            "id": "inc-1",
            "ref": "舆-2026-0001",
            "title": "江东化工园区发生火灾",
            "grade": "II",
            "grade_zh": "重大",
        }
        counts = {
            "signals": 12, "media": [["论坛", 12]], "opened": [opened], "closed": [], "late": [], "evidence": 1,
            "alerts": 4, "dead": 1,
        }  # fmt: skip
        shift: View = {
            "id": "20261120T200000", "since": hours(9), "until": hours(1), "over": True, "people": ["陈值班"],
            "ladder": [{"rung": 1, "role_zh": "值班员", "people": ["陈值班"]}], "counts": counts, "handover": None,
            "lines": [line], "more": 0, "notes": self.notes, "signed": self.signed,
        }  # fmt: skip
        return {
            "day": "2026-11-20",
            "before": "2026-11-19",
            "after": None,
            "now": hours(0),
            "shifts": [shift],
        }

    def act(self, name: str, params: Mapping[str, str], by: str) -> View:
        if name == "sign" and by != "li":
            raise Refusal("值班日志由带班的人签字；请转给带班领导")
        if name == "note":
            self.notes.append({"at": hours(0), "by": "陈值班", "text": params["text"], "after": False})
        elif name == "sign":
            head = {"seq": 213, "hash": "0" * 64}
            self.signed = {
                "by": "李主任",
                "at": hours(0),
                "words": params.get("reason", "已阅"),
                "head": head,
            }
        else:
            raise Unknown(f"值班日志没有这个操作: {name}")
        return self.log() | {"said": "已记入值班日志"}


def signal(one: View) -> View:
    """A signal of the invented night as the page's own list has it."""
    known: dict[str, Any] = {
        "seen_at": one["at"], "source_name": one["source"], "medium": "forum", "sentiment": "neg", "kind": None,
        "kind_zh": None, "rumour": 0.1, "rumoured": False, "copy_of": None, "corrected": [],
        "marks": {"title": [], "body": []},
    }  # fmt: skip
    return known | one
